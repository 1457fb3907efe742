import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAzurite, type AzuriteServer } from '../../../test/servers/azurite.js'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { azureDriver } from './driver.js'

const where = { name: 'main', baseDirectory: '/' }
const driver = withWrappers(azureDriver)
const cx: Context = { env: fakeEnv(), signal: new AbortController().signal, emit: () => undefined }
const key = objectKey('shop/app.dump')

describe('the Azure storage', () => {
  let server: AzuriteServer
  let opened = 0
  const places = new Map<Storage, string>()

  beforeAll(async () => {
    server = await startAzurite()
    await server.makeContainer('backups')
  })
  afterAll(() => server.stop())

  const openWith = (settings: Readonly<Record<string, unknown>>): Promise<Storage> =>
    driver.open({ ...server.settings, container: 'backups', ...settings }, where)

  async function open(prefix: string): Promise<Storage> {
    const storage = await openWith({ prefix })
    places.set(storage, prefix)
    return storage
  }

  describe('keeps the contract', () => {
    const fixture = {
      open: () => open(`test-${opened++}`),
      reopen: (storage: Storage) => open(places.get(storage) ?? ''),
      mishaps: {
        denied: () => openWith({ accountKey: undefined, sasToken: server.token('backups', '') }),
        unreachable: () =>
          openWith({ endpoint: `http://127.0.0.1:1/${server.settings.account}`, retryFor: '0' }),
      },
    }
    for (const check of storageContract(fixture)) it(check.name, () => check.run())
  })

  it('logs in with a token, or a connection string', async () => {
    const { account, accountKey, endpoint } = server.settings
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${endpoint};`
    const ways = [{ endpoint, sasToken: `?${server.token('backups', 'rcwdl')}` }, { connectionString }]
    for (const way of ways) {
      const storage = await driver.open({ container: 'backups', prefix: `login-${opened++}`, ...way }, where)
      await storage.put(cx, key, Readable.from(['in']), { createOnly: true })
      expect(await storage.stat(cx, key)).toMatchObject({ key, bytes: 2 })
    }
  })

  it('says storage.login-refused for a wrong key', async () => {
    const storage = await openWith({ accountKey: Buffer.from('another').toString('base64') })
    const put = storage.put(cx, key, Readable.from(['x']))
    await expect(put).rejects.toMatchObject({ code: 'storage.login-refused' })
  })

  it('says that a container is missing, and never takes it for an empty one', async () => {
    const storage = await openWith({ container: 'nowhere' })
    const missing = { code: 'storage.not-found', hint: 'make the container first, or correct its name' }
    await expect(storage.put(cx, key, Readable.from(['x']))).rejects.toMatchObject(missing)
    await expect(storage.list(cx, '')[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing)
    await expect(storage.stat(cx, key)).rejects.toMatchObject(missing)
    await expect(storage.delete(cx, key)).rejects.toMatchObject(missing)
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

  it('gives an object its tier', async () => {
    const storage = await openWith({ prefix: 'tiers', tier: 'Cool' })
    await storage.put(cx, key, Readable.from(['cold']))
    expect(await server.tierOf('backups', `tiers/${key}`)).toBe('Cool')
  })
})

describe('settings of an Azure storage', () => {
  it('may be a URL', () => {
    expect(azureDriver.parse?.('azure://backups/shop/eu?account=acme&tier=Cool')).toEqual({
      container: 'backups',
      prefix: 'shop/eu',
      account: 'acme',
      tier: 'Cool',
    })
    expect(() => azureDriver.parse?.('azure:///shop')).toThrow('azure:// takes a container')
  })

  it.each([
    [{ container: 'a', acount: 'b' }, 'config.unknown-key', 'storages.main has no setting acount'],
    [{ container: 'a', account: 'b' }, 'config.invalid', 'accountKey, or sasToken'],
    [{ container: 'a' }, 'config.invalid', 'needs account, endpoint or connectionString'],
    [{ container: 'a', connectionString: 'hush' }, 'config.invalid', 'connectionString'],
    [{ container: 'a', account: 'b', accountKey: 'hush', immutableFor: '30' }, 'config.invalid', '30d'],
  ])('%j is refused: %s, %s', async (settings, code, why) => {
    const thrown: unknown = await driver.open(settings, where).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(why) as string })
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('hush')
  })
})
