import { Transform } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { PassingRate } from '../env/context.js'

/** Bytes pass in slices of a tenth of a second. */
const slicesPerSecond = 10

/** No more than so many bytes a second, of all streams through it together. */
export class Pace implements PassingRate {
  readonly #bytesPerSecond: number
  /** When the bytes that have passed so far were due, in milliseconds of the process's own steady clock. */
  #due = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  through(signal: AbortSignal): Transform {
    const slice = Math.max(1, Math.floor(this.#bytesPerSecond / slicesPerSecond))
    const pass = async (stream: Transform, chunk: Buffer): Promise<void> => {
      for (let start = 0; start < chunk.length; start += slice) {
        // A whole chunk stays itself: its memory may be used again.
        const piece = chunk.length <= slice ? chunk : chunk.subarray(start, start + slice)
        await this.#wait(piece.length, signal)
        stream.push(piece)
      }
    }
    const through: Transform = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        pass(through, chunk).then(() => done(), done)
      },
    })
    return through
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const start = Math.max(this.#due, now)
    this.#due = start + (bytes / this.#bytesPerSecond) * 1000
    if (start > now) await delay(start - now, undefined, { signal })
  }
}
