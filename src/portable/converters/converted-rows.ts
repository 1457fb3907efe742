import { asWrapped, type Cell, type Row } from '../../engine/cell.js'
import { RowChunk } from '../../engine/row-chunk.js'
import type { ColumnHeader } from '../../engine/table-header.js'

const rowsAtOnce = 1000
/** A load asks where a row stands while it works on it, and it works on a few chunks at once. */
const rememberedRows = 64 * rowsAtOnce

/** Rows on their way into chunks, and where each of the last ones stands in its file. */
export class ConvertedRows {
  readonly #name: string
  readonly #lines = new Map<number, number>()
  #count = 0

  constructor(name: string) {
    this.#name = name
  }

  async *chunks(rows: AsyncIterable<{ readonly row: Row; readonly line: number }>): AsyncGenerator<RowChunk> {
    let waiting: Row[] = []
    for await (const { row, line } of rows) {
      this.#lines.set(this.#count, line)
      this.#lines.delete(this.#count - rememberedRows)
      this.#count += 1
      waiting.push(row)
      if (waiting.length < rowsAtOnce) continue
      yield RowChunk.ofRows(waiting)
      waiting = []
    }
    if (waiting.length > 0) yield RowChunk.ofRows(waiting)
  }

  /** `users.py:12` */
  place(index: number): string {
    const line = this.#lines.get(index)
    return line === undefined ? this.#name : `${this.#name}:${line}`
  }
}

/** The type of a column of which only the values are known: what they all are, else text. */
export class TypeGuess {
  readonly #seen = new Set<string>()

  add(cell: Cell): void {
    if (cell === null || this.#seen.size > 2) return
    this.#seen.add(typeOf(cell))
  }

  column(name: string): ColumnHeader {
    return { name, type: this.#type(), nullable: true, hasDefault: false }
  }

  #type(): string {
    const seen = [...this.#seen]
    const [only = 'text', ...others] = seen
    if (others.length === 0) return only
    return seen.every((type) => type === 'i64' || type === 'f64') ? 'f64' : 'text'
  }
}

function typeOf(cell: Cell): string {
  if (typeof cell === 'number') return Number.isInteger(cell) ? 'i64' : 'f64'
  if (typeof cell === 'boolean') return 'bool'
  if (typeof cell === 'string') return 'text'
  return asWrapped(cell)?.['~'] === 'bytes' ? 'bytes' : 'json'
}
