import type { Readable } from 'node:stream'
import { connected } from '../../streams/connect.js'
import { Pace } from '../../streams/pace.js'
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
