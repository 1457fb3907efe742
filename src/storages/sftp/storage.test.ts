import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cuttingProxy } from '../../../test/servers/cutting-proxy.js'
import { needsTool } from '../../../test/servers/needs.js'
import { startAgent, startPasswordSsh, startSshd, type SshServer } from '../../../test/servers/sshd.js'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { sftpDriver } from './driver.js'

const mebibyte = 1024 * 1024
const storages: Storage[] = []
let folder: string
let server: SshServer

function contextOf(variables: Record<string, string> = {}): Context {
  const env = fakeEnv({ time: new Date(), variables, homeDirectory: folder })
  return { env, signal: new AbortController().signal, emit: () => undefined }
}

async function openAt(path: string, more: Record<string, unknown> = {}): Promise<Storage> {
  const { host, port, user, keyFile: privateKeyFile, hostKey } = server
  const settings = { host, port, user, path, privateKeyFile, hostKey, ...more }
  const storage = await sftpDriver.open(settings, { name: 'main', baseDirectory: folder })
  storages.push(storage)
  return storage
}

const key = objectKey('shop/app.dump')

function put(storage: Storage, body: Readable | Buffer, createOnly = false, cx = contextOf()) {
  return storage.put(cx, key, Buffer.isBuffer(body) ? Readable.from([body]) : body, { createOnly })
}

async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const object of storage.list(contextOf(), '')) keys.push(object.key)
  return keys
}

/** How a login ends: `let in`, or with an error. */
function refusal(storage: Storage, cx = contextOf()): Promise<unknown> {
  return storage.stat(cx, key).then(
    () => 'let in',
    (error: unknown) => error,
  )
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sftp-test-'))
})
afterAll(async () => {
  for (const storage of storages) await storage.close()
  await rm(folder, { recursive: true, force: true })
})

const need = needsTool('sshd', 'ssh-keygen', 'ssh-agent', 'ssh-add')

