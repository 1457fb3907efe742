import { Readable } from 'node:stream'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'
import { memoryDriver } from '../storages/memory/driver.js'
import { objectKey } from '../storages/object-key.js'
import type { Storage } from '../storages/storage.js'
import { faultyStorage } from '../testing/faulty-storage.js'
import { Catalog } from './catalog.js'
import { artifactKey, manifestKey } from './keys.js'
import { formatManifest, type Manifest } from './manifest.js'
import { exampleManifest } from './manifest-example.js'
import type { PendingRecord } from './pending.js'

const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const dayMs = 24 * 60 * 60 * 1000
let storage: Storage
let catalog: Catalog
let count = 0

beforeEach(async () => {
  storage = await memoryDriver.open({}, { name: `catalog-${count++}`, baseDirectory: '/' })
  catalog = new Catalog(storage)
})

function manifestOf(id: string): Manifest {
  const [part] = exampleManifest().parts
  if (part === undefined) throw new TypeError('the example has a part')
  return exampleManifest({
    id,
    parts: [{ ...part, stored: { ...part.stored, key: artifactKey('shop', `${id}.dump`) } }],
  })
}

async function put(key: string, text: string): Promise<void> {
  await storage.put(cx, objectKey(key), Readable.from([Buffer.from(text)]))
}

async function makeBackup(id: string): Promise<Manifest> {
  const manifest = manifestOf(id)
  await put(`shop/${id}.dump`, 'dump')
  await catalog.commit(cx, manifest)
  await catalog.settle(cx, recordOf(id))
  return manifest
}

function recordOf(id: string, changes: Partial<PendingRecord> = {}): PendingRecord {
  return {
    formatVersion: 1,
    name: `${id}.dump`,
    id,
    alias: 'shop',
    started: '2026-01-01T00:00:00Z',
    keys: [`shop/${id}.dump`],
    ...changes,
  }
}

async function keys(): Promise<string[]> {
  const all: string[] = []
  for await (const { key } of storage.list(cx, '')) all.push(key)
  return all
}

const first = '20260101T000000000Z-aaaaaa'
const second = '20260101T000000001Z-aaaaaa'

describe('list', () => {
  it('gives what was committed, newest first, whatever else is there', async () => {
    const old = await makeBackup(first)
    const young = await makeBackup(second)
    await put('shop/notes.txt', 'of the user')
    expect(await catalog.list(cx)).toMatchObject({ manifests: [young, old], damaged: [], pending: [] })
  })

  it('an artifact without a manifest is not a backup', async () => {
    await put('shop/shop.dump', 'dump')
    expect((await catalog.list(cx)).manifests).toEqual([])
  })

  it('FAILURES 16: reports a manifest that cannot be read, or is that of another backup, and lists the others', async () => {
    await makeBackup(first)
    await put(manifestKey('shop', second), '{"formatVersion": 1')
    await put(manifestKey('other', first), formatManifest(manifestOf(first)))
    const { manifests, damaged } = await catalog.list(cx)
    expect(manifests.map(({ id }) => id)).toEqual([first])
    expect(damaged.map(({ key, error }) => [key, error.code])).toEqual(
      expect.arrayContaining([
        [manifestKey('shop', second), 'integrity.manifest'],
        [manifestKey('other', first), 'integrity.manifest'],
      ]),
    )
  })

  it('FAILURES 23: a storage that fails midway is an error, never a shorter list', async () => {
    await makeBackup(first)
    await makeBackup(second)
    const error = new HoldfastError('storage.unreachable', 'connection lost')
    const faulty = new Catalog(faultyStorage(storage, { failList: { afterObjects: 1, error } }))
    await expect(faulty.list(cx)).rejects.toBe(error)
  })
})

describe('remove', () => {
  it('leaves nothing of the backup, and everything else', async () => {
    const old = await makeBackup(first)
    await makeBackup(second)
    await catalog.remove(cx, old)
    expect(await keys()).toEqual([`shop/${second}.dump`, manifestKey('shop', second)].sort())
  })

  it('FAILURES 73: a manifest whose key reaches outside is refused, and nothing is removed', async () => {
    const manifest = await makeBackup(first)
    const [part] = manifest.parts
    if (part === undefined) throw new TypeError('the example has a part')
    const hostile = { ...manifest, parts: [{ ...part, stored: { ...part.stored, key: '../../etc/passwd' } }] }
    await expect(catalog.remove(cx, hostile)).rejects.toMatchObject({ code: 'storage.unsafe-key' })
  })
})

describe('orphans', () => {
  it('FAILURES 7: are what an interrupted run announced, a day later, and nothing of anybody else', async () => {
    await put('shop/half.dump', 'half')
    await put('shop/notes.txt', 'of the user')
    await catalog.reserve(cx, recordOf('half'))
    const records = await catalog.orphans(cx, await catalog.list(cx), dayMs)
    expect(records.map((record) => record.keys)).toEqual([['shop/half.dump']])
    for (const record of records) await catalog.abandon(cx, record)
    expect(await keys()).toEqual(['shop/notes.txt'])
  })

  it('are not those of a run that may still go on', async () => {
    await catalog.reserve(cx, recordOf('half', { started: new Date().toISOString() }))
    expect(await catalog.orphans(cx, await catalog.list(cx), dayMs)).toEqual([])
  })

  it('never take what a backup needs, also when its record stayed behind', async () => {
    await makeBackup(first)
    await catalog.announce(cx, recordOf(first))
    await catalog.announce(cx, recordOf('other', { keys: [`shop/${first}.dump`] }))
    const records = await catalog.orphans(cx, await catalog.list(cx), dayMs)
    expect(records.flatMap((record) => record.keys)).toEqual([])
    for (const record of records) await catalog.abandon(cx, record)
    expect((await catalog.list(cx)).manifests.map(({ id }) => id)).toEqual([first])
    expect(await keys()).toContain(`shop/${first}.dump`)
  })

  it('are not looked for where a manifest is damaged', async () => {
    await put(manifestKey('shop', first), 'damaged')
    await catalog.reserve(cx, recordOf('half'))
    expect(await catalog.orphans(cx, await catalog.list(cx), dayMs)).toEqual([])
  })
})

it('FAILURES 13: a name can be reserved once', async () => {
  await catalog.reserve(cx, recordOf('half'))
  await expect(catalog.reserve(cx, recordOf('half', { id: 'another' }))).rejects.toMatchObject({
    code: 'storage.exists',
  })
})

it('FAILURES 11: a manifest that the storage did not keep whole is an error', async () => {
  const faulty = new Catalog(faultyStorage(storage, { shortPut: { bytes: 10 } }))
  await expect(faulty.commit(cx, manifestOf(first))).rejects.toMatchObject({
    code: 'storage.failed',
  })
})
