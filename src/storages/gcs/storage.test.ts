import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countingProxy } from '../../../test/servers/counting-proxy.js'
import { cuttingProxy } from '../../../test/servers/cutting-proxy.js'
import { startFakeGcs, type FakeGcsServer } from '../../../test/servers/fake-gcs.js'
import { needsFakeGcs } from '../../../test/servers/needs.js'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { flow } from '../../testing/storage-bench.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { gcsDriver } from './driver.js'

const where = { name: 'main', baseDirectory: '/' }
const driver = withWrappers(gcsDriver)
const cx: Context = { env: fakeEnv(), signal: new AbortController().signal, emit: () => undefined }
const key = objectKey('shop/app.dump')

needsFakeGcs().describe('the Google Cloud Storage storage', () => {
  let server: FakeGcsServer
  let opened = 0
  const places = new Map<Storage, string>()

  beforeAll(async () => {
    server = await startFakeGcs()
    await server.makeBucket('backups')
  })
  afterAll(() => server.stop())

  const openWith = (settings: Readonly<Record<string, unknown>>): Promise<Storage> =>
    driver.open({ ...server.settings, bucket: 'backups', ...settings }, where)

  async function open(prefix: string): Promise<Storage> {
    const storage = await openWith({ prefix })
    places.set(storage, prefix)
    return storage
  }

  describe('keeps the contract', () => {
    const fixture = {
      open: () => open(`test-${opened++}`),
      reopen: (storage: Storage) => open(places.get(storage) ?? ''),
      mishaps: { unreachable: () => openWith({ endpoint: 'http://127.0.0.1:2', retryFor: '0' }) },
    }
    for (const check of storageContract(fixture)) it(check.name, () => check.run())
  })

  it('goes on reading where the connection broke', async () => {
    const proxy = await cuttingProxy(Number(new URL(server.endpoint).port))
    try {
      const notices: string[] = []
      const healing: Context = {
        ...cx,
        emit(event) {
          if (event.type === 'notice') notices.push(event.message)
          proxy.heal()
        },
      }
      const storage = await openWith({ endpoint: `http://127.0.0.1:${proxy.port}`, prefix: 'cut' })
      await storage.put(cx, key, flow(512))
      proxy.cutAfter({ received: 10 * 1024 * 1024 })
      const read = await buffer(await storage.get(healing, key))
      expect(read.equals(await buffer(flow(512)))).toBe(true)
      expect(notices).toEqual([expect.stringContaining('trying again')])
    } finally {
      await proxy.close()
    }
  })

  it('reads a list that is longer than a page between marks, side by side', async () => {
    const keyOf = (number: number) => objectKey(`a/${String(number).padStart(4, '0')}`)
    const keys = Array.from({ length: 1040 }, (_, number) => keyOf(number))
    const left = keys.values()
    const writing = async () => {
      for (const each of left) await server.upload('backups', `long/${each}`)
    }
    await Promise.all(Array.from({ length: 16 }, writing))
    const proxy = await countingProxy(server.endpoint, { delayMs: 100 })
    try {
      const storage = await openWith({ prefix: 'long', endpoint: proxy.endpoint })
      const marks = [keyOf(1010), keyOf(500), objectKey('a/1025-never-there')]
      const listed: string[] = []
      const list = storage.list(cx, 'a/', { marks: () => Promise.resolve(marks) })
      for await (const object of list) listed.push(object.key)
      expect(listed).toEqual(keys)
      // A page, and three ranges: up to 1010, up to 1025, and the rest.
      expect(proxy.asked).toEqual({ requests: 1 + 3, atOnce: 3 })
    } finally {
      proxy.stop()
    }
  })

  it('goes on behind a page that holds nothing and is not the last', async () => {
    for (const name of ['a', 'b']) await server.upload('backups', `sparse/${name}`)
    const front = createServer((asked, answer) => {
      const url = new URL(asked.url ?? '', server.endpoint)
      // As the service may answer, and the one of the tests never does.
      if (!url.searchParams.has('pageToken')) return answer.end(JSON.stringify({ nextPageToken: 'further' }))
      url.searchParams.delete('pageToken')
      return void fetch(url).then(async (given) => answer.end(await given.text()))
    }).listen(0, '127.0.0.1')
    await once(front, 'listening')
    try {
      const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
      const listed: string[] = []
      for await (const { key: each } of (await openWith({ prefix: 'sparse', endpoint })).list(cx, ''))
        listed.push(each)
      expect(listed).toEqual(['a', 'b'])
    } finally {
      front.closeAllConnections()
      front.close()
    }
  })

  it('has stored nothing where the service does not lock what is to be locked', async () => {
    const storage = await openWith({ prefix: 'locks', immutableFor: '30d' })
    const put = storage.put(cx, key, Readable.from(['kept']), { retain: true })
    await expect(put).rejects.toMatchObject({
      code: 'storage.failed',
      message: expect.stringContaining('has not locked it') as string,
    })
    expect(await storage.stat(cx, key)).toBeUndefined()
    await storage.put(cx, key, Readable.from(['loose']))
  })

  it('says that a bucket is missing, and never takes it for an empty one', async () => {
    const storage = await openWith({ bucket: 'nowhere' })
    const missing = { code: 'storage.not-found' }
    await expect(storage.put(cx, key, Readable.from(['x']))).rejects.toMatchObject(missing)
    await expect(storage.list(cx, '')[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing)
  })
})

describe('settings of a Google Cloud Storage storage', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gcs-test-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('may be a URL', () => {
    expect(gcsDriver.parse?.('gs://backups/shop/eu?storageClass=NEARLINE')).toEqual({
      bucket: 'backups',
      prefix: 'shop/eu',
      storageClass: 'NEARLINE',
    })
    expect(() => gcsDriver.parse?.('gs:///shop')).toThrow('gs:// takes a bucket')
  })

  it.each([
    [{ bucket: 'a', buckt: 'b' }, 'config.unknown-key', 'storages.main has no setting buckt'],
    [{ bucket: 'a', credentials: 'hush' }, 'config.invalid', 'not the JSON of a service account'],
    [{ bucket: '' }, 'config.invalid', 'storages.main.bucket: is empty'],
  ])('%j is refused: %s, %s', async (settings, code, why) => {
    const thrown: unknown = await driver.open(settings, where).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(why) as string })
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('hush')
  })

  it('says storage.login-refused for credentials that cannot be used', async () => {
    const keyFile = join(folder, 'key.json')
    writeFileSync(
      keyFile,
      JSON.stringify({ type: 'service_account', client_email: 'a@b', private_key: 'hush' }),
    )
    const storage = await driver.open({ bucket: 'a', keyFile, retryFor: '0' }, where)
    const thrown: unknown = await storage.stat(cx, key).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'storage.login-refused' })
    expect(String(thrown)).not.toContain('hush')
  })
})
