import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../env/context.js'
import { HoldfastError, type ErrorCode } from '../../errors.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { storageContract } from '../../testing/storage-contract.js'
import { StorageBench } from '../../testing/storage-bench.js'
import { memoryDriver } from '../memory/driver.js'
import { objectKey } from '../object-key.js'
import { Retry } from '../retry.js'
import type { Storage, StorageDriver } from '../storage.js'
import { retrying } from './retrying.js'
import { wrapped } from './wrapped.js'
import { withWrappers } from './wrapped-driver.js'

const where = { name: 'main', baseDirectory: '/' }
const remoteMemory: StorageDriver = { ...memoryDriver, remote: true }
let opened = 0

function open(settings: Readonly<Record<string, unknown>>, driver = remoteMemory): Promise<Storage> {
  return withWrappers(driver).open({ name: `wrapped-${opened++}`, ...settings }, where)
}

describe('a storage behind every wrapper', () => {
  const settings = { prefix: '/shop/eu/', bandwidth: '4GB/s', retryFor: '1m', readOnly: 'false' }
  for (const check of storageContract({ open: () => open(settings) })) it(check.name, () => check.run())
})

describe('prefix', () => {
  it('keeps to its own part of the storage, and says so', async () => {
    const name = `shared-${opened++}`
    const whole = new StorageBench(await open({ name }))
    await whole.put('shop/x', Buffer.from('in'))
    await whole.put('shopping', Buffer.from('out'))
    const part = new StorageBench(await open({ name, prefix: 'shop' }))
    expect(await part.keys()).toEqual(['x'])
    expect(part.storage.describe()).toBe(`memory ${name}, shop/`)
    await part.put('y', Buffer.from('new'))
    expect(await whole.keys()).toEqual(['shop/x', 'shop/y', 'shopping'])
  })

  it('cannot lead outside', async () => {
    await expect(open({ prefix: 'a/../..' })).rejects.toMatchObject({ code: 'config.invalid' })
  })
})

describe('readOnly', () => {
  it('gives what is there and takes nothing', async () => {
    const name = `kept-${opened++}`
    await new StorageBench(await open({ name })).put('a', Buffer.from('a'))
    const bench = new StorageBench(await open({ name, readOnly: true }))
    await expect(bench.put('b', Buffer.from('b'))).rejects.toMatchObject({ code: 'storage.denied' })
    await expect(bench.delete('a')).rejects.toMatchObject({ code: 'storage.denied' })
    await bench.holds('a', Buffer.from('a'))
  })
})

describe('bandwidth', () => {
  it('lets no more through than it says', async () => {
    const bench = new StorageBench(await open({ bandwidth: '1MB/s' }))
    const start = performance.now()
    await bench.put('a', Buffer.alloc(400_000))
    expect(performance.now() - start).toBeGreaterThan(290)
  })

  it('refuses what is no rate', async () => {
    await expect(open({ bandwidth: 'fast' })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'storages.main.bandwidth: is not a rate such as 10mb/s or 512kib/s',
    })
  })
})

/** A machine whose clock only waiting moves. */
function patience(forMs?: number) {
  const env = fakeEnv()
  const waits: number[] = []
  const notices: string[] = []
  const cx: Context = {
    env,
    signal: new AbortController().signal,
    emit: (event) => event.type === 'notice' && notices.push(event.message),
  }
  const retry = new Retry(forMs, (ms) => {
    waits.push(ms)
    env.advance(ms)
    return Promise.resolve()
  })
  return { cx, retry, waits, notices }
}

const failing =
  (code: ErrorCode, details: Readonly<Record<string, unknown>> = {}, times = Infinity) =>
  () =>
    times-- > 0
      ? Promise.reject(new HoldfastError(code, 'the service is gone', { details }))
      : Promise.resolve('there')

describe('retry', () => {
  it('waits longer and longer, by lot, and gives up after its time with the last error', async () => {
    const { cx, retry, waits, notices } = patience(60_000)
    await retry.run(cx, 'asking', () => Promise.resolve('answered once'))
    await expect(retry.run(cx, 'asking', failing('storage.unreachable'))).rejects.toMatchObject({
      code: 'storage.unreachable',
    })
    for (const [index, wait] of waits.entries()) {
      const most = Math.min(250 * 2 ** index, 20_000)
      expect(wait).toBeGreaterThanOrEqual(most / 2)
      expect(wait).toBeLessThanOrEqual(most)
    }
    const waited = waits.reduce((sum, wait) => sum + wait, 0)
    expect(waited).toBeLessThanOrEqual(60_000)
    expect(waited).toBeGreaterThan(35_000)
    expect(notices[0]).toMatch(/^asking: the service is gone; trying again in 0\.\d s$/u)
  })

  it('does not keep a person waiting for a storage that has never answered', async () => {
    const { cx, retry, waits } = patience()
    await expect(retry.run(cx, 'asking', failing('storage.unreachable'))).rejects.toThrow()
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(8_000)
  })

  it('FAILURES 12: waits as long as a busy service asks for', async () => {
    const { cx, retry, waits } = patience()
    const busy = failing('storage.busy', { retryAfterMs: 5000 }, 2)
    expect(await retry.run(cx, 'asking', busy)).toBe('there')
    expect(waits).toEqual([5000, 5000])
  })

  it.each<[ErrorCode, Readonly<Record<string, unknown>>, number]>([
    ['storage.denied', {}, 0],
    ['storage.login-refused', {}, 0],
    ['storage.not-found', {}, 0],
    ['storage.full', {}, 0],
    ['storage.exists', {}, 0],
    ['storage.failed', { passing: false }, 0],
    ['integrity.checksum', {}, 0],
    ['internal.unexpected', {}, 0],
    ['storage.failed', {}, 1],
    ['storage.login-refused', { passing: true }, 1],
  ])('%s %o is tried again %i times', async (code, details, times) => {
    const { cx, retry, waits } = patience()
    await retry.run(cx, 'asking', failing(code, details, 1)).catch(() => undefined)
    expect(waits.length).toBe(times)
  })

  it('stops when it is interrupted, with the reason', async () => {
    const interruption = new AbortController()
    const reason = new Error('Ctrl-C')
    const cx = { ...patience().cx, signal: interruption.signal, emit: () => interruption.abort(reason) }
    await expect(new Retry().run(cx, 'asking', failing('storage.busy'))).rejects.toBe(reason)
  })

  it('FAILURES 23: goes on with a list that broke off, each object once', async () => {
    const { cx, retry } = patience()
    const inner = await open({}, memoryDriver)
    const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`)
    for (const key of keys) await inner.put(cx, objectKey(key), Readable.from([Buffer.from(key)]))
    let broken = 0
    const breaking = wrapped(inner, {
      async *list(context, prefix) {
        let given = 0
        for await (const object of inner.list(context, prefix)) {
          if (given++ === 4 && broken++ < 2) throw new HoldfastError('storage.unreachable', 'cut')
          yield object
        }
      },
    })
    const listed: string[] = []
    for await (const { key } of retrying(breaking, retry).list(cx, '')) listed.push(key)
    expect(listed).toEqual(keys)
  })
})
