import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApache, type WebdavServer } from '../../../test/servers/apache.js'
import { needsTool } from '../../../test/servers/needs.js'
import type { Context } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { webdavDriver } from './driver.js'
import { parseWebdavUrl } from './settings.js'
import { WebdavTree } from './tree.js'

const where = { name: 'main', baseDirectory: '/' }
const driver = withWrappers(webdavDriver)
const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

needsTool('apache2', 'openssl').describe('the WebDAV storage', () => {
  let server: WebdavServer
  const urls = new Map<Storage, string>()

  beforeAll(async () => {
    server = await startApache()
  })
  afterAll(() => server?.stop())

  async function open(url: string, more: Record<string, unknown> = {}): Promise<Storage> {
    const { user, password } = server
    const storage = await driver.open({ url, user, password, ...more }, where)
    urls.set(storage, url)
    return storage
  }

  const fixture = {
    open: async () => open((await server.newFolder()).url),
    // A list comes in one answer, however long it is.
    manyObjects: 300,
    reopen: (storage: Storage) => open(urls.get(storage) ?? ''),
    mishaps: {
      loginRefused: async () => open((await server.newFolder()).url, { password: 'wrong' }),
      unreachable: () => open('http://127.0.0.1:1/backups', { retryFor: '0' }),
    },
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())

  it('makes its folder and those above it; one that is missing is no empty storage', async () => {
    const { url, folder } = await server.newFolder()
    const storage = await open(`${url}/of%20shop/backups`)
    await expect(storage.list(cx, '')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'storage.not-found',
    })
    await storage.put(cx, objectKey('shop/a'), Readable.from([Buffer.from('a')]))
    expect(readdirSync(join(folder, 'of shop/backups/shop'))).toEqual(['a'])
  })

  it('one folder may be made by several at once: one made it, for the others it is there', async () => {
    const { url } = await server.newFolder()
    const tree = new WebdavTree({ url, user: server.user, password: new Secret(server.password) }, '/')
    for (let round = 0; round < 60; round++) {
      const made = await Promise.all(Array.from({ length: 12 }, () => tree.makeFolder(cx, `round${round}`)))
      expect(made.filter(Boolean)).toHaveLength(1)
    }
    await tree.close()
  })

  it('never removes a folder with something in it, whatever its name', async () => {
    const { url, folder } = await server.newFolder()
    const storage = await open(url)
    await storage.put(cx, objectKey('shop/a/b'), Readable.from([Buffer.from('b')]))
    await storage.delete(cx, objectKey('shop/a'))
    await expect(
      storage.put(cx, objectKey('shop/a'), Readable.from([Buffer.from('a')])),
    ).rejects.toMatchObject({ code: 'storage.exists' })
    expect(existsSync(join(folder, 'shop/a/b'))).toBe(true)
  })
})

it('a URL says where, and with whose name', () => {
  expect(parseWebdavUrl('webdavs://shop@cloud.example.com/dav/of%20shop')).toEqual({
    url: 'https://cloud.example.com/dav/of%20shop',
    user: 'shop',
  })
  expect(parseWebdavUrl('dav://cloud.example.com:8080/')).toEqual({ url: 'http://cloud.example.com:8080/' })
})
