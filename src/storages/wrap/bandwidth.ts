import { Transform, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { connected } from '../../streams/connect.js'
import { destroySource } from '../source.js'
import type { Storage } from '../storage.js'
import { wrapped } from './wrapped.js'

/** A storage that takes and gives no more than so many bytes a second, in each direction, all its objects together. */
export function withBandwidth(inner: Storage, bytesPerSecond: number): Storage {
  const up = new Pace(bytesPerSecond)
  const down = new Pace(bytesPerSecond)
  return wrapped(inner, {
    async put(cx, key, body, options) {
      const slowed = connected([body, up.through(cx.signal)], cx.signal)
      try {
        return await inner.put(cx, key, slowed, options)
      } catch (error) {
        destroySource(body, error)
        throw error
      }
    },
    async get(cx, key, range): Promise<Readable> {
      return connected([await inner.get(cx, key, range), down.through(cx.signal)], cx.signal)
    },
  })
}

/** Bytes pass in slices of a tenth of a second. */
const slicesPerSecond = 10

class Pace {
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
        const piece = chunk.subarray(start, start + slice)
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
