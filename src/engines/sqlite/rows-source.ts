import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { RowChunk } from '../../engine/row-chunk.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { columnNamed, type TableHeader } from '../../engine/table-header.js'
import type { ReleaseAnswer } from './program/protocol.js'
import { quoteName, quoteText } from './quoting.js'
import { RowsTalk } from './rows-talk.js'
import { cellWriter } from './rows-write.js'
import { requireFile } from './session.js'

export async function openSource(cx: Context, settings: ConnectionSettings): Promise<RowSource> {
  await requireFile(settings.name)
  return sourceOf(new RowsTalk(cx, 'rows-out', { path: settings.name }))
}

/**
 * The same, with writers held up for a while: whoever begins to read before `release` reads the same state.
 * @returns `release`, which says whether nobody has written
 */
export async function openStillSource(
  cx: Context,
  settings: ConnectionSettings,
): Promise<{ readonly source: RowSource; readonly release: () => Promise<boolean> }> {
  await requireFile(settings.name)
  const talk = new RowsTalk(cx, 'rows-out', { path: settings.name, still: true })
  const source = await sourceOf(talk)
  return { source, release: async () => (await talk.ask<ReleaseAnswer>({ do: 'release' })).still }
}

async function sourceOf(talk: RowsTalk): Promise<RowSource> {
  try {
    const { tables, warnings } = await talk.ask<{ tables: TableHeader[]; warnings: string[] }>({
      do: 'tables',
    })
    return {
      tables: () => Promise.resolve(tables),
      warnings,
      rows: (table, query) => readRows(talk, table, query),
      close: () => talk.close(),
    }
  } catch (error) {
    await talk.close()
    throw error
  }
}

export async function* readRows(
  talk: RowsTalk,
  header: TableHeader,
  query: RowQuery = {},
): AsyncGenerator<RowChunk> {
  const columns =
    query.columns === undefined ? header.columns : query.columns.map((name) => columnNamed(header, name))
  await talk.send({ do: 'read', table: header.table.name, columns, rest: selection(header, query) })
  let ended = false
  try {
    for (;;) {
      const { head, body } = await talk.receive<{ readonly rows: number }>()
      if (head.rows === 0) {
        ended = true
        return
      }
      yield RowChunk.ofLines(body.toString('utf8'), head.rows)
    }
  } finally {
    // Whoever stops early leaves answers behind that are not for the next question.
    while (!ended) {
      const rest = await talk.receive<{ readonly rows: number }>().catch(() => undefined)
      ended = rest === undefined || rest.head.rows === 0
    }
  }
}

function selection(header: TableHeader, query: RowQuery): string {
  const key = primaryKeyOf(header)
  const conditions = [
    ...(query.where === undefined ? [] : [`(${query.where})`]),
    ...(query.in === undefined ? [] : [inCondition(header, query.in)]),
  ]
  return [
    ...(conditions.length === 0 ? [] : [` WHERE ${conditions.join(' AND ')}`]),
    ...(key.length === 0 || query.anyOrder === true ? [] : [` ORDER BY ${key.map(quoteName).join(',')}`]),
    ...(query.limit === undefined ? [] : [` LIMIT ${query.limit}`]),
  ].join('')
}

function inCondition(header: TableHeader, { columns, values }: NonNullable<RowQuery['in']>): string {
  if (values.length === 0) return '0'
  const writers = columns.map((name) => cellWriter(columnNamed(header, name)))
  const tuple = (row: Row) =>
    `(${row.map((cell, index) => (cell === null ? 'NULL' : literal(writers[index]?.(cell)))).join(',')})`
  return `(${columns.map(quoteName).join(',')}) IN (VALUES ${values.map(tuple).join(',')})`
}

function literal(bound: unknown): string {
  if (typeof bound === 'number') return String(bound)
  if (typeof bound === 'string') return quoteText(bound)
  const named = bound as Readonly<Record<string, string>>
  if (named['i'] !== undefined) return named['i']
  if (named['r'] !== undefined) return `CAST(${quoteText(named['r'])} AS REAL)`
  const hex = `x'${Buffer.from(named['t'] ?? named['b'] ?? '', 'base64').toString('hex')}'`
  return named['t'] === undefined ? hex : `CAST(${hex} AS TEXT)`
}
