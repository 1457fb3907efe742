import { createHash } from 'node:crypto'
import {
  nameWithEnding,
  swapIdIn,
  timeOfSwap,
  type KeptDatabase,
  type SwapPurpose,
  type SwapState,
} from '../../engine/swapper.js'
import { placeOf } from './database-error.js'
import { readInventory, unfinishedMark } from './inventory.js'
import { listNames } from './quoting.js'
import type { ServerSession } from './session.js'
import { readRecord, swapTable, type StoredRecord } from './swap-record.js'

/** In characters, of which this counts the bytes. */
const longestNameBytes = 64

export function nameBeside(name: string, purpose: SwapPurpose, id: string): string {
  return nameWithEnding(name, `_${purpose}_${id}`, longestNameBytes)
}

/** Names of locks are of the whole server, and short. */
export function lockOf(database: string): string {
  return `holdfast swap ${createHash('sha256').update(database).digest('hex').slice(0, 32)}`
}

export async function isThere(session: ServerSession, name: string): Promise<boolean> {
  const rows = await session.query('SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?', [name])
  return rows.length > 0
}

/** Tables and sequences, without those of Holdfast's own. */
export async function tablesOf(session: ServerSession, database: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND TABLE_NAME NOT IN (?, ?)
      ORDER BY TABLE_NAME`,
    [database, swapTable, unfinishedMark],
  )
  return rows.map(({ name }) => name)
}

/**
 * Seen, and not remembered: whether the old tables are away, so that the new database is what answers. Where MySQL is killed itself, a
 * rename of tables of other engines than InnoDB may have come to some of them: the old ones, which go first, or all of those and some of
 * the new ones. Until the old ones are all away it is the old database, to which they come back.
 */
export async function hasMoved(
  session: ServerSession,
  kept: string,
  { of, oldTables, from }: StoredRecord,
): Promise<boolean> {
  const count = async (database: string) => (await tablesOf(session, database)).length
  const [away, coming, there] = [await count(kept), await count(from), await count(of)]
  if (oldTables === 0) return coming === 0 || there > 0
  // The last resort is for a table that somebody has dropped just before.
  return away >= oldTables || (away > 0 && coming === 0 && there > 0)
}

interface SwapDatabases {
  readonly kept: readonly KeptDatabase[]
  /** Of swaps that were begun and not ended. */
  readonly moving: readonly { readonly name: string; readonly record: StoredRecord }[]
  /** What can go: half restored, or emptied. */
  readonly remains: readonly string[]
}

export async function readDatabases(session: ServerSession): Promise<SwapDatabases> {
  const { name: database } = session.settings
  const rows = await session.query<{ name: string; bytes: string | null }>(
    `SELECT s.SCHEMA_NAME AS name, SUM(t.DATA_LENGTH + t.INDEX_LENGTH) AS bytes FROM information_schema.SCHEMATA s
      LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
      WHERE s.SCHEMA_NAME LIKE '%\\_before\\_%' OR s.SCHEMA_NAME LIKE '%\\_restoring\\_%' GROUP BY s.SCHEMA_NAME`,
  )
  const kept: KeptDatabase[] = []
  const moving: { name: string; record: StoredRecord }[] = []
  const remains: string[] = []
  const idIn = (name: string, purpose: SwapPurpose) =>
    swapIdIn(name, purpose, (...of) => nameBeside(database, ...of))
  for (const { name, bytes } of rows) {
    if (idIn(name, 'restoring') !== undefined) remains.push(name)
    if (idIn(name, 'before') === undefined) continue
    const record = await readRecord(session, name)
    if (record === undefined) {
      // It was made for a swap that had not come to its record.
      if ((await tablesOf(session, name)).length === 0) remains.push(name)
      continue
    }
    if (record.of !== database) continue
    if (record.phase === 'moving') moving.push({ name, record })
    if (record.phase === 'emptied') remains.push(name)
    // The old tables that an interrupted swap has put aside are kept as well.
    const isKept =
      record.phase === 'kept' ||
      (record.phase === 'moving' && record.existed && (await hasMoved(session, name, record)))
    if (isKept)
      kept.push({ name, since: new Date(record.at), ...(bytes === null ? {} : { sizeBytes: Number(bytes) }) })
  }
  kept.sort((a, b) => b.since.getTime() - a.since.getTime())
  return { kept, moving, remains }
}

export async function readState(session: ServerSession): Promise<SwapState> {
  const { settings } = session
  const place = placeOf(settings)
  const { kept, moving, remains } = await readDatabases(session)
  const [lock] = await session.query<{ used: string | number | null }>('SELECT IS_USED_LOCK(?) AS used', [
    lockOf(settings.name),
  ])
  const running = lock?.used !== null && lock?.used !== undefined
  const exists = await isThere(session, settings.name)
  return {
    place,
    exists,
    keptAs: (id) => nameBeside(settings.name, 'before', id),
    kept,
    running,
    interrupted: running ? [] : await tales(session, moving, remains),
    users: await usersOf(session),
    warnings: exists ? await warningsOf(session) : [],
  }
}

async function tales(
  session: ServerSession,
  moving: SwapDatabases['moving'],
  remains: readonly string[],
): Promise<readonly string[]> {
  const place = placeOf(session.settings)
  const told: string[] = []
  for (const { name, record } of moving) {
    told.push(
      (await hasMoved(session, name, record))
        ? `a swap of ${place} that began at ${record.at} was interrupted: its tables are the new ones, and its views, triggers, routines and events are made first`
        : `a swap of ${place} that began at ${record.at} was interrupted: its tables are the old ones, its triggers are made again, and what was restored beside it is removed`,
    )
  }
  const fromMoving = new Set(moving.map(({ record }) => record.from))
  for (const name of remains.filter((each) => !fromMoving.has(each))) {
    const since = timeOfSwap(name.slice(-22)).toISOString()
    told.push(
      `a restore beside ${place} that began at ${since} was interrupted: ${place} is as it was, and ${name} is removed`,
    )
  }
  return told
}

/** Without the privilege PROCESS only those of the same account. */
async function usersOf(session: ServerSession): Promise<readonly string[]> {
  const rows = await session.query<{ user: string; host: string }>(
    'SELECT USER AS user, HOST AS host FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID() ORDER BY ID',
    [session.settings.name],
  )
  return rows.map(({ user, host }) => `${user} from ${host}`)
}

/** What one RENAME TABLE does not do. */
async function warningsOf(session: ServerSession): Promise<readonly string[]> {
  await session.enter()
  const { views, routines, events, triggers } = await readInventory(session)
  const others = await session.query<{ name: string }>(
    `SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.KEY_COLUMN_USAGE
      WHERE REFERENCED_TABLE_SCHEMA = ? AND TABLE_SCHEMA <> ?`,
    [session.settings.name, session.settings.name],
  )
  return [
    ...(views.length + routines.length + events.length + triggers === 0
      ? []
      : [
          'the tables change places in one step; views, triggers, routines and events are made anew right after it',
        ]),
    ...(others.length === 0
      ? []
      : [
          `foreign keys of other databases go with the old tables: ${listNames(others.map(({ name }) => name))}`,
        ]),
  ]
}
