import { HoldfastError } from '../errors.js'

/** Takes exact numbers of bytes from a stream of chunks; without copying where they lie within one chunk. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>
  readonly #format: string
  #chunks: Buffer[] = []
  #buffered = 0
  #ended = false

  /** @param format what the data should be, for errors: `zstd` */
  constructor(source: AsyncIterable<Buffer>, format: string) {
    this.#source = source[Symbol.asyncIterator]()
    this.#format = format
  }

  async atEnd(): Promise<boolean> {
    await this.#fill(1)
    return this.#buffered === 0
  }

  /** The next `length` bytes. @throws integrity.truncated where there are fewer */
  async take(length: number): Promise<Buffer> {
    const taken = await this.takeUpTo(length)
    if (taken.length < length)
      throw new HoldfastError('integrity.truncated', `the ${this.#format} data end too early`)
    return taken
  }

  /** The next `length` bytes, or as many as there are before the end. */
  async takeUpTo(length: number): Promise<Buffer> {
    await this.#fill(length)
    const wanted = Math.min(length, this.#buffered)
    this.#buffered -= wanted
    const first = this.#chunks[0]
    if (first === undefined || wanted === 0) return Buffer.alloc(0)
    if (first.length > wanted) {
      this.#chunks[0] = first.subarray(wanted)
      return first.subarray(0, wanted)
    }
    const parts: Buffer[] = []
    let missing = wanted
    for (const chunk of this.#chunks) {
      if (missing === 0) break
      parts.push(chunk.subarray(0, missing))
      missing -= Math.min(chunk.length, missing)
    }
    const last = this.#chunks[parts.length - 1] as Buffer
    const lastTaken = (parts.at(-1) as Buffer).length
    this.#chunks.splice(0, parts.length, ...(lastTaken < last.length ? [last.subarray(lastTaken)] : []))
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** The next `length` bytes, or as many as there are, which the next call gives again. */
  async peek(length: number): Promise<Buffer> {
    const seen = await this.takeUpTo(length)
    if (seen.length > 0) {
      this.#chunks.unshift(seen)
      this.#buffered += seen.length
    }
    return seen
  }

  /** All that is left, in the chunks in which it came. */
  async *rest(): AsyncGenerator<Buffer> {
    while (!(await this.atEnd())) {
      const chunk = this.#chunks.shift() as Buffer
      this.#buffered -= chunk.length
      yield chunk
    }
  }

  async #fill(length: number): Promise<void> {
    while (this.#buffered < length && !this.#ended) {
      const next = await this.#source.next()
      if (next.done === true) this.#ended = true
      else if (next.value.length > 0) {
        this.#chunks.push(next.value)
        this.#buffered += next.value.length
      }
    }
  }
}
