import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { memoryDriver } from '../storages/memory/driver.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { fakeEnv } from './fake-env.js'
import { faultyStorage, type StorageFaults } from './faulty-storage.js'
import { inChunks, noise } from './storage-bench.js'

const cx: Context = { env: fakeEnv(), signal: new AbortController().signal, emit: () => undefined }
const key = objectKey('shop/dump')
const other = objectKey('shop/manifest')
const bytes = noise(300_000)
const error = new Error('the network is gone')
let opened = 0

async function withFaults(faults: StorageFaults): Promise<{ inner: Storage; storage: Storage }> {
  const inner = await memoryDriver.open({ name: `faulty-${opened++}` }, { name: 'main', baseDirectory: '/' })
  await inner.put(cx, other, inChunks(bytes))
  return { inner, storage: faultyStorage(inner, faults) }
}

async function listed(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const object of storage.list(cx, '')) keys.push(object.key)
  return keys
}

describe('a faulty storage', () => {
  it('fails a put midway, with the source ended and nothing stored', async () => {
    const { inner, storage } = await withFaults({ failPut: { afterBytes: 100_000, error } })
    const body = inChunks(bytes)
    await expect(storage.put(cx, key, body)).rejects.toBe(error)
    expect(body.destroyed).toBe(true)
    expect(await inner.stat(cx, key)).toBeUndefined()
  })

  it('fails a put that is shorter than where it should fail', async () => {
    const { storage } = await withFaults({ failPut: { afterBytes: 1_000_000, error } })
    await expect(storage.put(cx, key, inChunks(bytes))).rejects.toBe(error)
  })

  it('FAILURES 11: stores less than it says, or nothing', async () => {
    const short = await withFaults({ shortPut: { bytes: 100_000 } })
    expect((await short.storage.put(cx, key, inChunks(bytes))).bytes).toBe(300_000)
    expect((await short.storage.stat(cx, key))?.bytes).toBe(100_000)
    const lost = await withFaults({ losePut: true })
    expect((await lost.storage.put(cx, key, inChunks(bytes))).bytes).toBe(300_000)
    expect(await lost.storage.stat(cx, key)).toBeUndefined()
  })

  it('FAILURES 16: flips one bit, or cuts the end, also in ranges', async () => {
    const { inner } = await withFaults({})
    const flipping = faultyStorage(inner, { flipBit: { byte: 200_000 } })
    const flipped = await buffer(await flipping.get(cx, other))
    expect(flipped[200_000]).toBe((bytes[200_000] ?? 0) ^ 1)
    flipped[200_000] = bytes[200_000] ?? 0
    expect(flipped.equals(bytes)).toBe(true)
    const range = await buffer(await flipping.get(cx, other, { start: 199_999, end: 200_002 }))
    expect([...range]).toEqual([bytes[199_999], (bytes[200_000] ?? 0) ^ 1, bytes[200_001]])
    const cutting = faultyStorage(inner, { truncateGet: { bytes: 200_000 } })
    expect((await buffer(await cutting.get(cx, other))).equals(bytes.subarray(0, 200_000))).toBe(true)
    expect(await buffer(await cutting.get(cx, other, { start: 200_000 }))).toHaveLength(0)
    expect((await buffer(await inner.get(cx, other))).equals(bytes)).toBe(true)
  })

  it('fails a get midway, a list midway or at its end, a stat, a delete', async () => {
    const { inner, storage } = await withFaults({
      failGet: { afterBytes: 100_000, error },
      failList: { afterObjects: 1, error },
      failStat: error,
      failDelete: error,
    })
    await expect(storage.get(cx, other).then(buffer)).rejects.toBe(error)
    await expect(listed(storage)).rejects.toBe(error)
    await inner.put(cx, key, inChunks(bytes))
    const seen: string[] = []
    const list = async (): Promise<void> => {
      for await (const object of storage.list(cx, '')) seen.push(object.key)
    }
    await expect(list()).rejects.toBe(error)
    expect(seen).toEqual([key])
    await expect(storage.stat(cx, other)).rejects.toBe(error)
    await expect(storage.delete(cx, other)).rejects.toBe(error)
    expect(await listed(inner)).toEqual([key, other])
  })

  it('FAILURES 9: waits before each chunk', async () => {
    let waited = 0
    let release = (): void => undefined
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        waited += 1
        release = resolve
      })
    const { storage } = await withFaults({ slowPut: slow, slowGet: slow })
    const chunks = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]
    const put = storage.put(cx, key, Readable.from(chunks, { objectMode: false }))
    for (let chunk = 1; chunk <= 3; chunk++) {
      await expect.poll(() => waited).toBe(chunk)
      release()
    }
    expect((await put).bytes).toBe(3)
    const stream = await storage.get(cx, key)
    const read = buffer(stream)
    for (let chunk = 4; chunk <= 6; chunk++) {
      await expect.poll(() => waited).toBe(chunk)
      release()
    }
    expect((await read).toString()).toBe('abc')
  })

  it('leaves other objects alone', async () => {
    const { storage } = await withFaults({
      matches: (one) => one === key,
      failPut: { afterBytes: 0, error },
      failDelete: error,
    })
    await storage.put(cx, other, inChunks(bytes))
    expect((await buffer(await storage.get(cx, other))).equals(bytes)).toBe(true)
    await storage.delete(cx, other)
    await expect(storage.put(cx, key, inChunks(bytes))).rejects.toBe(error)
  })
})
