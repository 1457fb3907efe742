import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  createReadStream,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { indexKey } from '../../src/catalog/keys.js'
import { worthIndexing } from '../../src/catalog/manifest-index.js'
import type { HoldfastConfig } from '../../src/config/config.js'
import { defineConnector } from '../../src/custom/define-connector.js'
import { HoldfastError } from '../../src/errors.js'
import { localDriver } from '../../src/storages/local/driver.js'
import type { StorageDriver, StoredObject } from '../../src/storages/storage.js'
import { wrapped } from '../../src/storages/wrap/wrapped.js'
import { faultyStorage, type StorageFaults } from '../../src/testing/faulty-storage.js'
import { needsTool } from '../servers/needs.js'
import { built, documentOf, holdfast, project } from '../cli/command-line.js'
import { contentOf, execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const artifact = (key: string) => key.endsWith('.zst')

/** A shop with the storages main and offsite, the latter with faults. */
async function shop(faults: StorageFaults = {}, config: HoldfastConfig = {}) {
  const folder = await testFolder()
  const file = join(folder, 'shop.sqlite3')
  makeShop(file)
  const driver: StorageDriver = {
    driver: 'faulty',
    open: async (settings, where) => faultyStorage(await localDriver.open(settings, where), faults),
  }
  const hf = await holdfastIn(folder, {
    databases: { shop: 'sqlite:./shop.sqlite3' },
    storageDrivers: [driver],
    storages: { main: './main', offsite: { driver: 'faulty', path: './offsite' } },
    ...config,
  })
  return { folder, file, hf }
}

describe('several storages at once', () => {
  it('every configured storage has the same backup, each whole by itself', async () => {
    const { folder, file, hf } = await shop()
    const result = resultOf(await hf.backup())
    expect(result.copies.map(({ storage }) => storage)).toEqual(['main', 'offsite'])
    expect(result.failedStorages).toEqual([])
    const names = filesBelow(join(folder, 'main'))
    expect(filesBelow(join(folder, 'offsite'))).toEqual(names)
    for (const name of names) {
      const [one, other] = ['main', 'offsite'].map((storage) => readFileSync(join(folder, storage, name)))
      expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true)
    }
    expect((await hf.verify()).results).toMatchObject([
      { ok: true, result: { backup: { storage: 'main' } } },
      { ok: true, result: { backup: { storage: 'offsite' } } },
    ])
    const before = contentOf(file)
    rmSync(join(folder, 'main'), { recursive: true })
    mkdirSync(join(folder, 'main'))
    execute(file, 'DELETE FROM orders')
    await hf.restore({ backup: result.id, confirm: true })
    expect(contentOf(file)).toBe(before)
  })

  it('the dump is made once', async () => {
    let dumps = 0
    const counting = defineConnector({
      name: 'counting',
      engine: 'sqlite',
      extension: 'sqlite3',
      dump({ connection }) {
        dumps++
        return createReadStream(connection.name)
      },
      restore: () => Promise.resolve(),
    })
    const databases = { shop: { url: 'sqlite:./shop.sqlite3', connector: counting } }
    const { hf } = await shop({}, { databases })
    const [one, other] = resultOf(await hf.backup()).copies.map(({ manifest }) => manifest.parts[0]?.stored)
    expect(dumps).toBe(1)
    expect(one?.sha256).toBe(other?.sha256)
  })

  it.each([
    [
      'a database names its own',
      { databases: { shop: { url: 'sqlite:./shop.sqlite3', storages: ['offsite'] } } },
      {},
      ['offsite'],
    ],
    ['a call names one', {}, { storage: 'offsite' }, ['offsite']],
    ['a call names several', {}, { storages: ['offsite', 'main', 'offsite'] }, ['offsite', 'main']],
    [
      'a call wins over the database',
      { databases: { shop: { url: 'sqlite:./shop.sqlite3', storages: ['offsite'] } } },
      { storage: 'main' },
      ['main'],
    ],
  ])('%s', async (_what, config, request, storages) => {
    const { hf } = await shop({}, config)
    expect(resultOf(await hf.backup(request)).copies.map(({ storage }) => storage)).toEqual(storages)
  })

  it('a name that is not configured is refused before anything starts', async () => {
    const { hf } = await shop()
    await expect(hf.backup({ storages: ['main', 'offsit'] })).rejects.toMatchObject({
      code: 'usage.unknown-storage',
    })
    const databases = { shop: { url: 'sqlite:./shop.sqlite3', storages: ['offsit'] } }
    await expect(shop({}, { databases })).rejects.toMatchObject({
      code: 'usage.unknown-storage',
      message:
        'databases.shop.storages (the configuration): there is no storage offsit; did you mean offsite; known: main, offsite',
    })
  })
})

