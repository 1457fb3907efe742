import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { RowChunk } from '../../engine/row-chunk.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { columnNamed, type TableHeader } from '../../engine/table-header.js'
import { listNames, quoteName } from './quoting.js'
import { readTables } from './rows-catalog.js'
import { columnReader } from './rows-read.js'
import { cellWriter } from './rows-write.js'
import { ServerSession } from './session.js'

const chunkCharacters = 256 * 1024

export async function openSource(cx: Context, settings: ConnectionSettings): Promise<RowSource> {
  const session = await ServerSession.open(cx, settings)
  try {
    // Between two tables, and beside another dump, nothing may be asked for a long time.
    await session.query('SET SESSION wait_timeout = 604800')
    await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')
    const tables = await readTables(session)
    const loose = tables.filter(({ transactional }) => !transactional).map(({ header }) => header.table.name)
    return {
      tables: () => Promise.resolve(tables.map(({ header }) => header)),
      warnings:
        loose.length === 0
          ? []
          : [`not part of the snapshot, since the storage engine has no transactions: ${listNames(loose)}`],
      rows: (table, query) => readRows(session, table, query),
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

export async function* readRows(
  session: ServerSession,
  header: TableHeader,
  query: RowQuery = {},
): AsyncGenerator<RowChunk> {
  const columns =
    query.columns === undefined ? header.columns : query.columns.map((name) => columnNamed(header, name))
  const readers = columns.map(columnReader)
  const rows = session.stream(
    selectSql(
      header,
      readers.map(({ expression }) => expression),
      query,
    ),
    readers.length,
    (field, place) => {
      const reader = readers[place]
      const value = reader?.binary === true ? field.buffer() : field.string('utf8')
      return value === null ? 'null' : (reader?.cell(value) ?? 'null')
    },
  )
  let [text, count] = ['', 0]
  for await (const row of rows) {
    text += `[${row.join(',')}]\n`
    count += 1
    if (text.length < chunkCharacters) continue
    yield RowChunk.ofLines(text, count)
    ;[text, count] = ['', 0]
  }
  if (count > 0) yield RowChunk.ofLines(text, count)
}

function selectSql(header: TableHeader, expressions: readonly string[], query: RowQuery): string {
  const key = primaryKeyOf(header)
  const conditions = [
    ...(query.where === undefined ? [] : [`(${query.where})`]),
    ...(query.in === undefined ? [] : [inCondition(header, query.in)]),
  ]
  return [
    `SELECT ${expressions.join(', ')} FROM ${quoteName(header.table.name)}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(key.length === 0 || query.anyOrder === true ? [] : [`ORDER BY ${key.map(quoteName).join(', ')}`]),
    ...(query.limit === undefined ? [] : [`LIMIT ${query.limit}`]),
  ].join(' ')
}

function inCondition(header: TableHeader, { columns, values }: NonNullable<RowQuery['in']>): string {
  if (values.length === 0) return 'FALSE'
  const writers = columns.map((name) => cellWriter(columnNamed(header, name)))
  const tuple = (row: Row) =>
    `(${row.map((cell, index) => (cell === null ? 'NULL' : writers[index]?.(cell))).join(', ')})`
  return `(${columns.map(quoteName).join(', ')}) IN (${values.map(tuple).join(', ')})`
}
