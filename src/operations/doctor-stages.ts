import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { connectTo } from '../streams/connect.js'
import { drain } from './artifact-reader.js'
import { attempt } from './doctor-check.js'
import type { DoctorCheck } from './reports.js'
import type { Workspace } from './workspace.js'

/** Encodes a little data with each configured stage: a recipient that cannot be read is found here, not at night. */
export async function checkStages(cx: Context, workspace: Workspace): Promise<readonly DoctorCheck[]> {
  const checks: DoctorCheck[] = []
  for (const { kind, settings } of workspace.settings.stages) {
    checks.push(
      await attempt(cx, kind.role === 'compress' ? 'compression' : 'encryption', kind.id, async () => {
        const { through } = kind.create(settings, workspace.keys).encode(cx)
        await connectTo([Readable.from([Buffer.from('holdfast')]), through], drain, cx.signal)
        return 'usable'
      }),
    )
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
