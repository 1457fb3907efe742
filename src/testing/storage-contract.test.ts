import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import { memoryDriver } from '../storages/memory/driver.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { faultyStorage } from './faulty-storage.js'
import { storageContract } from './storage-contract.js'

let opened = 0
const openMemory = (): Promise<Storage> =>
  memoryDriver.open({ name: `contract-${opened++}` }, { name: 'main', baseDirectory: '/' })

const failure = new HoldfastError('storage.failed', 'the disk is on fire')

/** Storages that break one promise each, and a check that must see it. */
const broken: readonly (readonly [string, string, (storage: Storage) => Partial<Storage>])[] = [
  [
    'loses what it says it stored',
    'stores an empty object',
    (storage) => faultyStorage(storage, { losePut: true }),
  ],
  [
    'stores less than it says',
    'FAILURES 11: tells the size, time and checksum of what it stored, from put, stat and list alike',
    (storage) => faultyStorage(storage, { shortPut: { bytes: 50_000 } }),
  ],
  [
    'gives a flipped bit',
    'stores a stream and gives the same bytes back',
    (storage) => faultyStorage(storage, { flipBit: { byte: 65_000 } }),
  ],
  [
    'cuts what it gives',
    'gives ranges of an object',
    (storage) => faultyStorage(storage, { truncateGet: { bytes: 2_000_000 } }),
  ],
  [
    'fails to delete',
    'deletes an object, and takes one that is not there for deleted',
    (storage) => faultyStorage(storage, { failDelete: failure }),
  ],
  [
    'does not know of deletes that are not needed',
    'deletes an object, and takes one that is not there for deleted',
    (storage) => ({
      async delete(cx, key) {
        if ((await storage.stat(cx, key)) === undefined) throw failure
        await storage.delete(cx, key)
      },
    }),
  ],
  [
    'replaces with createOnly',
    'does not replace an object with createOnly, and ends the source',
    (storage) => ({ put: (cx, key, body) => storage.put(cx, key, body) }),
  ],
  [
    'looks whether a key is free, and writes later',
    'FAILURES 13: lets exactly one of several create-only puts of one key win',
    (storage) => ({
      async put(cx, key, body, options) {
        if (options?.createOnly === true && (await storage.stat(cx, key)) !== undefined) {
          throw new HoldfastError('storage.exists', 'there')
        }
        return storage.put(cx, key, body)
      },
    }),
  ],
  [
    'shows what is being written',
    'shows nothing of what is being written',
    (storage) => ({
      async put(cx, key, body, options) {
        await storage.put(cx, key, Readable.from([]), options)
        return storage.put(cx, key, body)
      },
    }),
  ],
  [
    'keeps the beginning of what failed',
    'leaves nothing when the source fails, and throws its error',
    (storage) => ({
      put: (cx, key, body, options) =>
        storage.put(cx, key, body, options).catch(async (error: unknown) => {
          await storage.put(cx, key, Readable.from([Buffer.from('half')]))
          throw error
        }),
    }),
  ],
  [
    'wraps the error of the source',
    'leaves nothing when the source fails, and throws its error',
    (storage) => ({
      put: (cx, key, body, options) =>
        storage.put(cx, key, body, options).catch(() => {
          throw failure
        }),
    }),
  ],
  [
    'does not hear an interruption',
    'stores nothing when it was interrupted before the start',
    (storage) => ({
      put: (cx, key, body, options) =>
        storage.put({ ...cx, signal: AbortSignal.timeout(60_000) }, key, body, options),
    }),
  ],
  [
    'holds all of it before it writes',
    'FAILURES 9: passes 64 MiB on without holding them',
    (storage) => ({
      capabilities: { ...storage.capabilities, volatile: false },
      async put(cx, key, body, options) {
        return storage.put(cx, key, Readable.from([await buffer(body)]), options)
      },
    }),
  ],
  [
    'reads all of it before it is asked to',
    'FAILURES 9: reads no further ahead than it must for a reader that rests',
    (storage) => ({
      async get(cx, key) {
        const all = await buffer(await storage.get(cx, key))
        return Readable.from([all.subarray(0, 100), all.subarray(100)])
      },
    }),
  ],
  [
    'lists in the order of UTF-16',
    'FAILURES 39: takes odd names, and lists them in the order of their bytes',
    (storage) => ({
      async *list(cx, prefix) {
        const objects = []
        for await (const object of storage.list(cx, prefix)) objects.push(object)
        yield* objects.sort((a, b) => (a.key < b.key ? -1 : 1))
      },
    }),
  ],
  [
    'takes prefixes for folders',
    'lists by prefixes that may end within a name',
    (storage) => ({
      list: (cx, prefix) => storage.list(cx, prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`),
    }),
  ],
  [
    'forgets the second page of a list',
    'lists 1100 objects, each once',
    (storage) => ({
      async *list(cx, prefix) {
        let given = 0
        for await (const object of storage.list(cx, prefix)) if (given++ < 1000) yield object
      },
    }),
  ],
  [
    'ends a list cleanly that was interrupted',
    'FAILURES 23: breaks off a list that is interrupted with an error',
    (storage) => ({
      async *list(cx, prefix) {
        if (!cx.signal.aborted) yield* storage.list(cx, prefix)
      },
    }),
  ],
  [
    'gives nothing for what is not there',
    'says storage.not-found for what is not there',
    (storage) => ({ get: (cx, key, range) => storage.get(cx, key, range).catch(() => Readable.from([])) }),
  ],
  [
    'sweeps what is being written',
    'FAILURES 7: sweeps what is old and unfinished, nothing else',
    () => ({ sweep: () => Promise.resolve(1) }),
  ],
  [
    'sweeps what is finished',
    'FAILURES 7: sweeps what is old and unfinished, nothing else',
    (storage) => ({
      async sweep(cx) {
        await storage.delete(cx, objectKey('shop/finished'))
        return 0
      },
    }),
  ],
  [
    'mixes the old object with the new',
    'gives a reader the old object whole while it is replaced',
    (storage) => ({
      get: (cx, key) =>
        Promise.resolve(
          Readable.from(
            (async function* () {
              for (let start = 0; start < 8_388_608; start += 65_536) {
                yield* await storage.get(cx, key, { start, end: start + 65_536 })
              }
            })(),
          ),
        ),
    }),
  ],
  [
    'forgets everything when it is closed',
    'keeps its objects for whoever opens it next',
    (storage) => ({ describe: () => storage.describe() }),
  ],
]

describe('the storage contract', () => {
  it.each(broken)('sees a storage that %s', async (_, name, breakPromise) => {
    const fixture = {
      async open(): Promise<Storage> {
        const storage = await openMemory()
        return { ...faultyStorage(storage, {}), ...breakPromise(storage) }
      },
      reopen: openMemory,
    }
    const check = storageContract(fixture).find((one) => one.name === name)
    await expect(check?.run()).rejects.toThrow()
  })

  it('passes a storage behind the faulty wrapper when it has no faults', async () => {
    const fixture = { open: async () => faultyStorage(await openMemory(), {}) }
    for (const check of storageContract(fixture)) await check.run()
  })
})

it('leaves out what a storage says that it cannot do', () => {
  const names = storageContract({ open: openMemory, lacks: ['createOnly', 'ranges'] }).map(({ name }) => name)
  expect(names.filter((name) => /with createOnly|create-only|range/u.test(name))).toEqual([])
  expect(names.length).toBe(storageContract({ open: openMemory }).length - 4)
})
