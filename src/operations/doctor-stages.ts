import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import type { Json } from '../env/json.js'
import { connectTo } from '../streams/connect.js'
import { drain } from './artifact-reader.js'
import type { Stage, StageKind } from '../stages/stage.js'
import { attempt } from './doctor-check.js'
import type { DoctorCheck } from './reports.js'
import type { Workspace } from './workspace.js'

/** Encodes a little data with each configured stage: a recipient that cannot be read is found here, not at night. */
export async function checkStages(cx: Context, workspace: Workspace): Promise<readonly DoctorCheck[]> {
  const checks: DoctorCheck[] = []
  for (const { kind, settings } of workspace.settings.stages) {
    let encoded: Encoded | undefined
    checks.push(
      await attempt(cx, kind.role === 'compress' ? 'compression' : 'encryption', kind.id, async () => {
        encoded = await sample(cx, kind.create(settings, workspace.keys))
        return 'usable'
      }),
    )
    if (kind.role === 'encrypt' && encoded !== undefined)
      checks.push(...(await checkPrivateKeys(cx, workspace, kind, encoded)))
  }
  if (!workspace.settings.stages.some(({ kind }) => kind.role === 'encrypt')) {
    checks.push({
      subject: 'encryption',
      name: 'encrypt',
      status: 'warning',
      message: 'backups are not encrypted',
      hint: "set encrypt, such as { age: { recipients: ['age1…'] } }, where others can read the storage",
    })
  }
  return checks
}

interface Encoded {
  readonly bytes: Buffer
  readonly facts: Json
}

async function sample(cx: Context, stage: Stage): Promise<Encoded> {
  const encoding = stage.encode(cx)
  const chunks: Buffer[] = []
  await connectTo(
    [Readable.from([Buffer.from('holdfast')]), encoding.through],
    async (output) => {
      for await (const chunk of output) chunks.push(chunk as Buffer)
    },
    cx.signal,
  )
  return { bytes: Buffer.concat(chunks), facts: encoding.facts() }
}

/** Whether a private key that is at hand opens what is encrypted now. Backups need none, and so there may be none. */
async function checkPrivateKeys(
  cx: Context,
  { keys }: Workspace,
  kind: StageKind,
  { bytes, facts }: Encoded,
): Promise<readonly DoctorCheck[]> {
  const subject = 'encryption'
  const name = 'private key'
  let given = ''
  let locked = false
  const check = await attempt(cx, subject, name, async () => {
    const identities = await keys.identities()
    given = identities.map(({ source }) => source).join(', ')
    if (given === '') return ''
    const ring = {
      identities: () => Promise.resolve(identities),
      // Nobody is to be asked by a check.
      passphrase: () => {
        locked = true
        return Promise.resolve(undefined)
      },
    }
    await connectTo(
      [Readable.from([bytes]), kind.create(undefined, ring).decode(cx, facts)],
      drain,
      cx.signal,
    )
    return `${given}: opens what is encrypted now`
  })
  if ((check.status === 'ok' && given === '') || locked) return []
  const code = check.error?.code
  if (code !== 'integrity.wrong-key' && code !== 'key.missing') return [check]
  return [
    {
      subject,
      name,
      status: 'warning',
      message: `${given}: opens nothing that is encrypted for the configured recipients`,
      hint: 'give the private key of one of them, or add the public half of this one',
    },
  ]
}
