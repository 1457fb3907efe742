import { asWrapped, type Cell, type Row } from '../engine/cell.js'
import { primaryKeyOf } from '../engine/row-key.js'
import type { RowChunk } from '../engine/row-chunk.js'
import type { TableHeader } from '../engine/table-header.js'
import type { RowDifference, TableRows } from './diff-reports.js'

/** Of rows that one side has and the other has not shown yet, so many are kept in memory. */
const mostWaiting = 500_000

/** One of two states of a table. */
export interface TableSide {
  readonly header: TableHeader
  readonly rows: () => AsyncIterable<RowChunk>
}

type Side = 'from' | 'to'

/** Where a column stands in the rows of each side. */
type ComparedColumn = Readonly<Record<Side, number>> & { readonly name: string; readonly document: boolean }

/**
 * Compares the rows of a table by its primary key, in whatever order they come. Rows in about the same order need little memory: only those wait whose
 * counterpart has not come yet.
 * @param limit of each kind of difference so many rows are named
 */
export async function compareRowsByKey(
  table: string,
  from: TableSide,
  to: TableSide,
  limit: number,
): Promise<TableRows> {
  const key = primaryKeyOf(from.header)
  if (key.length === 0 || key.join('\0') !== primaryKeyOf(to.header).join('\0'))
    return unnamed(table, 'it has no primary key that both sides share')
  const matcher = new RowMatcher(key, from.header, to.header, limit)
  const readers = { from: from.rows()[Symbol.asyncIterator](), to: to.rows()[Symbol.asyncIterator]() }
  const open = new Set<Side>(['from', 'to'])
  try {
    while (open.size > 0) {
      const side = matcher.next(open)
      const read = await readers[side].next()
      if (read.done === true) open.delete(side)
      else for (const row of read.value.rows) matcher.push(side, row)
      if (matcher.waiting > mostWaiting)
        return unnamed(table, `more than ${mostWaiting} rows differ, or come in another order`)
    }
  } finally {
    await Promise.all([readers.from.return?.(), readers.to.return?.()])
  }
  return { table, key, ...matcher.result() }
}

function unnamed(table: string, why: string): TableRows {
  return { table, key: [], added: 0, removed: 0, changed: 0, rows: [], unnamed: why }
}

class RowMatcher {
  readonly #limit: number
  /** Where the cells of the key stand, by side. */
  readonly #key: Readonly<Record<Side, readonly number[]>>
  /** Columns that both have. */
  readonly #columns: readonly ComparedColumn[]
  readonly #waiting: Readonly<Record<Side, Map<string, Row>>> = { from: new Map(), to: new Map() }
  readonly #changed: RowDifference[] = []
  #changes = 0

  constructor(key: readonly string[], from: TableHeader, to: TableHeader, limit: number) {
    const place = (header: TableHeader, name: string) =>
      header.columns.findIndex((column) => column.name === name)
    this.#limit = limit
    this.#key = { from: key.map((name) => place(from, name)), to: key.map((name) => place(to, name)) }
    this.#columns = from.columns
      .map(({ name, type }) => ({
        name,
        document: type === 'document',
        from: place(from, name),
        to: place(to, name),
      }))
      .filter((column) => column.to >= 0)
  }

  get waiting(): number {
    return this.#waiting.from.size + this.#waiting.to.size
  }

  /** The side to read on: that which lags behind. */
  next(open: ReadonlySet<Side>): Side {
    if (!open.has('to')) return 'from'
    if (!open.has('from')) return 'to'
    return this.#waiting.from.size <= this.#waiting.to.size ? 'from' : 'to'
  }

  push(side: Side, row: Row): void {
    const key = JSON.stringify(this.#key[side].map((index) => row[index]))
    const others = this.#waiting[side === 'from' ? 'to' : 'from']
    const other = others.get(key)
    if (other === undefined) {
      this.#waiting[side].set(key, row)
      return
    }
    others.delete(key)
    if (side === 'from') this.#compare(key, row, other)
    else this.#compare(key, other, row)
  }

  result(): Pick<TableRows, 'added' | 'removed' | 'changed' | 'rows'> {
    const named = (what: 'added' | 'removed', rows: ReadonlyMap<string, Row>) =>
      [...rows.keys()].slice(0, this.#limit).map((key) => ({ what, key: JSON.parse(key) as Cell[] }))
    const { from, to } = this.#waiting
    return {
      added: to.size,
      removed: from.size,
      changed: this.#changes,
      rows: [...this.#changed, ...named('removed', from), ...named('added', to)],
    }
  }

  #compare(key: string, from: Row, to: Row): void {
    const differing = this.#columns
      .map((column) => ({ column, before: from[column.from] ?? null, after: to[column.to] ?? null }))
      .filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after))
    if (differing.length === 0) return
    this.#changes += 1
    if (this.#changed.length >= this.#limit) return
    const columns = differing.flatMap(
      ({ column: { name, document }, before, after }) =>
        (document ? differingFields(before, after) : undefined) ?? [{ name, from: before, to: after }],
    )
    this.#changed.push({ what: 'changed', key: JSON.parse(key) as Cell[], columns })
  }
}

/** Of two documents; none where the same fields stand in another order. @returns absent where one is not JSON */
function differingFields(before: Cell, after: Cell): RowDifference['columns'] {
  const [from, to] = [fieldsOf(before), fieldsOf(after)]
  if (from === undefined || to === undefined) return undefined
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name) => {
    const [old, now] = [from, to].map((fields) => (Object.hasOwn(fields, name) ? fields[name] : undefined))
    if (JSON.stringify(old) === JSON.stringify(now)) return []
    return [{ name, ...(old === undefined ? {} : { from: old }), ...(now === undefined ? {} : { to: now }) }]
  })
}

type Fields = Readonly<Record<string, Cell>>

/** A document whose keys would not keep their order as JSON is a text of it; one that JSON cannot say is bytes. */
function fieldsOf(cell: Cell): Fields | undefined {
  const other = asWrapped(cell)
  if (other === undefined) return typeof cell === 'object' && cell !== null ? (cell as Fields) : undefined
  return other['~'] === 'jsontext' && typeof other.v === 'string'
    ? (JSON.parse(other.v) as Fields)
    : undefined
}
