import { strict as assert } from 'node:assert'
import type { Context } from '../env/context.js'
import { asHoldfastError, type HoldfastError } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { ObjectKey, Storage } from '../storages/storage.js'
import { withPrefix } from '../storages/wrap/prefix.js'
import { wrapped } from '../storages/wrap/wrapped.js'
import { StorageBench } from './storage-bench.js'
import { storagePromises } from './storage-promises.js'

export interface TriedPromise {
  readonly name: string
  /** Absent where the promise is kept. */
  readonly error?: HoldfastError
}

/** How long removing what a check has left may take after an interruption. */
const cleanUpMs = 30_000

/**
 * Tries what {@link storageContract} checks on a storage that is in use: each promise in a place of its own, which is empty again
 * before the next. Nothing that is there already is touched, and nothing swept: another run may be writing.
 */
export async function* tryStorage(cx: Context, storage: Storage): AsyncGenerator<TriedPromise> {
  const trial = `holdfast-doctor/${Buffer.from(cx.env.randomBytes(8)).toString('hex')}`
  const { capabilities } = storage
  const promises = storagePromises().filter(({ needs }) => needs === undefined || capabilities[needs])
  for (const [index, promise] of promises.entries()) {
    const place = objectKey(`${trial}/${index}`)
    const inPlace = wrapped(withPrefix(storage, place), { sweep: () => Promise.resolve(0) })
    // One that only the check listens to: it looks whether nobody waits any more.
    const ending = new AbortController()
    const end = () => ending.abort(cx.signal.reason)
    cx.signal.throwIfAborted()
    cx.signal.addEventListener('abort', end)
    try {
      await promise.check(new StorageBench(inPlace, ending.signal))
      yield { name: promise.name }
    } catch (thrown) {
      cx.signal.throwIfAborted()
      yield { name: promise.name, error: asHoldfastError(thrown, 'storage.failed') }
    } finally {
      cx.signal.removeEventListener('abort', end)
      await empty(cx, storage, place)
    }
  }
}

async function empty(cx: Context, storage: Storage, place: ObjectKey): Promise<void> {
  const cleaning = cx.signal.aborted ? { ...cx, signal: AbortSignal.timeout(cleanUpMs) } : cx
  const keys: ObjectKey[] = []
  for await (const { key } of storage.list(cleaning, `${place}/`)) keys.push(key)
  const queue = keys.values()
  const worker = async (): Promise<void> => {
    for (const key of queue) await storage.delete(cleaning, key)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  for await (const { key } of storage.list(cleaning, `${place}/`)) assert.fail(`${key} was not deleted`)
}
