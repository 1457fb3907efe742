import { databaseError, loadDriver, openDatabase } from './database.js'
import type { BackupInput } from './protocol.js'

/**
 * Copies a database with SQLite's online backup, the WAL included. The open read transaction keeps the snapshot: without it
 * the backup starts again whenever another process writes, and never ends under a busy writer. With a WAL, writers go on
 * meanwhile; with a rollback journal they wait at their commit, as for any reader.
 */
export async function backUp({ path, copy }: BackupInput): Promise<null> {
  const { backup } = await loadDriver()
  const database = await openDatabase(path, 'read')
  database.execute('BEGIN')
  database.number('SELECT count(*) FROM sqlite_schema')
  try {
    await backup(database.driver, copy, { rate: -1 })
  } catch (error) {
    throw databaseError(error, path)
  }
  database.execute('COMMIT')
  database.close()
  return null
}
