import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HoldfastError } from '../../src/errors.js'
import { localDriver } from '../../src/storages/local/driver.js'
import type { StorageDriver } from '../../src/storages/storage.js'
import { faultyStorage, type StorageFaults } from '../../src/testing/faulty-storage.js'
import { execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from '../flows/workbench.js'

/** A local storage with faults that can be switched on and off. */
async function shopWithFaults() {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'))
  const faults: { now: StorageFaults } = { now: {} }
  const driver: StorageDriver = {
    driver: 'faulty',
    open: async (_settings, where) => {
      const real = await localDriver.open({ path: './backups' }, where)
      const at = () => faultyStorage(real, faults.now)
      return {
        capabilities: real.capabilities,
        describe: () => real.describe(),
        put: (...args) => at().put(...args),
        get: (...args) => at().get(...args),
        stat: (...args) => at().stat(...args),
        list: (...args) => at().list(...args),
        delete: (...args) => at().delete(...args),
        sweep: (...args) => at().sweep(...args),
        close: () => real.close(),
      }
    },
  }
  const hf = await holdfastIn(folder, {
    databases: { shop: 'sqlite:./shop.sqlite3' },
    storageDrivers: [driver],
    storages: { main: { driver: 'faulty' } },
  })
  return { folder, hf, faults, backups: join(folder, 'backups') }
}

const artifacts = (key: string) => key.includes('.sqlite3')
const manifests = (key: string) => key.endsWith('.manifest.json')

describe('a storage that fails leaves the old backups and nothing new', () => {
  const full = new HoldfastError('storage.full', 'there is no space left')
  it.each<[string, string, StorageFaults]>([
    [
      'FAILURES 5: full at the first byte',
      'storage.full',
      { matches: artifacts, failPut: { afterBytes: 0, error: full } },
    ],
    [
      'FAILURES 5: full in the middle',
      'storage.full',
      { matches: artifacts, failPut: { afterBytes: 2000, error: full } },
    ],
    [
      'FAILURES 5: full when the manifest is written',
      'storage.full',
      { matches: manifests, failPut: { afterBytes: 0, error: full } },
    ],
    [
      'FAILURES 11: an upload that is short',
      'storage.failed',
      { matches: artifacts, shortPut: { bytes: 2000 } },
    ],
    ['FAILURES 11: an upload that is lost', 'storage.failed', { matches: artifacts, losePut: true }],
    ['FAILURES 11: a manifest that is lost', 'storage.failed', { matches: manifests, losePut: true }],
  ])('%s', async (_what, code, fault) => {
    const { hf, faults, backups } = await shopWithFaults()
    const first = resultOf(await hf.backup())
    const before = filesBelow(backups)
    faults.now = fault
    expect(await hf.backup({ prune: true })).toMatchObject([{ ok: false, error: { code } }])
    faults.now = {}
    expect(filesBelow(backups)).toEqual(before)
    expect((await hf.list()).backups.map(({ manifest }) => manifest.id)).toEqual([first.id])
    expect((await hf.verify()).results).toMatchObject([{ ok: true }])
  })

  it('FAILURES 7: what cannot be removed now is announced, and swept a day later', async () => {
    const { folder, hf, faults, backups } = await shopWithFaults()
    faults.now = {
      matches: artifacts,
      shortPut: { bytes: 2000 },
      failDelete: new HoldfastError('storage.unreachable', 'gone'),
    }
    expect(await hf.backup()).toMatchObject([{ ok: false, error: { code: 'storage.failed' } }])
    faults.now = {}
    const left = filesBelow(backups)
    expect(left.filter((name) => name.endsWith('.pending.json')).length).toBe(1)
    expect(left.length).toBe(2)
    expect((await hf.list()).backups).toEqual([])
    expect((await hf.prune()).swept).toEqual([])
    const tomorrow = await tomorrowIn(folder)
    expect((await tomorrow.prune({ dryRun: true })).swept.length).toBe(1)
    expect(filesBelow(backups)).toEqual(left)
    expect((await tomorrow.prune()).swept.length).toBe(1)
    expect(filesBelow(backups)).toEqual([])
  })
})

async function tomorrowIn(folder: string) {
  const { nodeEnv } = await import('../../src/env/node-env.js')
  const env = { ...nodeEnv(), clock: { now: () => new Date(Date.now() + 25 * 60 * 60 * 1000) } }
  return holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } }, { env })
}

describe('FAILURES 23: an error while listing is an error', () => {
  it.each([0, 1])('after %i objects', async (afterObjects) => {
    const { hf, faults } = await shopWithFaults()
    resultOf(await hf.backup())
    const error = new HoldfastError('storage.unreachable', 'connection lost')
    faults.now = { failList: { afterObjects, error } }
    await expect(hf.list()).rejects.toBe(error)
    await expect(hf.prune()).rejects.toBe(error)
    await expect(hf.verify()).rejects.toBe(error)
    await expect(hf.restore({ confirm: true })).rejects.toBe(error)
  })

  it('a storage whose folder is gone is not an empty one', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'))
    const hf = await holdfastIn(folder, {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      storages: { main: { driver: 'local', path: './not-mounted' } },
    })
    await expect(hf.list()).rejects.toMatchObject({ code: 'storage.not-found' })
  })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0

it.skipIf(!canMount)(
  `${canMount ? '' : '[needs root and mount] '}FAILURES 5: a disk that is really full`,
  async () => {
    const folder = await testFolder()
    const backups = join(folder, 'backups')
    mkdirSync(backups)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', backups])
    onTestFinished(() => void execFileSync('umount', [backups]))
    const database = join(folder, 'shop.sqlite3')
    makeShop(database, 200)
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
    const first = resultOf(await hf.backup())
    const before = filesBelow(backups)
    execute(
      database,
      `CREATE TABLE noise AS SELECT readable FROM (SELECT hex(randomblob(2000000)) AS readable)`,
    )
    expect(await hf.backup()).toMatchObject([{ ok: false, error: { code: 'storage.full' } }])
    expect(filesBelow(backups)).toEqual(before)
    expect((await hf.verify()).results).toMatchObject([{ id: first.id, ok: true }])
  },
)
