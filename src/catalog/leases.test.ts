import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'
import { localDriver } from '../storages/local/driver.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { faultyStorage } from '../testing/faulty-storage.js'
import { leaseFolder } from './keys.js'
import { Leases, type Lease, type LeaseWish } from './leases.js'

/** A run on a machine whose clock is wrong by so much. */
function runWithClock(wrongByMs = 0): Context {
  const env = { ...nodeEnv(), clock: { now: () => new Date(new Date().getTime() + wrongByMs) } }
  return { env, signal: new AbortController().signal, emit: () => undefined }
}
const cx = runWithClock()
const dayMs = 24 * 3_600_000
/** It keeps its own time. */
async function open(): Promise<Storage> {
  const { path, remove } = await nodeEnv().temporaryDirectory()
  onTestFinished(remove)
  return localDriver.open({ path }, { name: 'main', baseDirectory: path })
}

async function held(lease: Promise<Lease>): Promise<Lease> {
  const own = await lease
  onTestFinished(() => own.release())
  return own
}

const prune = (...databases: string[]): LeaseWish => ({
  kind: 'prune',
  backups: [],
  ...(databases.length === 0 ? {} : { databases }),
})
const locked = expect.objectContaining({ code: 'locked.by-another-run' }) as HoldfastError

/** How many leases lie in the storage. */
async function count(storage: Storage): Promise<number> {
  let found = 0
  for await (const _ of storage.list(cx, leaseFolder)) found++
  return found
}

describe('leases', () => {
  it('there is one of its kind for a database; another waits, then says who is in the way', async () => {
    const storage = await open()
    const leases = new Leases(storage, { waitMs: 50 })
    const first = await held(leases.holdAlone(cx, prune('shop')))
    await held(leases.holdAlone(cx, prune('docs')))
    await expect(leases.holdAlone(cx, prune())).rejects.toEqual(locked)
    await expect(leases.holdAlone(cx, prune('docs', 'shop'))).rejects.toThrow(
      `${cx.env.hostName}, process ${process.pid}`,
    )
    expect(await count(storage)).toBe(2)
    await first.release()
    await held(leases.holdAlone(cx, prune('shop')))
  })

  it('of many that come at once, never are two alone at the same time, and all get their turn', async () => {
    const leases = new Leases(await open(), { waitMs: 10_000 })
    let alone = 0
    let most = 0
    const turn = async () => {
      const lease = await leases.holdAlone(cx, prune())
      most = Math.max(most, ++alone)
      await new Promise(setImmediate)
      alone--
      await lease.release()
    }
    await Promise.all([turn(), turn(), turn()])
    expect(most).toBe(1)
  })

  it('what others make or read is known, and nothing of those who are done', async () => {
    const leases = new Leases(await open())
    const own = await held(leases.holdAlone(cx, prune()))
    await held(leases.hold(cx, { kind: 'read', databases: ['shop'], backups: ['a'] }))
    const backup = await held(leases.hold(cx, { kind: 'backup', databases: ['shop'], backups: ['b'] }))
    expect((await leases.others(cx, own)).flatMap(({ backups }) => backups).sort()).toEqual(['a', 'b'])
    await backup.release()
    expect((await leases.others(cx, own)).flatMap(({ backups }) => backups)).toEqual(['a'])
  })

  it('one whose run died counts until its time is over, and is swept then', async () => {
    const storage = await open()
    // As a killed run leaves it: nobody renews it.
    const record = {
      ...{ formatVersion: 1, kind: 'prune', backups: [], holder: 'web1, process 7' },
      ...{ started: '2026-01-01T00:00:00Z', ttlMs: 400 },
    }
    const key = objectKey(`${leaseFolder}dead.json`)
    await storage.put(cx, key, Readable.from([Buffer.from(JSON.stringify(record))]))
    await expect(new Leases(storage, { waitMs: 20 }).holdAlone(cx, prune())).rejects.toThrow(
      'web1, process 7',
    )
    const leases = new Leases(storage, { waitMs: 10_000 })
    const own = await held(leases.holdAlone(cx, prune()))
    await leases.sweep(cx, own)
    expect(await storage.stat(cx, key)).toBeUndefined()
    expect(await count(storage)).toBe(1)
  })

  it('one that is renewed lives on', async () => {
    const storage = await open()
    await held(new Leases(storage, { ttlMs: 300 }).hold(cx, prune()))
    await expect(new Leases(storage, { waitMs: 700 }).holdAlone(cx, prune())).rejects.toEqual(locked)
  })

  it('the clocks of the machines do not matter', async () => {
    const storage = await open()
    const ahead = runWithClock(dayMs)
    const behind = runWithClock(-dayMs)
    await held(new Leases(storage).hold(cx, prune()))
    for (const machine of [ahead, behind])
      await expect(new Leases(storage, { waitMs: 10 }).holdAlone(machine, prune())).rejects.toEqual(locked)
  })

  it('a run that could not renew its own knows that it holds none any more', async () => {
    const storage = await open()
    const error = new HoldfastError('storage.unreachable', 'connection lost')
    let broken = false
    const faulty = faultyStorage(storage, {
      matches: () => broken,
      failPut: { afterBytes: 0, error },
    })
    const lease = await held(new Leases(faulty, { ttlMs: 900 }).hold(cx, prune()))
    lease.assertHeld()
    broken = true
    const state = () => {
      try {
        lease.assertHeld()
        return 'held'
      } catch (error) {
        return (error as HoldfastError).code
      }
    }
    await expect.poll(state, { timeout: 10_000 }).toBe('locked.by-another-run')
  })
})
