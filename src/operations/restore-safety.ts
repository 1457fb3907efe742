import type { DatabaseSettings } from '../config/settings.js'
import type { ConnectorFactory, RestoreRequest, RestoreTarget } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { backupBeforeRestore } from './backup.js'
import { createConnector } from './create-connector.js'
import { sourceOfBackup, type FoundSource } from './restore-source.js'
import { notice, type Workspace } from './workspace.js'

/** A backup of the target as it was before, which can be read. */
export interface SafetyBackup {
  readonly id: string
  readonly found: FoundSource
}

/** Whether a restore in place that fails would leave a database that is neither the old nor the new one. */
export function cannotUndo(
  { engine }: DatabaseSettings,
  { capabilities }: ConnectorFactory,
  { exists, server }: RestoreTarget,
): boolean {
  if (engine.capabilities.transactionalRestore || capabilities.transactionalRestore) return false
  return exists && server?.objectCount !== 0
}

/**
 * Backs up the whole target, and makes sure that the backup can be read here: it may be encrypted for somebody else.
 * @throws what the backup throws, with nothing restored yet
 */
export async function makeSafetyBackup(
  cx: Context,
  workspace: Workspace,
  target: DatabaseSettings,
  place: string,
): Promise<SafetyBackup> {
  try {
    const { id, backup, warnings, failedAfter } = await backupBeforeRestore(workspace, target, cx.signal)
    if (backup === undefined) throw new TypeError('a backup without an output is in a storage')
    for (const warning of [...warnings, ...(failedAfter === undefined ? [] : [failedAfter.message])])
      notice(workspace, 'warning', `backup before the restore: ${warning}`)
    const open = await workspace.storages.get(backup.storage)
    const decoding = { kinds: workspace.registry.stages, keys: workspace.keys }
    return { id, found: await sourceOfBackup(cx, open, backup, decoding) }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const { code, message, details } = asHoldfastError(thrown)
    const off = workspace.commandLine ? '--no-safety-backup' : `safetyBackup: false`
    throw new HoldfastError(
      code,
      `the backup before the restore failed, and ${place} is as it was: ${message}`,
      {
        cause: thrown,
        details,
        hint:
          code === 'key.missing'
            ? `give the key that opens backups of this database, or leave the backup out with ${off}`
            : `leave the backup out with ${off}; a failed restore can then not be undone`,
      },
    )
  }
}

/** Restores what was there before, whatever has stopped the restore. @returns the error to throw */
export async function putBack(
  cx: Context,
  workspace: Workspace,
  target: DatabaseSettings,
  { id, found }: SafetyBackup,
  { thrown, place }: { readonly thrown: unknown; readonly place: string },
): Promise<HoldfastError> {
  const outer = asHoldfastError(thrown)
  const inner = asHoldfastError(outer.cause ?? outer, 'tool.failed')
  const { details, hint } = outer
  notice(workspace, 'warning', `the restore failed; the backup ${id} of ${place} is put back`)
  const steady = { ...cx, signal: new AbortController().signal }
  const connector = createConnector(target.connector, target, target.connection)
  // Who uses the database by now uses one that is half restored.
  const request: RestoreRequest = { clean: 'database', create: false, disconnect: true, schemas: [] }
  try {
    await connector.restore(steady, found.source, request).catch((failed: unknown) => {
      if (asHoldfastError(failed).code !== 'database.not-found') throw failed
      return connector.restore(steady, found.source, { ...request, create: true })
    })
  } catch (failed) {
    return new HoldfastError(
      'restore.incomplete',
      `${outer.message}; the backup ${id}, made before it, could not be put back: ${asHoldfastError(failed).message}`,
      { cause: thrown, details, hint: `restore the backup ${id}` },
    )
  }
  return new HoldfastError(
    inner.code === 'restore.incomplete' ? 'tool.failed' : inner.code,
    `${inner.message}; ${place} is as it was: the backup ${id}, made before, was put back`,
    { cause: thrown, details, hint },
  )
}
