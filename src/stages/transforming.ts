import { Duplex } from 'node:stream'

/**
 * What a stage does to its input, as an async generator: it takes chunks as it needs them and yields chunks as they are
 * ready. It has to read the source to its end; an error it throws is the stream's error.
 */
export type Transformation = (source: AsyncIterable<Buffer>, signal: AbortSignal) => AsyncIterable<Buffer>

/**
 * A stream of bytes from a transformation. Chunks pass through whole, never joined or copied, with backpressure on both
 * sides. When the stream is destroyed the generator's `finally` blocks run and its signal aborts.
 *
 * `Duplex.from` with a generator is not used: in Node 20 it hangs when it is destroyed while the generator waits for input.
 */
export function transforming(transformation: Transformation): Duplex {
  return new TransformingDuplex(transformation)
}

/** Two of the usual chunks of 1 MiB: one is worked on while the next is on its way. */
const highWaterMark = 1024 * 1024

interface Waiting {
  resolve(result: IteratorResult<Buffer>): void
  reject(error: Error): void
}

class TransformingDuplex extends Duplex {
  readonly #output: AsyncIterator<Buffer>
  readonly #abort = new AbortController()
  /** A chunk that was written and not yet taken, with the writer's callback. */
  #given: { readonly chunk: Buffer; readonly taken: () => void } | undefined
  /** The transformation, where it waits for input. */
  #waiting: Waiting | undefined
  #inputEnded = false
  #outputEnded = false
  #wanted = false
  #pumping = false

  constructor(transformation: Transformation) {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark })
    const source = { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) }
    this.#output = transformation(source, this.#abort.signal)[Symbol.asyncIterator]()
  }

  #next(): Promise<IteratorResult<Buffer>> {
    const given = this.#given
    if (given !== undefined) {
      this.#given = undefined
      given.taken()
      return Promise.resolve({ value: given.chunk, done: false })
    }
    if (this.#inputEnded) return Promise.resolve({ value: undefined, done: true })
    if (this.destroyed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#outputEnded) return done()
    if (this.#waiting === undefined) {
      this.#given = { chunk, taken: done }
      return
    }
    this.#waiting.resolve({ value: chunk, done: false })
    this.#waiting = undefined
    done()
  }

  override _final(done: () => void): void {
    this.#inputEnded = true
    this.#waiting?.resolve({ value: undefined, done: true })
    this.#waiting = undefined
    done()
  }

  override _read(): void {
    this.#wanted = true
    if (!this.#pumping) void this.#pump()
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      while (this.#wanted && !this.#outputEnded) {
        const next = await this.#output.next()
        if (this.destroyed) return
        if (next.done === true) this.#endOutput()
        else if (next.value.length > 0) {
          this.#wanted = false
          // A reader that asks again within the push sets `wanted` by itself.
          if (this.push(next.value)) this.#wanted = true
        }
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#pumping = false
    }
  }

  #endOutput(): void {
    this.#outputEnded = true
    this.#given?.taken()
    this.#given = undefined
    this.push(null)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting?.reject(error ?? closed())
    this.#waiting = undefined
    this.#abort.abort(error ?? closed())
    // Not awaited: the transformation may be waiting for a person to type a passphrase.
    this.#output.return?.().catch(() => undefined)
    done(error)
  }
}

function closed(): Error {
  return new Error('the stream was closed before its end')
}
