import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { RowChunk } from '../../engine/row-chunk.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { columnNamed, tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { ChunkPool, releaseChunk } from '../../streams/chunk-pool.js'
import { WholeLines } from '../../streams/whole-lines.js'
import { resolveConnection } from './connection.js'
import { exportSnapshot } from './dump-proof.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { columnList, readTables, type OwnTable } from './rows-catalog.js'
import { lineMaker } from './rows-lines.js'
import { unescaped } from './rows-read.js'
import { cellWriter } from './rows-write.js'
import { connectForCopy, lockWaitMs, type PostgresSession } from './session.js'

/** What is made of more at a time outlives the garbage collector's first looks at it, which cost a fifth of the time. */
const rowBytesAtOnce = 64 * 1024

/** Every form in which a value comes as text, for this transaction. Hidden rows are an error, not a silence. */
export const rowSettings = `
  SET LOCAL search_path = '';
  SET LOCAL statement_timeout = 0;
  SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL row_security = off;
  SET LOCAL DateStyle = ISO;
  SET LOCAL IntervalStyle = iso_8601;
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL extra_float_digits = 3;
  SET LOCAL bytea_output = hex`

export async function openSource(cx: Context, settings: ConnectionSettings): Promise<RowSource> {
  return (await openSharedSource(cx, settings)).source
}

/** @param snapshot that another transaction has exported. Default: one of its own, which others may share as long as it is open */
export async function openSharedSource(
  cx: Context,
  settings: ConnectionSettings,
  snapshot?: string,
): Promise<{ readonly source: RowSource; readonly share: () => Promise<string> }> {
  const session = await connectForCopy(cx, await resolveConnection(cx.env, settings))
  try {
    await session.rows(
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
       ${snapshot === undefined ? '' : `SET TRANSACTION SNAPSHOT ${literal(snapshot)};`}
       ${rowSettings}; SET LOCAL lock_timeout = '${lockWaitMs}ms'; SET LOCAL client_encoding = 'UTF8'`,
    )
    const tables = await readTables(session)
    return { source: sourceOf(cx, session, tables), share: () => exportSnapshot(session) }
  } catch (error) {
    await session.close()
    throw error
  }
}

function sourceOf(cx: Context, session: PostgresSession, tables: readonly OwnTable[]): RowSource {
  const byName = new Map(tables.map((table) => [tableText(table.header.table), table]))
  const readable = (header: TableHeader): OwnTable => {
    const table = byName.get(tableText(header.table))
    if (table === undefined) throw new TypeError(`${tableText(header.table)} is no table of this snapshot`)
    if (table.readable) return table
    throw new HoldfastError(
      'database.denied',
      `${session.connection.user} may not read ${tableText(header.table)}`,
    )
  }
  return {
    tables: () => Promise.resolve(tables.map(({ header }) => header)),
    warnings: [],
    rows: (header, query = {}) => readRows(cx, session, readable(header), query),
    // What rewrites a table, such as TRUNCATE, makes it empty for a snapshot that is older.
    async hold(headers) {
      if (headers.length === 0) return
      const names = headers.map(readable).map(fromClause)
      await session.rows(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`)
    },
    close: () => session.close(),
  }
}

/** A partitioned table's rows are in its partitions; another's are its own alone. */
function fromClause({ header: { table }, partitioned }: OwnTable): string {
  const { schema = 'public', name } = table
  return `${partitioned ? '' : 'ONLY '}${qualifiedName(schema, name)}`
}

/** @param table as `readTables` found it, in the session's transaction */
export async function* readRows(
  cx: Context,
  session: PostgresSession,
  table: OwnTable,
  query: RowQuery,
): AsyncGenerator<RowChunk> {
  const { header } = table
  const columns =
    query.columns === undefined ? header.columns : query.columns.map((name) => columnNamed(header, name))
  const pieces = session.copyOutInChunks(
    `COPY ${copied(table, columns, query)} TO STDOUT`,
    new ChunkPool(rowBytesAtOnce),
  )
  const toLines = lineMaker(columns)
  const whole = new WholeLines()
  for await (const piece of pieces) {
    cx.signal.throwIfAborted()
    const text = whole.add(piece as Buffer).toString()
    releaseChunk(piece as Buffer)
    if (text !== '') yield toLines(text)
  }
}

/** A table that is read as it lies is named itself: the server does that a tenth faster than a query of the same rows. */
function copied(table: OwnTable, columns: readonly ColumnHeader[], query: RowQuery): string {
  const { where, in: within, limit, anyOrder } = query
  const asItLies = anyOrder === true || primaryKeyOf(table.header).length === 0
  const all = where === undefined && within === undefined && limit === undefined
  if (table.partitioned || !asItLies || !all || columns.length === 0)
    return `(${selectSql(table, columns, query)})`
  const { schema = 'public', name } = table.header.table
  return `${qualifiedName(schema, name)} (${columnList(columns.map((column) => column.name))})`
}

function selectSql(table: OwnTable, columns: readonly ColumnHeader[], query: RowQuery): string {
  const { header } = table
  const key = primaryKeyOf(header)
  const conditions = [
    ...(query.where === undefined ? [] : [`(${query.where})`]),
    ...(query.in === undefined ? [] : [inCondition(header, query.in)]),
  ]
  return [
    `SELECT ${columns.map((column) => identifier(column.name)).join(', ')} FROM ${fromClause(table)}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(key.length === 0 || query.anyOrder === true ? [] : [`ORDER BY ${columnList(key)}`]),
    ...(query.limit === undefined ? [] : [`LIMIT ${query.limit}`]),
  ].join(' ')
}

function inCondition(header: TableHeader, { columns, values }: NonNullable<RowQuery['in']>): string {
  const wanted = columns.map((name) => columnNamed(header, name))
  const writers = wanted.map(cellWriter)
  const tuple = (row: Row) =>
    `(${row
      .map((cell, index) =>
        cell === null
          ? 'NULL'
          : `${literal(unescaped(writers[index]?.(cell) ?? ''))}::${wanted[index]?.db ?? 'text'}`,
      )
      .join(', ')})`
  return values.length === 0 ? 'false' : `(${columnList(columns)}) IN (${values.map(tuple).join(', ')})`
}
