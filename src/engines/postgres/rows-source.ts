import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { RowChunk } from '../../engine/row-chunk.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { columnNamed, tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { databaseFailure } from './failures.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { columnList, readTables, type OwnTable } from './rows-catalog.js'
import { cellReader, unescaped } from './rows-read.js'
import { cellWriter } from './rows-write.js'
import { openSession, type PostgresSession } from './session.js'

const lineFeed = 10

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
  const session = await openSession(cx, settings)
  try {
    await session.rows(
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${rowSettings}; SET LOCAL client_encoding = 'UTF8'`,
    )
    const tables = await readTables(session)
    return sourceOf(cx, session, tables)
  } catch (error) {
    await session.close()
    throw error
  }
}

function sourceOf(cx: Context, session: PostgresSession, tables: readonly OwnTable[]): RowSource {
  const byName = new Map(tables.map((table) => [tableText(table.header.table), table]))
  return {
    tables: () => Promise.resolve(tables.map(({ header }) => header)),
    warnings: [],
    rows(header, query = {}) {
      const table = byName.get(tableText(header.table))
      if (table === undefined) throw new TypeError(`${tableText(header.table)} is no table of this snapshot`)
      if (!table.readable)
        throw new HoldfastError(
          'database.denied',
          `${session.connection.user} may not read ${tableText(header.table)}`,
        )
      return readRows(cx, session, table, query)
    },
    close: () => session.close(),
  }
}

/** @param table as `readTables` found it, in the session's transaction */
export async function* readRows(
  cx: Context,
  session: PostgresSession,
  { header, partitioned }: OwnTable,
  query: RowQuery,
): AsyncGenerator<RowChunk> {
  const columns =
    query.columns === undefined ? header.columns : query.columns.map((name) => columnNamed(header, name))
  const stream = await session.copyOut(`COPY (${selectSql(header, columns, query, partitioned)}) TO STDOUT`)
  const toLines = lineMaker(columns)
  let rest: Buffer | undefined
  try {
    for await (const piece of stream) {
      cx.signal.throwIfAborted()
      const data = rest === undefined ? (piece as Buffer) : Buffer.concat([rest, piece as Buffer])
      const end = data.lastIndexOf(lineFeed)
      rest = end + 1 === data.length ? undefined : Buffer.from(data.subarray(end + 1))
      if (end >= 0) yield toLines(data.toString('utf8', 0, end))
    }
  } catch (error) {
    throw error instanceof HoldfastError || cx.signal.aborted
      ? error
      : databaseFailure(error, session.connection)
  }
}

function lineMaker(columns: readonly ColumnHeader[]): (copied: string) => RowChunk {
  const readers = columns.map(cellReader)
  return (copied) => {
    const lines = copied.split('\n')
    let text = ''
    for (const line of lines) {
      const fields = line.split('\t')
      text += '['
      for (let index = 0; index < readers.length; index++) {
        const field = fields[index] as string
        const cell = field === '\\N' ? 'null' : (readers[index] as (text: string) => string)(field)
        text += index === 0 ? cell : `,${cell}`
      }
      text += ']\n'
    }
    return RowChunk.ofLines(text, lines.length)
  }
}

function selectSql(
  header: TableHeader,
  columns: readonly ColumnHeader[],
  query: RowQuery,
  partitioned: boolean,
): string {
  const { schema = 'public', name } = header.table
  const key = primaryKeyOf(header)
  const conditions = [
    ...(query.where === undefined ? [] : [`(${query.where})`]),
    ...(query.in === undefined ? [] : [inCondition(header, query.in)]),
  ]
  return [
    `SELECT ${columns.map((column) => identifier(column.name)).join(', ')} FROM ${partitioned ? '' : 'ONLY '}${qualifiedName(schema, name)}`,
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
