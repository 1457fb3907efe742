import { Readable } from 'node:stream'
import type { Manifest } from '../catalog/manifest.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { attempt } from './doctor-check.js'
import type { OpenStorage } from './open-storages.js'
import type { DoctorCheck } from './reports.js'
import type { Workspace } from './workspace.js'

/** A clock that is further off than this makes retention and ids doubtful. */
const clockToleranceMs = 5 * 60 * 1000

export async function checkStorage(
  cx: Context,
  workspace: Workspace,
  name: string,
  { contract }: { readonly contract: boolean },
): Promise<readonly DoctorCheck[]> {
  const subject = `storage ${name}`
  let open: OpenStorage | undefined
  const opened = await attempt(cx, subject, 'settings', async () => {
    open = await workspace.storages.get(name)
    return open.storage.describe()
  })
  if (open === undefined) return [opened]
  const { storage } = open
  const { check: catalogued, manifests } = await checkCatalog(cx, subject, open)
  // A round trip would make the folder, and what is not mounted would look like a storage without backups.
  const isThere = catalogued.error?.code !== 'storage.not-found'
  const checks = [opened]
  if (isThere) {
    const trip = await attempt(cx, subject, 'round trip', () => roundTrip(cx, open as OpenStorage))
    checks.push(trip, catalogued, ...(await checkRoom(cx, subject, storage, manifests)))
    if (contract && trip.status === 'ok') checks.push(...(await checkContract(cx, subject, storage)))
  } else checks.push({ ...catalogued, status: 'warning' })
  if (storage.capabilities.volatile) {
    checks.push({
      subject,
      name: 'durability',
      status: 'warning',
      message: 'backups here end with the process',
    })
  }
  return checks
}

async function checkCatalog(
  cx: Context,
  subject: string,
  { catalog }: OpenStorage,
): Promise<{ readonly check: DoctorCheck; readonly manifests: readonly Manifest[] }> {
  let unfinished = 0
  let manifests: readonly Manifest[] = []
  const check = await attempt(cx, subject, 'catalog', async () => {
    const { damaged, pending, ...listed } = await catalog.list(cx)
    manifests = listed.manifests
    const [first] = damaged
    if (first !== undefined) throw first.error
    unfinished = pending.length
    return `backups: ${manifests.length}`
  })
  if (unfinished === 0) return { check, manifests }
  const warned: DoctorCheck = {
    ...check,
    status: 'warning',
    message: `${check.message}, unfinished: ${unfinished}`,
    hint: 'they are being made now, or an ended run has left them; prune removes what is older than a day',
  }
  return { check: warned, manifests }
}

/** Whether backups of everything, as large as the newest ones, have room; nothing where the storage does not know. */
async function checkRoom(
  cx: Context,
  subject: string,
  storage: Storage,
  manifests: readonly Manifest[],
): Promise<readonly DoctorCheck[]> {
  const wanted = newestBytes(manifests)
  let free: number | undefined
  const check = await attempt(cx, subject, 'free space', async () => {
    free = await storage.freeBytes?.(cx)
    const taken = wanted === 0 ? '' : `; the newest backups take ${megabytes(wanted)}`
    return `${megabytes(free ?? 0)} free${taken}`
  })
  if (check.status === 'error') return [check]
  if (free === undefined) return []
  if (free >= wanted) return [check]
  return [{ ...check, status: 'warning', hint: 'make room: the next backups will not fit; see prune' }]
}

function newestBytes(manifests: readonly Manifest[]): number {
  const newest = new Map<string, Manifest>()
  for (const manifest of manifests) {
    const subject = `${manifest.kind} ${manifest.database.alias}`
    if ((newest.get(subject)?.id ?? '') < manifest.id) newest.set(subject, manifest)
  }
  const parts = [...newest.values()].flatMap((manifest) => manifest.parts)
  return parts.reduce((sum, { stored }) => sum + stored.bytes, 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** Every promise that Holdfast relies on, tried on this very storage. */
async function checkContract(
  cx: Context,
  subject: string,
  storage: Storage,
): Promise<readonly DoctorCheck[]> {
  const { tryStorage } = await import('../testing/storage-trial.js')
  const broken: DoctorCheck[] = []
  let kept = 0
  const notice = `${subject}: trying everything that a storage promises, with objects of up to 64 MiB; they are removed again`
  cx.emit({ type: 'notice', level: 'info', message: notice })
  const tried = await attempt(cx, subject, 'contract', async () => {
    for await (const { name, error } of tryStorage(cx, storage)) {
      if (error === undefined) kept++
      else
        broken.push({
          subject,
          name: 'contract',
          status: 'error',
          message: `${name}: ${error.message}`,
          error,
        })
    }
    return `promises kept: ${kept}`
  })
  return broken.length === 0 ? [tried] : [...broken, ...(tried.status === 'error' ? [tried] : [])]
}

/** Writes, reads back and deletes an object, and compares the storage's clock with this machine's. */
async function roundTrip(cx: Context, { storage }: OpenStorage): Promise<string> {
  const content = Buffer.from(cx.env.randomBytes(1024))
  const key = objectKey(`holdfast-doctor/${Buffer.from(cx.env.randomBytes(8)).toString('hex')}`)
  await storage.put(cx, key, Readable.from([content]), { createOnly: true })
  try {
    const object = await storage.stat(cx, key)
    const read: Buffer[] = []
    for await (const chunk of await storage.get(cx, key)) read.push(chunk as Buffer)
    if (object?.bytes !== content.length || !Buffer.concat(read).equals(content)) {
      throw new HoldfastError('integrity.checksum', 'what was read is not what was written')
    }
    const offMs = Math.abs(object.modified.getTime() - cx.env.clock.now().getTime())
    if (offMs > clockToleranceMs) {
      throw new HoldfastError(
        'storage.failed',
        `its clock and this machine's differ by ${Math.round(offMs / 1000)} s`,
        {
          hint: 'set the clocks by NTP: names of backups and retention go by this one, leases by that of the storage',
        },
      )
    }
  } finally {
    await storage.delete(cx, key)
  }
  if ((await storage.stat(cx, key)) !== undefined)
    throw new HoldfastError('storage.failed', 'an object was not deleted')
  return 'write, read and delete work'
}
