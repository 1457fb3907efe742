import { Transform, type Readable, type TransformCallback } from 'node:stream'
import type { Context } from '../env/context.js'
import type { ObjectKey, PutOptions, Storage, StoredObject } from '../storages/storage.js'
import { connect } from '../streams/connect.js'

/** What goes wrong; everything that is not named works. */
export interface StorageFaults {
  /** Which objects the faults are for. Default: all. */
  readonly matches?: (key: ObjectKey) => boolean
  /** A put fails at the chunk that goes beyond so many bytes, or at its end. */
  readonly failPut?: { readonly afterBytes: number; readonly error: Error }
  /** A put stores only the first bytes and says it stored all. */
  readonly shortPut?: { readonly bytes: number }
  /** A put takes everything, says it stored it, and nothing is there. */
  readonly losePut?: boolean
  /** A get fails at the chunk that goes beyond so many bytes of the object, or at its end. */
  readonly failGet?: { readonly afterBytes: number; readonly error: Error }
  /** A get ends, cleanly, after so many bytes. */
  readonly truncateGet?: { readonly bytes: number }
  /** One bit of what a get gives is the other one: of the byte at this offset. */
  readonly flipBit?: { readonly byte: number }
  /** A list fails after so many objects. */
  readonly failList?: { readonly afterObjects: number; readonly error: Error }
  readonly failStat?: Error
  readonly failDelete?: Error
  /** Waited for before each chunk of a put. */
  readonly slowPut?: () => Promise<void>
  /** Waited for before each chunk of a get. */
  readonly slowGet?: () => Promise<void>
}

/**
 * A storage that does what real ones do on a bad day.
 *
 * @example
 * const storage = faultyStorage(real, { shortPut: { bytes: 1000 }, matches: (key) => key.endsWith('.dump') })
 */
export function faultyStorage(storage: Storage, faults: StorageFaults): Storage {
  const concerns = faults.matches ?? (() => true)
  return {
    capabilities: storage.capabilities,
    describe: () => storage.describe(),
    put: (cx, key, body, options) =>
      concerns(key)
        ? faultyPut(storage, faults, cx, key, body, options)
        : storage.put(cx, key, body, options),
    async get(cx, key, range) {
      const body = await storage.get(cx, key, range)
      if (!concerns(key)) return body
      // A range counts from its own start, so that a fault is at the same byte of the object.
      return joined(cx, body, getFaults(faults, range?.start ?? 0)).through
    },
    async stat(cx, key) {
      if (faults.failStat !== undefined && concerns(key)) throw faults.failStat
      return storage.stat(cx, key)
    },
    async *list(cx, prefix, options) {
      let given = 0
      for await (const object of storage.list(cx, prefix, options)) {
        if (given === faults.failList?.afterObjects) throw faults.failList.error
        given += 1
        yield object
      }
      // Also where there are fewer objects than that.
      if (faults.failList !== undefined) throw faults.failList.error
    },
    async delete(cx, key) {
      if (faults.failDelete !== undefined && concerns(key)) throw faults.failDelete
      return storage.delete(cx, key)
    },
    sweep: (cx, olderThanMs) => storage.sweep(cx, olderThanMs),
    close: () => storage.close(),
  }
}

async function faultyPut(
  storage: Storage,
  faults: StorageFaults,
  cx: Context,
  key: ObjectKey,
  body: Readable,
  options?: PutOptions,
): Promise<StoredObject> {
  let taken = 0
  const { through, done } = joined(cx, body, {
    ...(faults.slowPut === undefined ? {} : { wait: faults.slowPut }),
    ...(faults.failPut === undefined
      ? {}
      : { fail: { at: faults.failPut.afterBytes, error: faults.failPut.error } }),
    ...(faults.shortPut === undefined ? {} : { cutAt: faults.shortPut.bytes }),
    onBytes: (bytes) => (taken += bytes),
  })
  const [stored, sent] = await Promise.allSettled([storage.put(cx, key, through, options), done])
  if (stored.status === 'rejected') throw stored.reason
  if (sent.status === 'rejected') throw sent.reason
  if (faults.losePut === true) await storage.delete(cx, key)
  // The lie of shortPut: the size of what was sent.
  return { ...stored.value, bytes: taken }
}

interface StreamFaults {
  readonly wait?: () => Promise<void>
  readonly fail?: { readonly at: number; readonly error: Error }
  readonly cutAt?: number
  readonly flipAt?: number
  readonly onBytes?: (bytes: number) => void
}

function getFaults(faults: StorageFaults, start: number): StreamFaults {
  return {
    ...(faults.slowGet === undefined ? {} : { wait: faults.slowGet }),
    ...(faults.failGet === undefined
      ? {}
      : { fail: { at: faults.failGet.afterBytes - start, error: faults.failGet.error } }),
    ...(faults.truncateGet === undefined ? {} : { cutAt: faults.truncateGet.bytes - start }),
    ...(faults.flipBit === undefined ? {} : { flipAt: faults.flipBit.byte - start }),
  }
}

/** The body behind a stream with the faults; `done` never rejects unheard, since the stream tells it too. */
function joined(
  cx: Context,
  body: Readable,
  faults: StreamFaults,
): { through: Transform; done: Promise<void> } {
  const through = faultyStream(faults)
  const done = connect([body, through], cx.signal)
  done.catch(() => undefined)
  return { through, done }
}

function faultyStream({ wait, fail, cutAt = Infinity, flipAt, onBytes }: StreamFaults): Transform {
  let position = 0
  const pass = (chunk: Buffer, done: TransformCallback): void => {
    const start = position
    position += chunk.length
    onBytes?.(chunk.length)
    if (fail !== undefined && position > fail.at) {
      done(fail.error)
      return
    }
    const kept = chunk.subarray(0, Math.max(cutAt - start, 0))
    done(null, flipAt === undefined ? kept : withFlippedBit(kept, flipAt - start))
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (wait === undefined) pass(chunk, done)
      else wait().then(() => pass(chunk, done), done)
    },
    flush(done) {
      // A stream that is shorter than where it should fail fails at its end.
      done(fail === undefined ? null : fail.error)
    },
  })
}

function withFlippedBit(chunk: Buffer, offset: number): Buffer {
  const byte = chunk[offset]
  if (byte === undefined) return chunk
  const flipped = Buffer.from(chunk)
  flipped[offset] = byte ^ 1
  return flipped
}
