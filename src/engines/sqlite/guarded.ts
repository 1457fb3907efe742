import { Readable } from 'node:stream'

export interface Guards {
  /** What must have come out well before the stream may end. */
  readonly gate?: Promise<unknown>
  /** Turns the source's error into the one to show. */
  readonly explain?: (error: unknown) => Error
  /** Runs once, when the stream has ended in any way. */
  readonly release?: () => Promise<void>
}

/** A stream's bytes, under guard. */
export function guarded(source: Readable, { gate, explain, release }: Guards): Readable {
  const shown = (error: unknown) => (explain === undefined ? (error as Error) : explain(error))
  const stream = new Readable({
    highWaterMark: source.readableHighWaterMark,
    read() {
      source.resume()
    },
    destroy(error, done) {
      const closed = new Promise<void>((resolve) => {
        if (source.closed) resolve()
        else source.once('close', resolve)
      })
      source.destroy()
      closed
        .then(() => release?.())
        .then(
          () => done(error),
          (failure: Error) => done(error ?? failure),
        )
    },
  })
  // An error may come before anybody has begun to read; whoever begins then is told.
  stream.on('error', () => undefined)
  source.pause()
  source.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) source.pause()
  })
  source.on('error', (error) => stream.destroy(shown(error)))
  source.once('end', () => {
    Promise.resolve(gate).then(
      () => stream.push(null),
      (error: unknown) => stream.destroy(shown(error)),
    )
  })
  // A gate that fails while the reader is still busy must not be an unhandled rejection; it is awaited at the end.
  gate?.catch(() => undefined)
  return stream
}