it('with many backups prune writes an index for lists; verify looks at each manifest itself', async () => {
  const { folder, hf } = await shop({}, { storages: { main: './main' } })
  const { id } = resultOf(await hf.backup())
  const place = join(folder, 'main', 'shop')
  const text = readFileSync(join(place, `${id}.manifest.json`), 'utf8')
  const files = Array.from({ length: worthIndexing }, (_, number) => {
    const other = `20260101T${String(number).padStart(9, '0')}Z-aaaaaa`
    const file = join(place, `${other}.manifest.json`)
    writeFileSync(file, text.replace(id, other))
    utimesSync(file, 1_700_000_000, 1_700_000_000)
    return file
  })
  await hf.prune()
  expect(filesBelow(join(folder, 'main'))).toContain(indexKey)
  const [file = ''] = files
  writeFileSync(file, 'x'.repeat(Buffer.byteLength(text)))
  utimesSync(file, 1_700_000_000, 1_700_000_000)
  // Only a disk that forgets does such a thing: neither size nor time tell of it.
  expect(await hf.list()).toMatchObject({ damaged: [], backups: { length: worthIndexing + 1 } })
  const damaged = (await hf.verify({ all: true })).results.filter(({ ok }) => !ok)
  expect(damaged).toMatchObject([{ error: { code: 'integrity.manifest' } }])
})

needsTool('restic').it(
  'a dump goes to restic as it is, in few calls, and comes back',
  async () => {
    const folder = await testFolder()
    const file = join(folder, 'shop.sqlite3')
    makeShop(file)
    const program = join(folder, 'counted-restic')
    const calls = join(folder, 'calls')
    writeFileSync(program, `#!/bin/sh\necho "$1" >> '${calls}'\nexec restic "$@"\n`, { mode: 0o755 })
    const main = {
      driver: 'restic',
      repository: './restic',
      password: 'correct-horse',
      cacheDirectory: './cache',
      program,
    }
    const hf = await holdfastIn(folder, {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      storages: { main },
    })
    const before = contentOf(file)
    const { id } = resultOf(await hf.backup())
    // Eleven; the first has made the repository, which takes a list that finds none, and `init`; and two lists where time passes.
    const count = readFileSync(calls, 'utf8').trimEnd().split('\n').length
    expect(count).toBeLessThanOrEqual(11 + 2 + 2)
    execute(file, 'DELETE FROM orders')
    await hf.restore({ confirm: true })
    expect((await hf.list()).backups).toMatchObject([{ manifest: { id, parts: [{ stages: [] }] } }])
    expect(contentOf(file)).toBe(before)
  },
  120_000,
)

const full = new HoldfastError('storage.full', 'there is no space left')

