import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { countingProxy } from '../../test/servers/counting-proxy.js'
import { startMoto } from '../../test/servers/moto.js'
import { needsMoto } from '../../test/servers/needs.js'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { memoryDriver } from '../storages/memory/driver.js'
import { s3Driver } from '../storages/s3/driver.js'
import type { ObjectKey, Storage } from '../storages/storage.js'
import { withWrappers } from '../storages/wrap/wrapped-driver.js'
import { wrapped } from '../storages/wrap/wrapped.js'
import { Catalog } from './catalog.js'
import { indexKey, manifestKey } from './keys.js'
import { exampleManifest } from './manifest-example.js'
import { formatManifest, type Manifest } from './manifest.js'
import { worthIndexing } from './manifest-index.js'

const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const none = new Set<string>()
let count = 0

function manifestOf(number: number, alias = 'shop'): Manifest {
  const id = `20260101T${String(number).padStart(9, '0')}Z-aaaaaa`
  return exampleManifest({ id, database: { alias, name: alias } })
}

function put(storage: Storage, key: ObjectKey, text: string): Promise<unknown> {
  return storage.put(cx, key, Readable.from([Buffer.from(text)]))
}

async function putManifests(storage: Storage, from: number, to: number): Promise<void> {
  const manifests = Array.from({ length: to - from }, (_, index) => manifestOf(from + index)).values()
  const worker = async () => {
    for (const manifest of manifests)
      await put(storage, manifestKey('shop', manifest.id), formatManifest(manifest))
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

/** A storage in memory with so many manifests, and what is read of it. */
async function stored(manifests: number): Promise<{ storage: Storage; read: string[] }> {
  const inner = await memoryDriver.open({}, { name: `index-${count++}`, baseDirectory: '/' })
  const read: string[] = []
  const storage = wrapped(inner, {
    get(context, key, range) {
      read.push(key)
      return inner.get(context, key, range)
    },
  })
  await putManifests(storage, 0, manifests)
  return { storage, read }
}

async function index(catalog: Catalog, removed: ReadonlySet<string> = none): Promise<void> {
  await catalog.index(cx, await catalog.list(cx), removed)
}

const idsOf = ({ manifests }: { readonly manifests: readonly Manifest[] }) => manifests.map(({ id }) => id)

describe('the index of manifests', () => {
  it('gives what the manifests would; only what it does not hold is read', async () => {
    const { storage, read } = await stored(100)
    const catalog = new Catalog(storage)
    await index(catalog)
    await putManifests(storage, 100, 103)
    read.length = 0
    const indexed = await catalog.list(cx)
    expect(read).toHaveLength(4)
    expect(indexed.manifests).toHaveLength(103)
    expect(indexed.sizes.has(indexKey)).toBe(false)
    const direct = await catalog.list(cx, 'read')
    expect(indexed.manifests).toEqual(direct.manifests)
    expect(indexed.seals).toEqual(direct.seals)
  })

  it('is asked for only where the storage answers, and has manifests', async () => {
    const { storage, read } = await stored(0)
    await new Catalog(storage).list(cx)
    expect(read).toEqual([])
    await putManifests(storage, 0, 1)
    await new Catalog(storage).list(cx)
    expect(read).toHaveLength(2)
  })

  it('is not written for a few', async () => {
    const { storage } = await stored(worthIndexing - 1)
    await index(new Catalog(storage))
    expect(await storage.stat(cx, indexKey)).toBeUndefined()
    await putManifests(storage, worthIndexing - 1, worthIndexing)
    await index(new Catalog(storage))
    expect(await storage.stat(cx, indexKey)).toBeDefined()
  })

  it('FAILURES 16: a manifest that was removed or replaced since is so in the list', async () => {
    const { storage } = await stored(100)
    const catalog = new Catalog(storage)
    await index(catalog)
    const [gone, changed, broken] = [manifestOf(1), manifestOf(2), manifestOf(3)]
    await storage.delete(cx, manifestKey('shop', gone.id))
    // As long as it was before.
    const text = formatManifest(changed).replace('"web1"', '"web2"')
    await put(storage, manifestKey('shop', changed.id), text)
    await put(storage, manifestKey('shop', broken.id), 'x'.repeat(Buffer.byteLength(formatManifest(broken))))
    const listing = await catalog.list(cx)
    expect(idsOf(listing)).not.toContain(gone.id)
    expect(listing.manifests.find(({ id }) => id === changed.id)?.server).toBe('web2')
    expect(listing.damaged.map(({ key }) => key)).toEqual([manifestKey('shop', broken.id)])
  })

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['with a flipped bit', (bytes: Buffer) => bytes.map((byte, at) => (at === 3000 ? byte ^ 1 : byte))],
    ['empty', () => Buffer.alloc(0)],
    ['no archive', () => Buffer.from('{"formatVersion":1}')],
  ])('one that is %s costs time, and nothing else', async (_, damage) => {
    const { storage } = await stored(100)
    const catalog = new Catalog(storage)
    await index(catalog)
    const chunks: Buffer[] = []
    for await (const chunk of await storage.get(cx, indexKey)) chunks.push(chunk as Buffer)
    await storage.put(cx, indexKey, Readable.from([Buffer.from(damage(Buffer.concat(chunks)))]))
    const listing = await catalog.list(cx)
    expect(listing).toMatchObject({ damaged: [], indexWorn: true })
    expect(listing.manifests).toHaveLength(100)
  })

  it('of two that are written at once one stays, and nothing is missed', async () => {
    const { storage } = await stored(100)
    const [one, other] = [new Catalog(storage), new Catalog(storage)]
    const early = await one.list(cx)
    await putManifests(storage, 100, 200)
    const late = await other.list(cx)
    await Promise.all([other.index(cx, late, none), one.index(cx, early, none)])
    expect((await one.list(cx)).manifests).toHaveLength(200)
  })
})

