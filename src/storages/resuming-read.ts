import { addAbortSignal, finished, Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { Retry } from './retry.js'

/** The answer to a request for the bytes of an object from one of them on. */
export interface OpenedRead {
  readonly body: Readable
  /** Where the bytes end that were asked for: the offset behind the last. */
  readonly end: number
  /** Tells this object from another of the same key: an entity tag, a generation. */
  readonly version?: string | undefined
}

export interface ResumingRead {
  readonly retry: Retry
  /** For errors and notices: `cannot read shop/app.dump in s3 backups`. */
  readonly doing: string
  readonly start: number
  /**
   * Asks for the bytes from `start` on.
   * @param version of the object that was read so far: of another nothing may be given
   * @throws storage.* also for an object that is another one now
   */
  open(start: number, version: string | undefined): Promise<OpenedRead>
  /** What an error of a body means. */
  failure(thrown: unknown): HoldfastError
}

/**
 * The bytes of a remote object. Where the connection breaks, they go on from where they were, as long as the object is the same;
 * where they end before they should, that is an error.
 */
export async function resumingRead(cx: Context, read: ResumingRead): Promise<Readable> {
  const first = await read.retry.run(cx, read.doing, () => read.open(read.start, undefined))
  return addAbortSignal(cx.signal, new ResumingBody(cx, read, first))
}

class ResumingBody extends Readable {
  readonly #cx: Context
  readonly #read: ResumingRead
  readonly #end: number
  readonly #version: string | undefined
  #body: Readable | undefined
  #position: number

  constructor(cx: Context, read: ResumingRead, first: OpenedRead) {
    super()
    this.#cx = cx
    this.#read = read
    this.#end = first.end
    this.#version = first.version
    this.#position = read.start
    this.#take(first.body)
  }

  override _read(): void {
    this.#body?.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const body = this.#body
    this.#body = undefined
    if (body === undefined || body.closed) {
      done(error)
      return
    }
    body.once('close', () => done(error))
    body.destroy()
  }

  #take(body: Readable): void {
    this.#body = body
    body.pause()
    body.on('data', (chunk: Buffer) => {
      this.#position += chunk.length
      if (!this.push(chunk)) body.pause()
    })
    finished(body, { writable: false }, (error) => {
      if (this.destroyed) return
      if (this.#position === this.#end) this.push(null)
      else if (this.#position > this.#end) this.destroy(this.#longer())
      else this.#goOn(error ?? this.#short())
    })
  }

  #goOn(error: unknown): void {
    const { retry, doing } = this.#read
    this.#body = undefined
    let broken: HoldfastError | undefined = this.#read.failure(error)
    const again = async () => {
      // The break itself is the first failure: whether it may pass, and how long to wait, is known of it alone.
      const first = broken
      broken = undefined
      if (first !== undefined) throw first
      return this.#read.open(this.#position, this.#version)
    }
    retry.run(this.#cx, doing, again).then(
      (opened) => {
        if (this.destroyed) opened.body.destroy()
        else {
          this.#take(opened.body)
          opened.body.resume()
        }
      },
      (thrown: Error) => this.destroy(thrown),
    )
  }

  #short(): HoldfastError {
    return new HoldfastError(
      'storage.unreachable',
      `${this.#read.doing}: the bytes ended at ${this.#position} of ${this.#end}`,
    )
  }

  #longer(): HoldfastError {
    return new HoldfastError(
      'storage.failed',
      `${this.#read.doing}: more bytes came than the ${this.#end} that were told`,
    )
  }
}
