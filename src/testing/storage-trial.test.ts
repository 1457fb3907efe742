import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { memoryDriver } from '../storages/memory/driver.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { wrapped } from '../storages/wrap/wrapped.js'
import { faultyStorage } from './faulty-storage.js'
import { tryStorage, type TriedPromise } from './storage-trial.js'

let opened = 0
const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const mine = objectKey('shop/mine')

async function storageInUse(): Promise<Storage> {
  const storage = await memoryDriver.open({ name: `trial-${opened++}` }, { name: 'main', baseDirectory: '/' })
  await storage.put(cx, mine, Readable.from(['mine']))
  return storage
}

async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(cx, '')) keys.push(key)
  return keys
}

it('names each promise that is broken, sweeps nothing and leaves nothing', async () => {
  const storage = await storageInUse()
  const broken = wrapped(faultyStorage(storage, { flipBit: { byte: 65_000 } }), {
    sweep: () => Promise.reject(new Error('another run is writing')),
  })
  const tried: TriedPromise[] = []
  for await (const each of tryStorage(cx, broken)) tried.push(each)
  const failed = tried.filter(({ error }) => error !== undefined).map(({ name }) => name)
  expect(failed).toContain('stores a stream and gives the same bytes back')
  expect(failed).not.toContain('stores an empty object')
  expect(tried.length).toBeGreaterThan(30)
  expect(await keysOf(storage)).toEqual([mine])
})

it('an interruption ends it, and nothing is left', async () => {
  const storage = await storageInUse()
  const interruption = new AbortController()
  const reason = new Error('Ctrl-C')
  const interrupted = wrapped(storage, {
    async put(inner, key, body, options) {
      const stored = await storage.put(inner, key, body, options)
      interruption.abort(reason)
      return stored
    },
  })
  const trial = tryStorage({ ...cx, signal: interruption.signal }, interrupted)
  await expect(trial.next()).rejects.toBe(reason)
  expect(await keysOf(storage)).toEqual([mine])
})
