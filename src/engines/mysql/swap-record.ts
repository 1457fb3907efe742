import { quoteName } from './quoting.js'
import type { ServerSession } from './session.js'

/** The table in a kept database that tells what a swap has done so far. */
export const swapTable = 'holdfast_swap'

/**
 * - `moving`: a swap is under way. The tables change places in one statement; the rest can be done again.
 * - `kept`: the old database, put aside.
 * - `emptied`: it has come back, and what is left of it can go.
 */
export type SwapPhase = 'moving' | 'kept' | 'emptied'

export interface SwapRecord {
  readonly phase: SwapPhase
  /** The database that it is, or was, in the place of. */
  readonly of: string
  /** RFC 3339 in UTC. */
  readonly at: string
  /** Where the new tables come from. */
  readonly from: string
  /** They are those of a kept database, which comes back. */
  readonly back: boolean
  /** Whether there was an old database, and how many tables it had. */
  readonly existed: boolean
  readonly oldTables: number
}

export interface StoredRecord extends SwapRecord {
  /** Views, triggers, routines and events of the old database. */
  readonly oldCode: Buffer
  /** Those of the new one; empty when they are in their place. */
  readonly newCode: Buffer
}

export async function writeRecord(
  session: ServerSession,
  database: string,
  record: StoredRecord,
): Promise<void> {
  const table = `${quoteName(database)}.${quoteName(swapTable)}`
  const { oldCode, newCode, ...rest } = record
  await session.query(
    `CREATE TABLE ${table} (record LONGTEXT CHARACTER SET utf8mb4 NOT NULL, old_code LONGBLOB NOT NULL, new_code LONGBLOB NOT NULL) ENGINE=InnoDB`,
  )
  await session.query(`INSERT INTO ${table} VALUES (?, ?, ?)`, [JSON.stringify(rest), oldCode, newCode])
}

/** One statement, or a part of a transaction. */
export async function changePhase(
  session: ServerSession,
  database: string,
  record: SwapRecord,
  phase: SwapPhase,
): Promise<void> {
  const { of, at, from, back, existed, oldTables } = record
  await session.query(`UPDATE ${quoteName(database)}.${quoteName(swapTable)} SET record = ?, new_code = ''`, [
    JSON.stringify({ phase, of, at, from, back, existed, oldTables }),
  ])
}

/** Absent where the database is not there, or nobody's swap has made it. */
export async function readRecord(
  session: ServerSession,
  database: string,
): Promise<StoredRecord | undefined> {
  const found = await session.query(
    'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, swapTable],
  )
  if (found.length === 0) return undefined
  const [row] = await session.query<{ record: string; oldCode: Buffer; newCode: Buffer }>(
    `SELECT record, old_code AS oldCode, new_code AS newCode FROM ${quoteName(database)}.${quoteName(swapTable)}`,
  )
  if (row === undefined) return undefined
  return { ...(JSON.parse(row.record) as SwapRecord), oldCode: row.oldCode, newCode: row.newCode }
}
