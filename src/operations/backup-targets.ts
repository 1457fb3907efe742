import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { OpenStorage } from './open-storages.js'
import type { FailedStorage } from './reports.js'
import type { BackupRequest } from './requests.js'
import type { Workspace } from './workspace.js'

/**
 * The storages that a backup goes to: what the call says, else a flag or `HOLDFAST_STORAGE`, else the database's or set's own, else all but those that
 * are themselves backed up.
 * @throws usage.unknown-storage before anything starts
 */
export function backupStorages(
  { settings }: Workspace,
  { storage, storages }: Pick<BackupRequest, 'storage' | 'storages'>,
  { storages: own }: { readonly storages?: readonly string[] },
): readonly string[] {
  if (storage !== undefined && storages !== undefined) {
    throw new HoldfastError('usage.invalid', 'storage and storages are both given', {
      hint: 'leave one out',
    })
  }
  const known = [...settings.storages.keys()]
  const asked = storages ?? (storage === undefined ? undefined : [storage])
  const chosen = settings.chosenStorages.length > 0 ? settings.chosenStorages : own
  const names = [
    ...new Set(asked ?? chosen ?? known.filter((name) => settings.storages.get(name)?.source !== true)),
  ]
  if (names.length === 0) throw new HoldfastError('usage.invalid', 'storages names no storage')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw new HoldfastError(
    'usage.unknown-storage',
    `there is no storage ${unknown}; known: ${known.join(', ')}`,
  )
}

/** Opens storages. One that does not open is left aside as long as another does. @throws what the only one, or the first, threw */
export async function openEach(
  cx: Context,
  { storages }: Workspace,
  names: readonly string[],
): Promise<{ readonly opened: readonly OpenStorage[]; readonly unopened: readonly FailedStorage[] }> {
  const opened: OpenStorage[] = []
  const unopened: FailedStorage[] = []
  for (const name of names) {
    try {
      opened.push(await storages.get(name))
    } catch (thrown) {
      cx.signal.throwIfAborted()
      unopened.push({ storage: name, error: asHoldfastError(thrown) })
    }
  }
  const [first] = unopened
  if (opened.length === 0 && first !== undefined) throw first.error
  return { opened, unopened }
}