need.describe('the sftp storage', () => {
  beforeAll(async () => {
    server = await startSshd()
  })
  afterAll(() => server?.stop())

  const paths = new Map<Storage, string>()
  const fixture = {
    // A folder is read whole, however long its list is.
    manyObjects: 300,
    async open() {
      const path = await server.newFolder()
      const storage = await openAt(path)
      paths.set(storage, path)
      return storage
    },
    reopen: (storage: Storage) => openAt(paths.get(storage) ?? ''),
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())

  it('FAILURES 77: holds files of mode 0600 in folders of mode 0700', async () => {
    const place = await server.newFolder()
    await put(await openAt(join(place, 'new', 'backups')), Buffer.from('a'))
    const modes = readdirSync(place, { recursive: true, withFileTypes: true }).map((entry) => {
      const full = join(entry.parentPath, entry.name)
      return [relative(place, full), (lstatSync(full).mode & 0o777).toString(8)]
    })
    expect(Object.fromEntries(modes)).toEqual({
      new: '700',
      'new/backups': '700',
      'new/backups/.holdfast-partial': '700',
      'new/backups/shop': '700',
      'new/backups/shop/app.dump': '600',
    })
  })

  it('FAILURES 72: follows no symbolic link inside its root', async () => {
    const place = await server.newFolder()
    const storage = await openAt(place)
    await put(storage, Buffer.from('a'))
    const outside = await server.newFolder()
    symlinkSync(outside, join(place, 'link'))
    const through = objectKey('link/a')
    const denied = { code: 'storage.denied', message: expect.stringContaining('symbolic link') as string }
    await expect(storage.put(contextOf(), through, Readable.from(['x']))).rejects.toMatchObject(denied)
    await expect(storage.get(contextOf(), through)).rejects.toMatchObject(denied)
    await expect(storage.delete(contextOf(), through)).rejects.toMatchObject(denied)
    await expect(keysOf(storage)).rejects.toMatchObject(denied)
    expect(readdirSync(outside)).toEqual([])
  })

  it('takes a missing root for an error, not for an empty storage', async () => {
    const storage = await openAt(join(await server.newFolder(), 'not', 'there'))
    await expect(keysOf(storage)).rejects.toMatchObject({
      code: 'storage.not-found',
    })
    expect(await storage.stat(contextOf(), key)).toBeUndefined()
  })

  it('FAILURES 76: refuses a host whose key is unknown or another one, and says which key it shows', async () => {
    const path = await server.newFolder()
    const fingerprint = /SHA256:\S+/u.exec(
      spawnSync('ssh-keygen', ['-lf', '-'], { input: server.hostKey, encoding: 'utf8' }).stdout,
    )?.[0]
    const known = join(folder, 'known_hosts')
    const other = `ssh-ed25519 ${Buffer.concat([Buffer.from('0000000b7373682d6564323535313900000020', 'hex'), Buffer.alloc(32, 7)]).toString('base64')}`
    const untrusted = async (more: Record<string, unknown>, said: string) =>
      expect(await refusal(await openAt(path, { hostKey: undefined, ...more }))).toMatchObject({
        code: 'storage.untrusted',
        message: expect.stringContaining(said) as string,
      })
    await untrusted({}, `is not known: ssh-ed25519 ${fingerprint}`)
    writeFileSync(known, `[127.0.0.1]:${server.port} ${other}\n`)
    await untrusted({ knownHosts: known }, `is ssh-ed25519 ${fingerprint}, and not the one in ${known}`)
    writeFileSync(known, `@revoked * ${server.hostKey}\n[127.0.0.1]:${server.port} ${server.hostKey}\n`)
    await untrusted({ knownHosts: known }, 'revoked')
    await untrusted({ hostKey: other }, 'hostKey in the configuration')

    writeFileSync(known, `[127.0.0.1]:${server.port} ${server.hostKey}\n`)
    spawnSync('ssh-keygen', ['-H', '-f', known])
    expect(readFileSync(known, 'utf8')).toMatch(/^\|1\|/u)
    for (const more of [{ knownHosts: './known_hosts', hostKey: undefined }, { hostKey: fingerprint }])
      expect(await refusal(await openAt(path, more))).toBe('let in')
  })

  it('logs in with a key, its passphrase, or an agent; a wrong one is refused by name', async () => {
    const path = await server.newFolder()
    const text = readFileSync(server.keyFile, 'utf8')
    const sealed = join(folder, 'sealed')
    writeFileSync(sealed, text, { mode: 0o600 })
    spawnSync('ssh-keygen', ['-p', '-q', '-P', '', '-N', 'hunter22', '-f', sealed])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'other')])
    const agent = await startAgent(folder, server.keyFile)
    const withKey = async (more: Record<string, unknown>, cx = contextOf()) =>
      refusal(await openAt(path, { privateKeyFile: undefined, ...more }), cx)
    try {
      expect(await withKey({ privateKey: text })).toBe('let in')
      expect(await withKey({ privateKeyFile: './sealed', passphrase: 'hunter22' })).toBe('let in')
      expect(await withKey({ agent: agent.socket })).toBe('let in')
      expect(await withKey({}, contextOf({ SSH_AUTH_SOCK: agent.socket }))).toBe('let in')
    } finally {
      agent.stop()
    }
    const refused = { code: 'storage.login-refused' }
    expect(await withKey({})).toMatchObject({
      ...refused,
      message: expect.stringContaining('no key') as string,
    })
    expect(await withKey({ privateKeyFile: './other' })).toMatchObject({
      ...refused,
      message: expect.stringContaining(join(folder, 'other')) as string,
    })
    for (const passphrase of ['wrong', undefined]) {
      const error = await withKey({ privateKeyFile: './sealed', passphrase })
      expect(error).toMatchObject({
        code: 'key.invalid',
        message: expect.stringContaining('passphrase') as string,
      })
      expect(inspect(error, { depth: 9 })).not.toContain('wrong')
    }
    expect(await withKey({ privateKeyFile: './missing' })).toMatchObject({ code: 'storage.not-found' })
  })

  it('FAILURES 71: logs in with a password, however the server asks for it, and shows it nowhere', async () => {
    for (const way of ['password', 'keyboard-interactive'] as const) {
      const ssh = await startPasswordSsh(way, 'hunter22')
      try {
        const login = { port: ssh.port, hostKey: ssh.hostKey, privateKeyFile: undefined, user: 'me' }
        const storage = await openAt('/x', { ...login, password: 'hunter22' })
        // The server lets in who knows the password, and has no files.
        const entered = await refusal(storage)
        expect(entered).toMatchObject({
          code: 'storage.denied',
          message: expect.stringContaining('no SFTP') as string,
        })
        const refused = await refusal(await openAt('/x', { ...login, password: 'hunter23' }))
        expect(refused).toMatchObject({ code: 'storage.login-refused' })
        expect(inspect([entered, refused, storage, storage.describe()], { depth: 9 })).not.toMatch(/hunter2/u)
      } finally {
        await ssh.close()
      }
    }
  })

  it('FAILURES 5: a connection that breaks off in a put or get is an error, and leaves nothing that can be seen', async () => {
    const path = await server.newFolder()
    const proxy = await cuttingProxy(server.port)
    const unreachable = { code: 'storage.unreachable' }
    try {
      const storage = await openAt(path, { port: proxy.port })
      const bytes = Buffer.alloc(8 * mebibyte, 7)
      await put(storage, bytes)
      proxy.cutAfter({ received: mebibyte })
      await expect(storage.get(contextOf(), key).then(buffer)).rejects.toMatchObject(unreachable)
      proxy.heal()
      proxy.cutAfter({ sent: mebibyte })
      await expect(put(storage, Buffer.alloc(8 * mebibyte, 8))).rejects.toMatchObject(unreachable)
      expect(await refusal(storage)).toMatchObject(unreachable)
      proxy.heal()
      expect((await buffer(await storage.get(contextOf(), key))).equals(bytes)).toBe(true)
      const later = contextOf()
      ;(later.env as ReturnType<typeof fakeEnv>).advance(60_000)
      expect(await storage.sweep(later, 0)).toBe(1)
      expect(readdirSync(join(path, '.holdfast-partial'))).toEqual([])
    } finally {
      await proxy.close()
    }
    expect(await refusal(await openAt(path, { port: proxy.port }))).toMatchObject({
      ...unreachable,
      message: expect.stringContaining('nothing listens there') as string,
    })
  })

  it('FAILURES 8: a full disk and a folder without permission are errors of their own', async () => {
    const path = await server.newFolder()
    const storage = await openAt(path)
    await put(storage, Buffer.from('a'))
    chmodSync(join(path, 'shop'), 0o500)
    await expect(storage.put(contextOf(), objectKey('shop/b'), Readable.from(['b']))).rejects.toMatchObject({
      code: 'storage.denied',
    })
    const mounted = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=1m,uid=${lstatSync(path).uid},mode=700`,
      'tmpfs',
      path,
    ])
    // Only root may mount.
    if (mounted.status !== 0) return
    try {
      await expect(put(storage, Buffer.alloc(4 * mebibyte, 1))).rejects.toMatchObject({
        code: 'storage.full',
      })
      expect(await keysOf(storage)).toEqual([])
      expect(readdirSync(join(path, '.holdfast-partial'))).toEqual([])
      const free = (await storage.freeBytes?.(contextOf())) ?? 0
      expect(free).toBeGreaterThan(mebibyte / 2)
      expect(free).toBeLessThanOrEqual(mebibyte)
    } finally {
      await storage.close()
      spawnSync('umount', ['-l', path])
    }
  })
})

need.describe('the sftp storage on a server that knows no more than the protocol', () => {
  beforeAll(async () => {
    server = await startSshd('-P posix-rename,hardlink,fsync,statvfs,fstatvfs')
  })
  afterAll(() => server?.stop())

  it('does not know what room there is', async () => {
    const storage = await openAt(await server.newFolder())
    expect(await storage.freeBytes?.(contextOf())).toBeUndefined()
  })

  const names = /createOnly|create-only|replace|shows nothing|sweeps/u
  const fixture = { open: async () => openAt(await server.newFolder()) }
  for (const check of storageContract(fixture)) {
    if (names.test(check.name)) it(check.name, () => check.run())
  }
})

it('is named by a URL, and refuses settings that it does not know', async () => {
  const open = (url: string) =>
    sftpDriver.open(sftpDriver.parse?.(url), { name: 'main', baseDirectory: folder })
  expect((await open('sftp://me:hunter22@h:2222/srv/backups')).describe()).toBe('sftp me@h:2222/srv/backups')
  expect((await open('sftp://me@h/~/backups?agent=/run/agent')).describe()).toBe('sftp me@h/~/backups')
  expect((await open('sftp://me@h')).describe()).toBe('sftp me@h/~/')
  await expect(open('sftp://h/x?identity=y')).rejects.toMatchObject({ code: 'config.unknown-key' })
  await expect(open('sftp://h/x?hostKey=MD5:aa')).rejects.toMatchObject({ code: 'config.invalid' })
})
