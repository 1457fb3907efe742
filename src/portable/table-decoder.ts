import { isUtf8 } from 'node:buffer'
import { createHash, type Hash } from 'node:crypto'
import { z } from 'zod'
import type { Row } from '../engine/cell.js'
import { RowChunk } from '../engine/row-chunk.js'
import { WholeLines } from '../streams/whole-lines.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import { HoldfastError } from '../errors.js'
import type { DecodedItem, TableDecoder, TableFooter } from './codec.js'
import { inexactInteger } from './exact-numbers.js'
import { parseHeader } from './header-line.js'
import { parsePortableManifest } from './portable-manifest.js'

const rowsAtOnce = 2000

const footerShape = z.object({
  end: z.string(),
  rows: z.int().nonnegative(),
  sum64: z.string().regex(/^[0-9a-f]{16}$/u),
  sha256: z.string().regex(/^[0-9a-f]{64}$/u),
})

export interface DecodeOptions {
  /** For messages: the file's name. */
  readonly name: string
  /** Take rows that differ from the footer: somebody has edited them on purpose. */
  readonly acceptEdits: boolean
}

/** Reads one table after another, whatever pieces the bytes come in. */
export function tableDecoder(options: DecodeOptions): TableDecoder {
  return new Decoder(options)
}

interface OpenTable {
  readonly header: TableHeader
  readonly sha256: Hash
  rows: number
}

class Decoder implements TableDecoder {
  readonly #options: DecodeOptions
  readonly #whole = new WholeLines()
  #line = 0
  #table: OpenTable | undefined
  #tables = 0
  /** A dump that is one stream has a line at its end, too. */
  #open = false

  constructor(options: DecodeOptions) {
    this.#options = options
  }

  push(bytes: Buffer): readonly DecodedItem[] {
    const whole = this.#whole.add(bytes)
    return whole.length === 0 ? [] : this.#lines(whole)
  }

  end(): void {
    if (this.#whole.isUnfinished) throw this.#truncated('the last line has no end')
    if (this.#table !== undefined)
      throw this.#truncated(`the footer of ${tableText(this.#table.header.table)} is missing`)
    if (this.#open) throw this.#truncated('the end of the dump is missing')
    if (this.#tables === 0 && this.#line === 0) throw this.#truncated('there is no table')
  }

  #lines(whole: Buffer): DecodedItem[] {
    if (!isUtf8(whole)) throw this.#format(this.#line + 1, 'the lines from here on are not UTF-8')
    const items: DecodedItem[] = []
    let rows: Row[] = []
    const flush = () => {
      if (rows.length > 0)
        items.push({ kind: 'rows', chunk: RowChunk.ofRows(rows), line: this.#line - rows.length + 1 })
      rows = []
    }
    const lines = whole.toString('utf8').slice(0, -1).split('\n')
    // Nearly always there is nothing but rows, whose bytes are digested at once.
    const onlyRows = this.#table !== undefined && lines.every((line) => line.startsWith('['))
    if (onlyRows) this.#table?.sha256.update(whole)
    for (const text of lines) {
      if (text.startsWith('[')) {
        this.#line += 1
        if (!onlyRows) this.#table?.sha256.update(`${text}\n`)
        rows.push(this.#row(text))
        if (rows.length === rowsAtOnce) flush()
        continue
      }
      flush()
      this.#line += 1
      const item = this.#frame(text)
      if (item !== 'end') items.push(item)
    }
    flush()
    return items
  }

  #row(text: string): Row {
    const table = this.#table
    if (table === undefined) throw this.#format(this.#line, 'a row stands outside of a table')
    const row = this.#json(text) as Row
    const inexact = inexactInteger(text, row)
    if (inexact !== undefined)
      throw this.#format(this.#line, `${inexact} is too large for a number: write it in quotes`)
    const { columns } = table.header
    if (row.length !== columns.length)
      throw this.#format(this.#line, `${row.length} cells instead of ${columns.length}`)
    table.rows += 1
    return row
  }

  /** A header or a footer. */
  #frame(text: string): DecodedItem | 'end' {
    const value = this.#json(text)
    const table = this.#table
    if (table === undefined) {
      const whole = this.#wholeDump(value)
      if (whole !== undefined) return whole
      const header = parseHeader(value, this.#place())
      const begun = () => createHash('sha256').update(`${text}\n`)
      this.#table = { header, sha256: begun(), rows: 0 }
      return { kind: 'header', header, line: this.#line, begun }
    }
    const footer = footerShape.safeParse(value)
    if (!footer.success) throw this.#format(this.#line, 'neither a row nor the footer of a table')
    this.#table = undefined
    this.#tables += 1
    this.#compare(table, footer.data)
    return { kind: 'footer', footer: footer.data, line: this.#line }
  }

  /** The first or last line of a dump that is one stream. */
  #wholeDump(value: unknown): DecodedItem | 'end' | undefined {
    const { dump, headers, end, tables } = (value ?? {}) as Readonly<Record<string, unknown>>
    if (dump !== undefined && this.#line === 1) {
      const manifest = parsePortableManifest(dump, this.#place())
      const list = Array.isArray(headers) ? (headers as readonly unknown[]) : []
      this.#open = true
      return {
        kind: 'head',
        head: { manifest, headers: list.map((each) => parseHeader(each, this.#place())) },
        line: 1,
      }
    }
    if (!this.#open || end !== 'dump') return undefined
    if (tables !== this.#tables && !this.#options.acceptEdits)
      throw this.#truncated(`there are ${this.#tables} tables instead of ${String(tables)}`)
    this.#open = false
    return 'end'
  }

  #compare({ header, sha256, rows }: OpenTable, footer: TableFooter & { readonly end: string }): void {
    const name = tableText(header.table)
    if (this.#options.acceptEdits) return
    // The digest of the bytes says more than that of the rows, which is for comparisons with databases.
    if (footer.rows === rows && footer.sha256 === sha256.digest('hex') && footer.end === name) return
    const what =
      footer.rows === rows
        ? 'its lines differ from what was written'
        : `it has ${rows} rows, and its footer says ${footer.rows}`
    throw new HoldfastError(
      'integrity.checksum',
      `${this.#options.name}: ${name} was edited or damaged: ${what}`,
      {
        hint: 'if you have edited it, pass --accept-edits, or make it valid again with holdfast reseal',
      },
    )
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw this.#format(this.#line, `not JSON: ${(error as Error).message}`, error)
    }
  }

  #place(line = this.#line): string {
    return `${this.#options.name}:${line}`
  }

  #format(line: number, what: string, cause?: unknown): HoldfastError {
    return new HoldfastError('integrity.format', `${this.#place(line)}: ${what}`, { cause })
  }

  #truncated(what: string): HoldfastError {
    return new HoldfastError(
      'integrity.truncated',
      `${this.#place(this.#line + 1)}: the file is cut: ${what}`,
    )
  }
}
