import type { Lease } from '../catalog/leases.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { OpenStorage } from './open-storages.js'
import type { StoredBackup } from './reports.js'

/** What lasts until it is released. */
export interface Hold {
  release(): Promise<void>
}

const nothingHeld: Hold = { release: () => Promise.resolve() }

/**
 * Keeps prune from removing backups that are read, and waits where one is removing some already. Where the storage cannot be
 * written to, it is read without.
 * @throws locked.by-another-run where a prune does not end; usage.backup-not-found where it has removed the backup
 */
export async function readHold(
  cx: Context,
  open: OpenStorage,
  backups: readonly StoredBackup[],
): Promise<Hold> {
  const databases = [...new Set(backups.map(({ manifest }) => manifest.database.alias))]
  const ids = backups.map(({ manifest }) => manifest.id)
  const lease = await tryToHold(cx, open, { kind: 'read', databases, backups: ids })
  if (lease === undefined) return nothingHeld
  try {
    if (!(await open.catalog.leases.waitFor(cx, lease, 'prune'))) return lease
    for (const { manifest } of backups) {
      if (await open.catalog.has(cx, manifest)) continue
      throw new HoldfastError(
        'usage.backup-not-found',
        `prune has just removed ${manifest.id} from ${open.name}`,
      )
    }
    return lease
  } catch (error) {
    await lease.release()
    throw error
  }
}

/** Tells other runs that a backup is being made; it is made also where that cannot be told. */
export async function backupHold(cx: Context, open: OpenStorage, alias: string, id: string): Promise<Hold> {
  return (await tryToHold(cx, open, { kind: 'backup', databases: [alias], backups: [id] })) ?? nothingHeld
}

async function tryToHold(
  cx: Context,
  { catalog, name }: OpenStorage,
  wish: Lease['wish'],
): Promise<Lease | undefined> {
  try {
    return await catalog.leases.hold(cx, wish)
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const { message } = asHoldfastError(thrown)
    cx.emit({ type: 'notice', level: 'debug', message: `no lease in ${name}: ${message}` })
    return undefined
  }
}
