import type { Hash } from 'node:crypto'
import { releaseChunk, type ChunkPool } from './chunk-pool.js'

/** What a chunk may lack to be full: a character's bytes stay together. */
export const characterBytes = 3

/** Text as UTF-8, in chunks of a pool that are full but for `characterBytes` at most, the last excepted. */
export class TextChunks {
  readonly #encoder = new TextEncoder()
  readonly #pool: ChunkPool
  #chunk: Buffer
  #filled = 0
  #bytes = 0

  constructor(pool: ChunkPool) {
    this.#pool = pool
    this.#chunk = pool.take()
  }

  /** How many bytes the texts have had so far. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds a text.
   * @param digest takes its bytes as well
   * @returns the chunks that are full by it
   */
  *add(text: string, digest?: Hash): Generator<Buffer> {
    for (let rest = text; ;) {
      const room = this.#chunk.subarray(this.#filled)
      const { read, written } = this.#encoder.encodeInto(rest, room)
      digest?.update(room.subarray(0, written))
      this.#filled += written
      this.#bytes += written
      if (read === rest.length) return
      rest = rest.slice(read)
      yield this.#pool.beginning(this.#chunk, this.#filled)
      this.#chunk = this.#pool.take()
      this.#filled = 0
    }
  }

  /** The last chunk, where there is something in it. */
  *rest(): Generator<Buffer> {
    if (this.#filled > 0) yield this.#pool.beginning(this.#chunk, this.#filled)
    else releaseChunk(this.#chunk)
  }
}

/** The same of texts that come one by one. */
export async function* textChunks(texts: AsyncIterable<string>, pool: ChunkPool): AsyncGenerator<Buffer> {
  const chunks = new TextChunks(pool)
  for await (const text of texts) yield* chunks.add(text)
  yield* chunks.rest()
}
