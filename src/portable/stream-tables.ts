import { releaseChunk } from '../streams/chunk-pool.js'
import type { RowChunk } from '../engine/row-chunk.js'
import type { TableHeader } from '../engine/table-header.js'
import type { DecodedItem, StreamHead, TableFooter } from './codec.js'
import { piecesAtOnce } from './portable-checker.js'
import { tableDecoder, type DecodeOptions } from './table-decoder.js'
import type { SourceTable } from './table-source.js'

interface ReadingState {
  open: boolean
  footer?: TableFooter | undefined
}

/** The tables of a stream, one after another; a table that is not read to its end is read to its end all the same. */
export class StreamTables {
  readonly #items: AsyncGenerator<DecodedItem>
  readonly #name: string
  readonly #acceptEdits: boolean
  #held: DecodedItem | undefined

  constructor(bytes: AsyncIterable<unknown>, options: DecodeOptions) {
    this.#items = itemsOf(bytes, options)
    this.#name = options.name
    this.#acceptEdits = options.acceptEdits
  }

  /** What stands before the first table of a dump that is one stream. */
  async head(): Promise<StreamHead | undefined> {
    const item = await this.#next()
    if (item?.kind === 'head') return item.head
    this.#held = item
    return undefined
  }

  /** The header of the next table, which stays the next. */
  async peek(): Promise<TableHeader | undefined> {
    this.#held ??= await this.#next()
    return this.#held?.kind === 'header' ? this.#held.header : undefined
  }

  async *tables(): AsyncGenerator<SourceTable> {
    try {
      for (let item = await this.#next(); item !== undefined; item = await this.#next()) {
        if (item.kind !== 'header') continue
        const state: ReadingState = { open: true }
        const rows = this.#rows(state)
        const first = item.line + 1
        yield {
          header: item.header,
          rows,
          ...(this.#acceptEdits
            ? {}
            : {
                sum64: () => state.footer?.sum64,
                lines: { begun: item.begun, sha256: () => state.footer?.sha256 },
              }),
          place: (index) => `${this.#name}:${first + index}`,
        }
        while (state.open && (await rows.next()).done !== true);
      }
    } finally {
      // Who stops before the end leaves no file open.
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#items.return(undefined)
  }

  async *#rows(state: ReadingState): AsyncGenerator<RowChunk> {
    let item = await this.#next()
    for (; item !== undefined && item.kind !== 'footer'; item = await this.#next())
      if (item.kind === 'rows') yield item.chunk
    state.footer = item?.footer
    state.open = false
  }

  async #next(): Promise<DecodedItem | undefined> {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) return held
    const next = await this.#items.next()
    return next.done === true ? undefined : next.value
  }
}

async function* itemsOf(bytes: AsyncIterable<unknown>, options: DecodeOptions): AsyncGenerator<DecodedItem> {
  const decoder = tableDecoder(options)
  for await (const chunk of bytes) {
    const whole = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer)
    for (let at = 0; at < whole.length; at += piecesAtOnce)
      yield* decoder.push(whole.subarray(at, at + piecesAtOnce))
    releaseChunk(whole)
  }
  decoder.end()
}