describe('a storage that fails is told by name, and the others are whole', () => {
  it.each<[string, string, StorageFaults]>([
    ['at its first byte', 'storage.full', { matches: artifact, failPut: { afterBytes: 0, error: full } }],
    ['in the middle', 'storage.full', { matches: artifact, failPut: { afterBytes: 2000, error: full } }],
    [
      'at its manifest',
      'storage.full',
      { matches: (key) => key.endsWith('.manifest.json'), failPut: { afterBytes: 0, error: full } },
    ],
    ['at the reservation of a name', 'storage.full', { failPut: { afterBytes: 0, error: full } }],
    ['with an upload that is short', 'storage.failed', { matches: artifact, shortPut: { bytes: 100 } }],
    ['with an upload that is lost', 'storage.failed', { matches: artifact, losePut: true }],
  ])('%s', async (_when, code, faults) => {
    const { folder, hf } = await shop(faults)
    const [outcome] = await hf.backup({ prune: true })
    expect(outcome).toMatchObject({
      database: 'shop',
      ok: false,
      error: {
        code: 'backup.partial',
        exit: 3,
        message: expect.stringMatching(/^the backup is whole in main, and not in offsite: /u) as string,
      },
      partial: {
        copies: [{ storage: 'main' }],
        failedStorages: [{ storage: 'offsite', error: { code } }],
      },
    })
    expect(filesBelow(join(folder, 'offsite'))).toEqual([])
    expect((await hf.verify({ storage: 'main' })).results).toMatchObject([{ ok: true }])
    expect((await hf.list()).backups.map(({ storage }) => storage)).toEqual(['main'])
  })

  it('where all fail it is no backup, and each is named', async () => {
    const { folder, hf } = await shop(
      { matches: artifact, failPut: { afterBytes: 2000, error: full } },
      {
        storages: {
          one: { driver: 'faulty', path: './one' },
          two: { driver: 'faulty', path: './two' },
        },
      },
    )
    const [outcome] = await hf.backup()
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'storage.full', message: 'one: there is no space left; two: there is no space left' },
    })
    expect(outcome).not.toHaveProperty('partial')
    expect([...filesBelow(join(folder, 'one')), ...filesBelow(join(folder, 'two'))]).toEqual([])
  })

  it('a dump that fails leaves nothing in any', async () => {
    const breaking = defineConnector({
      name: 'breaking',
      engine: 'sqlite',
      extension: 'sqlite3',
      async *dump() {
        for (let chunk = 0; chunk < 40; chunk++) yield randomBytes(256 * 1024)
        await Promise.reject(new Error('the disk of the database broke'))
      },
      restore: () => Promise.resolve(),
    })
    const { folder, hf } = await shop(
      {},
      { databases: { shop: { url: 'sqlite:./shop.sqlite3', connector: breaking } } },
    )
    expect(await hf.backup()).toMatchObject([{ ok: false, error: { code: 'connector.failed' } }])
    for (const storage of ['main', 'offsite']) expect(filesBelow(join(folder, storage))).toEqual([])
  })

  it('an interruption leaves nothing in any', async () => {
    const abort = new AbortController()
    const { folder, hf } = await shop({
      matches: artifact,
      slowPut: () => {
        abort.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
        return Promise.resolve()
      },
    })
    await expect(hf.backup({ signal: abort.signal })).rejects.toMatchObject({ code: 'interrupted.sigint' })
    expect([...filesBelow(join(folder, 'main')), ...filesBelow(join(folder, 'offsite'))]).toEqual([])
  })

  it('a folder that is taken away midway', async () => {
    const folder = await testFolder()
    const taken = { yet: false }
    const { hf, folder: home } = await shop({
      matches: artifact,
      slowPut: () => {
        if (!taken.yet) renameSync(join(home, 'offsite'), join(folder, 'elsewhere'))
        taken.yet = true
        return Promise.resolve()
      },
    })
    expect(await hf.backup()).toMatchObject([
      { ok: false, error: { code: 'backup.partial' }, partial: { copies: [{ storage: 'main' }] } },
    ])
    expect((await hf.verify({ storage: 'main' })).results).toMatchObject([{ ok: true }])
    expect(filesBelow(join(folder, 'elsewhere')).filter((name) => name.endsWith('.manifest.json'))).toEqual(
      [],
    )
  })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0

it.skipIf(!canMount)(
  `${canMount ? '' : '[needs root and mount] '}FAILURES 5: one of two disks is really full`,
  async () => {
    const { folder, file, hf } = await shop()
    const offsite = join(folder, 'offsite')
    mkdirSync(offsite)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', offsite])
    onTestFinished(() => void execFileSync('umount', [offsite]))
    execute(file, 'CREATE TABLE noise AS SELECT hex(randomblob(2000000)) AS readable')
    expect(await hf.backup()).toMatchObject([
      {
        ok: false,
        error: { code: 'backup.partial' },
        partial: { failedStorages: [{ storage: 'offsite', error: { code: 'storage.full' } }] },
      },
    ])
    expect(filesBelow(offsite)).toEqual([])
    expect((await hf.verify({ storage: 'main' })).results).toMatchObject([{ ok: true }])
  },
)

