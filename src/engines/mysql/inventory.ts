import { HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import type { ServerSession } from './session.js'

/**
 * Stands in a target database while a restore runs, since DDL commits at once and a restore that is killed cannot be undone.
 * What is found with it later is not whole, and is said to be so.
 */
export const unfinishedMark = 'holdfast_restore_unfinished'

/** What a database holds, by name; the base of all that is said about it. */
export interface Inventory {
  readonly charset: string
  readonly collation: string
  readonly tables: readonly TableEntry[]
  readonly views: readonly string[]
  /** MariaDB's. */
  readonly sequences: readonly string[]
  /** Those this account knows of. */
  readonly routines: readonly RoutineEntry[]
  readonly triggers: number
  readonly events: readonly string[]
  /** When a restore began that has not finished; UTC. */
  readonly unfinishedSince?: string
}

export interface TableEntry {
  readonly name: string
  /** Undefined where the server cannot open the table. */
  readonly engine: string | undefined
  readonly estimatedRows: number
  readonly bytes: number
  /** Keeps the history of its rows (MariaDB). */
  readonly versioned: boolean
}

export interface RoutineEntry {
  readonly name: string
  readonly type: 'FUNCTION' | 'PROCEDURE' | 'PACKAGE' | 'PACKAGE BODY'
  /** Whether this account may read its definition. */
  readonly readable: boolean
}

interface TableRow {
  readonly name: string
  readonly type: string
  readonly engine: string | null
  readonly estimated: string | null
  readonly bytes: string | null
  readonly created: string | null
}

/** @throws database.not-found, database.denied */
export async function readInventory(session: ServerSession): Promise<Inventory> {
  const { name } = session.settings
  const [database] = await session.query<{ charset: string; collation: string }>(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
      FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`,
    [name],
  )
  if (database === undefined) {
    throw new HoldfastError(
      'database.not-found',
      `${placeOf(session.settings)}: there is no database ${name}`,
    )
  }
  const rows = await session.query<TableRow>(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_ROWS AS estimated,
        DATA_LENGTH + INDEX_LENGTH AS bytes, CREATE_TIME AS created
      FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, BINARY TABLE_NAME`,
    [name],
  )
  const mark = rows.find((row) => row.name === unfinishedMark)
  const ofType = (...types: readonly string[]) =>
    rows.filter((row) => types.includes(row.type) && row !== mark)
  return {
    ...database,
    tables: ofType('BASE TABLE', 'SYSTEM VERSIONED').map(tableEntry),
    views: ofType('VIEW').map((row) => row.name),
    sequences: ofType('SEQUENCE').map((row) => row.name),
    routines: await readRoutines(session),
    triggers: (await names(session, 'TRIGGER')).length,
    events: await names(session, 'EVENT'),
    ...(mark === undefined ? {} : { unfinishedSince: mark.created ?? 'an unknown time' }),
  }
}

function tableEntry(row: TableRow): TableEntry {
  return {
    name: row.name,
    engine: row.engine ?? undefined,
    estimatedRows: Number(row.estimated ?? 0),
    bytes: Number(row.bytes ?? 0),
    versioned: row.type === 'SYSTEM VERSIONED',
  }
}

async function readRoutines(session: ServerSession): Promise<readonly RoutineEntry[]> {
  const rows = await session.query<{ name: string; type: RoutineEntry['type']; readable: number | string }>(
    `SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS type, ROUTINE_DEFINITION IS NOT NULL AS readable
      FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? ORDER BY ROUTINE_TYPE, ROUTINE_NAME`,
    [session.settings.name],
  )
  return rows.map(({ name, type, readable }) => ({ name, type, readable: Number(readable) === 1 }))
}

async function names(session: ServerSession, kind: 'TRIGGER' | 'EVENT'): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT ${kind}_NAME AS name FROM information_schema.${kind}S WHERE ${kind}_SCHEMA = ? ORDER BY name`,
    [session.settings.name],
  )
  return rows.map(({ name }) => name)
}

/** Every object of the user's. */
export function objectCount({ tables, views, sequences, routines, triggers, events }: Inventory): number {
  return tables.length + views.length + sequences.length + routines.length + triggers + events.length
}
