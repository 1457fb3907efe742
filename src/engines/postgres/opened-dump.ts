import { Transform, Readable, type TransformCallback } from 'node:stream'
import type { FormatChecker, RestoreSource } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'

/** The beginning of a dump, looked into, and what comes after it. */
export interface OpenedDump {
  readonly head: Buffer
  readonly rest: Readable
}

/**
 * Opens the one part of a dump and reads until there is enough, or to its end.
 * @param isEnough is shown each piece; what it throws is thrown, with the stream closed
 */
export async function openDump(
  cx: Context,
  source: RestoreSource,
  isEnough: (chunk: Buffer) => boolean,
): Promise<OpenedDump> {
  const part = source.parts.find(({ role }) => role === 'dump')
  if (part === undefined)
    throw new HoldfastError('integrity.missing-artifact', 'the backup has no part with a dump')
  cx.signal.throwIfAborted()
  const stream = await source.open(part)
  // An error after the head is the error of whoever reads the rest; until then nobody may be listening.
  stream.on('error', () => undefined)
  try {
    const { head, ended } = await readHead(cx, stream, isEnough)
    return { head, rest: ended ? Readable.from([], { objectMode: false }) : stream }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** By hand, since leaving a loop over a stream closes it. */
function readHead(
  cx: Context,
  stream: Readable,
  isEnough: (chunk: Buffer) => boolean,
): Promise<{ readonly head: Buffer; readonly ended: boolean }> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    // At once and not in a `finally`: a stream that is fed without waiting would be read on until its end before that.
    const settle = (outcome: () => void) => {
      for (const [event, listener] of listeners) stream.off(event, listener)
      cx.signal.removeEventListener('abort', abort)
      outcome()
    }
    const done = (ended: boolean) => settle(() => resolve({ head: Buffer.concat(chunks), ended }))
    const fail = (thrown: unknown) => settle(() => reject(asError(thrown)))
    const abort = () => fail(cx.signal.reason)
    const read = () => {
      try {
        for (
          let chunk = stream.read() as Buffer | null;
          chunk !== null;
          chunk = stream.read() as Buffer | null
        ) {
          chunks.push(chunk)
          if (isEnough(chunk)) return done(false)
        }
      } catch (error) {
        fail(error)
      }
    }
    const listeners: readonly (readonly [event: string, listener: (value?: unknown) => void])[] = [
      ['readable', read],
      ['end', () => done(true)],
      ['error', fail],
      ['close', () => fail(closed())],
    ]
    if (cx.signal.aborted) return abort()
    // What has been closed already says nothing any more.
    if (stream.destroyed) return fail(stream.errored ?? closed())
    for (const [event, listener] of listeners) stream.on(event, listener)
    cx.signal.addEventListener('abort', abort, { once: true })
  })
}

function closed(): HoldfastError {
  return new HoldfastError('integrity.truncated', 'the dump was closed before its end')
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/**
 * Passes a dump on, its head first, and keeps its last piece back until the source has ended well and the format's checker has
 * found the dump whole: a program that reads to the end of the dump cannot finish on a bad one.
 */
export class CheckedDump extends Transform {
  readonly #checker: FormatChecker
  #last: Buffer

  /** @param passed what is passed on in place of the head */
  constructor(checker: FormatChecker, head: Buffer, passed = head) {
    super()
    this.#checker = checker
    this.#last = passed
    checker.push(head)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#checker.push(chunk)
    } catch (error) {
      done(error as Error)
      return
    }
    this.push(this.#last)
    this.#last = chunk
    done()
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#checker.end()
    } catch (error) {
      done(error as Error)
      return
    }
    done(null, this.#last)
  }
}
