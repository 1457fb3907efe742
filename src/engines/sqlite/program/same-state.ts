import { HoldfastError } from '../../../errors.js'
import { openDatabase, type Database } from './database.js'

/** How long to wait for a moment in which nobody writes. */
const momentMs = 1_000

export interface SameState {
  readonly first: Database
  /** Reads what `first` reads; absent where no such moment came, or where this account may not write. */
  readonly second?: Database
}

/**
 * Opens a database in read transactions, twice if it can be: a writer's lock keeps the state as it is until both have begun.
 * Nothing is written.
 */
export async function openSameState(path: string): Promise<SameState> {
  const first = await openDatabase(path, 'read')
  const second = await openDatabase(path, 'read')
  const lock = await openDatabase(path, 'write')
  const still = keepStill(lock)
  beginReading(first)
  if (still) {
    beginReading(second)
    lock.execute('ROLLBACK')
  } else second.close()
  lock.close()
  return still ? { first, second } : { first }
}

/** Whether a writer's lock could be had, which keeps the state as it is. */
export function keepStill(lock: Database): boolean {
  lock.execute(`PRAGMA busy_timeout = ${momentMs}`)
  try {
    lock.execute('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (error instanceof HoldfastError && ['database.busy', 'database.denied'].includes(error.code))
      return false
    throw error
  }
}

/** Takes the snapshot now. */
export function beginReading(database: Database): void {
  database.execute('BEGIN')
  database.number('SELECT count(*) FROM sqlite_schema')
}