it('doctor tells of a storage whose clock is another, and of a template without a time', async () => {
  const late: StorageDriver = {
    driver: 'late',
    async open(settings, where) {
      const inner = await localDriver.open(settings, where)
      const hourAgo = (object: StoredObject) => new Date(object.modified.getTime() - 3_600_000)
      return wrapped(inner, {
        async stat(cx, key) {
          const object = await inner.stat(cx, key)
          return object === undefined ? undefined : { ...object, modified: hourAgo(object) }
        },
      })
    },
  }
  const { folder, hf } = await shop(
    {},
    {
      filename: '{database}.{extension}',
      storageDrivers: [late],
      storages: { main: { driver: 'late', path: './main' } },
    },
  )
  mkdirSync(join(folder, 'main'))
  const { checks } = await hf.doctor()
  expect(checks.filter(({ status }) => status !== 'ok')).toMatchObject([
    { subject: 'config', name: 'filename', status: 'warning' },
    { subject: 'config', name: 'retention', status: 'warning' },
    {
      subject: 'storage main',
      name: 'round trip',
      status: 'error',
      message: "its clock and this machine's differ by 3600 s",
    },
    { subject: 'encryption', status: 'warning' },
  ])
  expect(checks).toContainEqual({ subject: 'config', name: 'server name', status: 'ok', message: 'test' })
})

it.skipIf(!canMount)(
  `${canMount ? '' : '[needs root and mount] '}doctor warns where the next backup has no room`,
  async () => {
    const storages = {
      main: './main',
      offsite: { driver: 'local', path: './offsite', retention: { last: 1 } },
    }
    const { folder, file, hf } = await shop({}, { storages })
    const offsite = join(folder, 'offsite')
    mkdirSync(offsite)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', offsite])
    onTestFinished(() => void execFileSync('umount', [offsite]))
    execute(file, 'CREATE TABLE noise AS SELECT hex(randomblob(250000)) AS readable')
    const space = async () => {
      const { checks } = await hf.doctor()
      expect(checks.map(({ name }) => name)).not.toContain('retention')
      return checks.filter(({ name }) => name === 'free space')
    }
    expect(await space()).toMatchObject([
      { subject: 'storage offsite', status: 'ok', message: '0.4 MB free' },
    ])
    await hf.backup()
    expect(await space()).toMatchObject([
      {
        subject: 'storage main',
        status: 'ok',
        message: expect.stringMatching(/^\d+\.\d MB free; the/u) as string,
      },
      {
        subject: 'storage offsite',
        status: 'warning',
        message: expect.stringMatching(/^0\.1 MB free; the newest backups take 0\.[23] MB$/u) as string,
      },
    ])
  },
)

built.describe('several storages on the command line', () => {
  it('--storage may be repeated, with names and folders', async () => {
    const cwd = await project({ storages: { main: './main', offsite: './offsite' } })
    const ended = await holdfast(['backup', '--storage', 'offsite', '--storage', './usb', '--json'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(documentOf(ended)).toMatchObject({ outcomes: [{ ok: true, storages: ['offsite', './usb'] }] })
    expect(filesBelow(join(cwd, 'usb'))).toEqual(filesBelow(join(cwd, 'offsite')))
    const text = await holdfast(['backup'], { cwd })
    expect(text.stdout).toMatch(/main, offsite/u)
  })

  it('one that fails is exit 3, told by name, and the backup is shown', async () => {
    const cwd = await project({ storages: { main: './main', offsite: './offsite' } })
    writeFileSync(join(cwd, 'offsite'), 'a file where the folder should be')
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(3)
    expect(ended.stdout).toMatch(/^shop +shop-test-\S+ +main /mu)
    expect(ended.stderr).toMatch(
      /^error: shop: the backup is whole in main, and not in offsite: .*\[backup\.partial\]/u,
    )
    const json = await holdfast(['backup', '--json'], { cwd })
    expect(json.code).toBe(3)
    expect(documentOf(json)).toMatchObject({
      outcomes: [
        {
          ok: false,
          error: { code: 'backup.partial' },
          partial: { storages: ['main'], failedStorages: [{ storage: 'offsite' }] },
        },
      ],
    })
  })
})
