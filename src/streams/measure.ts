import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'

/** What has passed through a measuring stream. */
export interface Measure {
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface MeasuringStream {
  readonly through: Transform
  /** Bytes so far, for progress. */
  bytes(): number
  /** Asked for after the stream has ended. */
  result(): Measure
}

/** Passes bytes on unchanged, counts and digests them, and shows each chunk to the watchers. */
export function measuring(...watchers: ((chunk: Uint8Array) => void)[]): MeasuringStream {
  const hash = createHash('sha256')
  let bytes = 0
  let digest: string | undefined
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        hash.update(chunk)
        bytes += chunk.length
        for (const watch of watchers) watch(chunk)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  return {
    through,
    bytes: () => bytes,
    result: () => ({ bytes, sha256: (digest ??= hash.digest('hex')) }),
  }
}