/** Moto, counting what it is asked; its pages have 20 objects. */
async function countedMoto() {
  const moto = await startMoto()
  const withSmallPages = (url: string) => (url.includes('list-type=2') ? `${url}&max-keys=20` : url)
  const proxy = await countingProxy(moto.endpoint, { pathOf: withSmallPages })
  await moto.makeBucket('backups')
  const { asked, endpoint } = proxy
  const settings = { ...moto.settings, endpoint, bucket: 'backups', prefix: 'all' }
  const driver = withWrappers(s3Driver)
  const storage = await driver.open(settings, { name: 'main', baseDirectory: '/' })
  const stop = async () => {
    await storage.close()
    proxy.stop()
    await moto.stop()
  }
  return { storage, asked, stop }
}

needsMoto().it(
  'a long list on S3 reads its pages side by side, where the index marks them',
  async () => {
    const { storage, asked, stop } = await countedMoto()
    try {
      const backups = 120
      await putManifests(storage, 0, backups)
      const catalog = new Catalog(storage)
      const listing = await catalog.list(cx)
      const keys = listing.texts.map(({ object }) => object.key).sort()
      await catalog.index(cx, { ...listing, marks: keys.filter((_, at) => at % 15 === 14) }, none)
      await storage.delete(cx, manifestKey('shop', manifestOf(44).id))
      await putManifests(storage, backups, backups + 30)
      Object.assign(asked, { requests: 0, atOnce: 0 })
      const again = await new Catalog(storage).list(cx)
      // A first page, the index, seven ranges of which the last has two pages more, and what the index does not have.
      expect(asked.requests).toBe(1 + 1 + 7 + 2 + 30)
      expect(asked.atOnce).toBeGreaterThanOrEqual(7)
      const expected = Array.from({ length: backups + 30 }, (_, number) => manifestOf(number).id)
      expect(idsOf(again).reverse()).toEqual(expected.filter((id) => id !== manifestOf(44).id))
    } finally {
      await stop()
    }
  },
  60_000,
)
