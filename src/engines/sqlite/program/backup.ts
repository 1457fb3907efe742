import { checkStructure } from './check.js'
import { databaseError, loadDriver } from './database.js'
import type { BackupInput, BackupOutput } from './protocol.js'
import { openSameState } from './same-state.js'

/**
 * Copies a database with SQLite's online backup, the WAL included. The open read transaction keeps the snapshot: without it
 * the backup starts again whenever another process writes, and never ends under a busy writer. With a WAL, writers go on
 * meanwhile; with a rollback journal they wait at their commit, as for any reader.
 *
 * SQLite copies on a thread of its own; meanwhile the same snapshot is checked, where it could be opened twice.
 */
export async function backUp({ path, copy }: BackupInput): Promise<BackupOutput> {
  const { backup } = await loadDriver()
  const { first, second } = await openSameState(path)
  const copied = backup(first.driver, copy, { rate: -1 })
  try {
    if (second !== undefined) checkStructure(second)
  } finally {
    await copied.catch((error: unknown) => {
      throw databaseError(error, path)
    })
  }
  second?.close()
  first.execute('COMMIT')
  first.close()
  return { checked: second !== undefined }
}
