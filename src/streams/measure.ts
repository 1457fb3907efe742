import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'

/** What has passed through a measuring stream. */
export interface Measure {
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** Sees what passes by; what it throws destroys the stream, so that what follows never takes bad data for whole. */
export interface Observer {
  push?(chunk: Uint8Array, bytesSoFar: number): void
  end?(measure: Measure): void
}

export interface MeasuringStream {
  readonly through: Transform
  /** Asked for after the stream has ended. */
  readonly result: () => Measure
}

/** Passes bytes on unchanged, counts and digests them, and shows them to the observers. */
export function measuring(...observers: readonly Observer[]): MeasuringStream {
  const hash = createHash('sha256')
  let bytes = 0
  let measure: Measure | undefined
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        hash.update(chunk)
        bytes += chunk.length
        for (const observer of observers) observer.push?.(chunk, bytes)
      } catch (error) {
        done(error as Error)
        return
      }
      done(null, chunk)
    },
    flush(done) {
      try {
        measure = { bytes, sha256: hash.digest('hex') }
        for (const observer of observers) observer.end?.(measure)
      } catch (error) {
        done(error as Error)
        return
      }
      done()
    },
  })
  return {
    through,
    result() {
      if (measure === undefined)
        throw new TypeError('a measuring stream is asked for its result after its end')
      return measure
    },
  }
}
