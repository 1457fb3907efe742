import type { Row } from './cell.js'

/**
 * Some rows on their way from a source to a sink, as cells or as canonical lines, whichever its maker had. The other form is
 * made when it is asked for, so rows that nobody looks into are never taken apart.
 */
export class RowChunk {
  readonly count: number
  #rows: readonly Row[] | undefined
  #lines: string | undefined

  private constructor(count: number, rows: readonly Row[] | undefined, lines: string | undefined) {
    this.count = count
    this.#rows = rows
    this.#lines = lines
  }

  static ofRows(rows: readonly Row[]): RowChunk {
    return new RowChunk(rows.length, rows, undefined)
  }

  /** @param lines canonical rows, each ended by `\n` */
  static ofLines(lines: string, count: number): RowChunk {
    return new RowChunk(count, undefined, lines)
  }

  get rows(): readonly Row[] {
    // Line by line is faster than one array of them all.
    return (this.#rows ??= splitLines(this.#lines ?? '').map((line) => JSON.parse(line) as Row))
  }

  /** Each row as JSON without blanks, ended by `\n`. */
  get lines(): string {
    return (this.#lines ??= (this.#rows ?? []).map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
}

function splitLines(lines: string): readonly string[] {
  return lines === '' ? [] : lines.slice(0, -1).split('\n')
}
