import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cuttingProxy } from '../../../test/servers/cutting-proxy.js'
import { startProftpd, type FtpServer } from '../../../test/servers/proftpd.js'
import { needsTool } from '../../../test/servers/needs.js'
import type { Context } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { ftpDriver } from './driver.js'

const where = { name: 'main', baseDirectory: '/' }
const driver = withWrappers(ftpDriver)
const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

needsTool('proftpd', 'openssl').describe('the FTP storage', () => {
  let server: FtpServer
  const paths = new Map<Storage, string>()
  const storages: Storage[] = []

  beforeAll(async () => {
    server = await startProftpd()
  })
  afterAll(async () => {
    for (const storage of storages) await storage.close()
    await server?.stop()
  })

  async function open(path: string, more: Record<string, unknown> = {}): Promise<Storage> {
    const { host, port, user, password, ca } = server
    const storage = await driver.open({ host, port, user, password, ca, path, ...more }, where)
    paths.set(storage, path)
    storages.push(storage)
    return storage
  }

  const fixture = {
    open: async () => open(await server.newFolder()),
    // Each is a TLS connection of its own; a list comes in one answer, however long it is.
    manyObjects: 20,
    rounds: 2,
    reopen: (storage: Storage) => open(paths.get(storage) ?? ''),
    mishaps: {
      loginRefused: async () => open(await server.newFolder(), { password: 'wrong' }),
      unreachable: () => open('/backups', { port: 1, retryFor: '0' }),
    },
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())

  const key = objectKey('shop/app.dump')
  const put = (storage: Storage, body: Readable) => storage.put(cx, key, body)

  it('talks to nobody whose certificate it does not know', async () => {
    const stranger = await open(await server.newFolder(), { ca: undefined, retryFor: '0' })
    await expect(stranger.stat(cx, key)).rejects.toMatchObject({ code: 'storage.untrusted' })
  })

  it('sends nothing in the clear unless it is told to', async () => {
    const plain = await startProftpd(false)
    try {
      const { port, ca } = plain
      const path = await plain.newFolder()
      const careful = await open(path, { port, ca, retryFor: '0' })
      await expect(put(careful, Readable.from(['a']))).rejects.toMatchObject({
        code: 'storage.untrusted',
        message: expect.stringContaining('offers no TLS') as string,
      })
      const careless = await open(path, { port, tls: 'none' })
      await put(careless, Readable.from([Buffer.from('a')]))
      expect(readdirSync(path, { recursive: true })).toContain('shop/app.dump')
    } finally {
      await plain.stop()
    }
  })

  it('FAILURES 11: a file that becomes shorter while it is read does not end well', async () => {
    const path = await server.newFolder()
    const storage = await open(path)
    await put(storage, Readable.from([Buffer.alloc(64 * 1024 * 1024)]))
    const reader = await storage.get(cx, key)
    truncateSync(join(path, key), 32 * 1024 * 1024)
    await expect(buffer(reader)).rejects.toMatchObject({ code: 'storage.unreachable' })
  })

  it('FAILURES 10: a connection that breaks in an upload leaves nothing that looks whole', async () => {
    const path = await server.newFolder()
    const proxy = await cuttingProxy(server.port)
    try {
      const storage = await open(path, { port: proxy.port, retryFor: '0' })
      let given = 0
      const body = new Readable({
        read() {
          // The commands go through the proxy; a few more break their connection, and the file is never said to be whole.
          if (++given === 40) proxy.cutAfter({ sent: 1 })
          this.push(given > 400 ? null : Buffer.alloc(65_536))
        },
      })
      await expect(put(storage, body)).rejects.toMatchObject({ code: 'storage.unreachable' })
      proxy.heal()
      expect(await storage.stat(cx, key)).toBeUndefined()
      expect(readdirSync(path, { recursive: true })).not.toContain('shop/app.dump')
      await put(storage, Readable.from([Buffer.from('whole')]))
      expect((await storage.stat(cx, key))?.bytes).toBe(5)
    } finally {
      await proxy.close()
    }
  })
})

it('a URL says where, and with whose name', () => {
  const parse = (url: string) => ftpDriver.parse?.(url)
  expect(parse('ftp://shop@ftp.example.com/srv/of%20shop')).toEqual({
    host: 'ftp.example.com',
    user: 'shop',
    path: '/srv/of shop',
  })
  expect(parse('ftps://ftp.example.com:990/~/shop')).toEqual({
    host: 'ftp.example.com',
    port: 990,
    tls: 'implicit',
    path: '~/shop',
  })
})
