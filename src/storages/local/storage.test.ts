import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, describe, expect, it } from 'vitest'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { localDriver } from './driver.js'
import { LocalStorage } from './storage.js'

const folders: string[] = []
const cx = contextOf()

function contextOf(env = fakeEnv()): Context {
  return { env, signal: new AbortController().signal, emit: () => undefined }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-storage-'))
  folders.push(folder)
  return folder
}

function openAt(path: string): Promise<Storage> {
  return localDriver.open({ driver: 'local', path }, { name: 'main', baseDirectory: '/nowhere' })
}

async function put(storage: Storage, key: string, text: string, createOnly = false): Promise<void> {
  await storage.put(cx, objectKey(key), Readable.from([Buffer.from(text)]), { createOnly })
}

async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(cx, prefix)) keys.push(key)
  return keys
}

async function textOf(storage: Storage, key: string): Promise<string> {
  return (await buffer(await storage.get(cx, objectKey(key)))).toString()
}

/** Every file and folder below a path with its permissions. */
async function modesOf(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name)
    found[relative(path, full)] = ((await lstat(full)).mode & 0o777).toString(8)
  }
  return found
}

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

describe('the local storage', () => {
  const roots = new Map<Storage, string>()
  const fixture = {
    async open() {
      const root = await newFolder()
      const storage = await openAt(root)
      roots.set(storage, root)
      return storage
    },
    reopen: (storage: Storage) => openAt(roots.get(storage) ?? ''),
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())
})

describe('the local storage on a file system without hard links', () => {
  const refused = Object.assign(new Error('operation not permitted'), { code: 'EPERM' })
  const fixture = {
    open: async () => new LocalStorage(await newFolder(), '/', () => Promise.reject(refused)),
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())
})

describe('the folder of a local storage', () => {
  it('FAILURES 77: holds files of mode 0600 in folders of mode 0700, whatever the umask', async () => {
    const root = join(await newFolder(), 'new', 'backups')
    const umask = process.umask(0)
    try {
      await put(await openAt(root), 'shop/parts/a', 'a')
    } finally {
      process.umask(umask)
    }
    expect(await modesOf(dirname(dirname(root)))).toEqual({
      new: '700',
      'new/backups': '700',
      'new/backups/.holdfast-partial': '700',
      'new/backups/shop': '700',
      'new/backups/shop/parts': '700',
      'new/backups/shop/parts/a': '600',
    })
  })

  it('is relative to the configuration file, or to the home folder', async () => {
    const where = { name: 'main', baseDirectory: await newFolder() }
    const relativeOne = await localDriver.open({ path: './backups' }, where)
    expect(relativeOne.describe()).toBe(`local ${join(where.baseDirectory, 'backups')}`)
    const home = await newFolder()
    const inHome = await localDriver.open({ path: '~/backups' }, where)
    expect(inHome.describe()).toBe('local ~/backups')
    const atHome = contextOf(fakeEnv({ homeDirectory: home }))
    await inHome.put(atHome, objectKey('a'), Readable.from([Buffer.from('a')]))
    expect(await readFile(join(home, 'backups', 'a'), 'utf8')).toBe('a')
  })

  it('refuses settings that it does not know or cannot use', async () => {
    const where = { name: 'main', baseDirectory: '/' }
    await expect(localDriver.open({}, where)).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('storages.main.path') as string,
    })
    await expect(localDriver.open({ path: '' }, where)).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(localDriver.open({ path: 'a\0b' }, where)).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(localDriver.open('./backups', where)).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(localDriver.open({ path: 'a', paht: 'b' }, where)).rejects.toMatchObject({
      code: 'config.unknown-key',
      message: expect.stringContaining('paht') as string,
    })
  })

  it('FAILURES 23: is not taken for an empty one where it is missing, as a disk that is not mounted', async () => {
    const missing = await openAt(join(await newFolder(), 'disk', 'backups'))
    for (const prefix of ['', 'shop/', 'shop/2026']) {
      await expect(keysOf(missing, prefix)).rejects.toMatchObject({
        code: 'storage.not-found',
        hint: expect.stringContaining('mounted') as string,
      })
    }
    await expect(textOf(missing, 'shop/a')).rejects.toMatchObject({ code: 'storage.not-found' })
    expect(await missing.stat(cx, objectKey('shop/a'))).toBeUndefined()
    expect(await missing.sweep(cx, 0)).toBe(0)
    await missing.delete(cx, objectKey('shop/a'))
    await put(missing, 'shop/a', 'the first one')
    expect(await keysOf(missing)).toEqual(['shop/a'])
  })

  it('FAILURES 23: is not taken for an empty one where it is a file', async () => {
    const file = join(await newFolder(), 'file')
    await writeFile(file, 'x')
    const storage = await openAt(file)
    await expect(keysOf(storage)).rejects.toMatchObject({ code: 'storage.not-found' })
    await expect(put(storage, 'a', 'a')).rejects.toMatchObject({ code: 'storage.exists' })
  })

  it('keeps no empty folders of deleted objects', async () => {
    const root = await newFolder()
    const storage = await openAt(root)
    await put(storage, 'shop/backup/a', 'a')
    await put(storage, 'shop/backup/b', 'b')
    await storage.delete(cx, objectKey('shop/backup/a'))
    expect(await readdir(join(root, 'shop', 'backup'))).toEqual(['b'])
    await storage.delete(cx, objectKey('shop/backup/b'))
    expect(await readdir(root)).toEqual(['.holdfast-partial'])
  })

  it('shows no file that no key can name, nor what a file system keeps for itself', async () => {
    const root = await newFolder()
    const storage = await openAt(root)
    await put(storage, 'shop/a', 'a')
    await mkdir(join(root, 'lost+found'))
    await writeFile(join(root, 'lost+found', '#12'), 'x')
    await writeFile(join(root, 'shop', 'back\\slash'), 'x')
    await writeFile(join(root, 'shop', 'line\nbreak'), 'x')
    await writeFile(Buffer.concat([Buffer.from(join(root, 'shop', 'x')), Buffer.from([0xff, 0xfe])]), 'x')
    await writeFile(join(root, '.holdfast-partial', 'left'), 'x')
    expect(await keysOf(storage)).toEqual(['shop/a'])
    expect(await keysOf(storage, '.holdfast-partial/')).toEqual([])
    for (const key of ['.holdfast-partial/left', '.HOLDFAST-Partial/x', 'lost+found/#12']) {
      await expect(put(storage, key, 'x')).rejects.toMatchObject({ code: 'storage.unsafe-key' })
      await expect(textOf(storage, key)).rejects.toMatchObject({ code: 'storage.unsafe-key' })
    }
    await expect(keysOf(storage, '../')).rejects.toMatchObject({ code: 'storage.unsafe-key' })
  })

  it('keeps an object and what lies below its name apart, and says so', async () => {
    const storage = await openAt(await newFolder())
    await put(storage, 'a', 'object')
    await put(storage, 'b/c', 'object')
    await expect(put(storage, 'a/b', 'x')).rejects.toMatchObject({ code: 'storage.exists' })
    await expect(put(storage, 'b', 'x')).rejects.toMatchObject({ code: 'storage.exists' })
    await expect(put(storage, 'b', 'x', true)).rejects.toMatchObject({ code: 'storage.exists' })
    expect(await keysOf(storage)).toEqual(['a', 'b/c'])
    expect(await textOf(storage, 'a')).toBe('object')
  })

  it('refuses on Windows what Windows would take for a stream or a device', async () => {
    const root = await newFolder()
    const storage = await openAt(root)
    const windows = contextOf(fakeEnv({ platform: 'win32' }))
    for (const key of ['shop:hidden', 'a<b', 'shop/con', 'NUL.txt', 'x/com1.dump']) {
      const body = Readable.from([Buffer.from('x')])
      await expect(storage.put(windows, objectKey(key), body)).rejects.toMatchObject({
        code: 'storage.unsafe-key',
      })
      await expect(storage.get(windows, objectKey(key))).rejects.toMatchObject({ code: 'storage.unsafe-key' })
    }
    expect(await readdir(root)).toEqual([])
  })

  it('lists 10 000 objects in a folder, and 1 000 in well under a second', async () => {
    const root = await newFolder()
    const storage = await openAt(root)
    await mkdir(join(root, 'shop'))
    const names = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(5, '0'))
    for (const name of names) await writeFile(join(root, 'shop', name), name)
    expect(await keysOf(storage)).toEqual(names.map((name) => `shop/${name}`))
    const started = performance.now()
    expect((await keysOf(storage, 'shop/00')).length).toBe(1000)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('FAILURES 77: symbolic links in a local storage', () => {
  async function linked(): Promise<{ outside: string; root: string; storage: Storage }> {
    const outside = await newFolder()
    await writeFile(join(outside, 'secret'), 'secret')
    const root = await newFolder()
    await mkdir(join(root, 'shop'))
    await writeFile(join(root, 'shop', 'real'), 'real')
    return { outside, root, storage: await openAt(root) }
  }

  it('are not followed to a file', async () => {
    const { outside, root, storage } = await linked()
    await symlink(join(outside, 'secret'), join(root, 'shop', 'link'))
    await symlink('real', join(root, 'shop', 'inside'))
    await symlink(join(outside, 'nothing'), join(root, 'shop', 'dangling'))
    for (const key of ['shop/link', 'shop/inside', 'shop/dangling']) {
      const denied = { code: 'storage.denied', message: expect.stringContaining('symbolic link') as string }
      await expect(textOf(storage, key)).rejects.toMatchObject(denied)
      await expect(storage.stat(cx, objectKey(key))).rejects.toMatchObject(denied)
      await expect(put(storage, key, 'overwritten')).rejects.toMatchObject(denied)
      await expect(put(storage, key, 'overwritten', true)).rejects.toMatchObject(denied)
      await expect(storage.delete(cx, objectKey(key))).rejects.toMatchObject(denied)
    }
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret')
    expect(await readFile(join(root, 'shop', 'real'), 'utf8')).toBe('real')
    expect(await readdir(outside)).toEqual(['secret'])
    expect(await keysOf(storage)).toEqual(['shop/real'])
  })

  it('are not followed to a folder, which a list does not pass over in silence', async () => {
    const { outside, root, storage } = await linked()
    await symlink(outside, join(root, 'elsewhere'))
    const denied = { code: 'storage.denied' }
    for (const key of ['elsewhere/secret', 'elsewhere/new']) {
      await expect(textOf(storage, key)).rejects.toMatchObject(denied)
      await expect(put(storage, key, 'x')).rejects.toMatchObject(denied)
      await expect(storage.delete(cx, objectKey(key))).rejects.toMatchObject(denied)
    }
    await expect(keysOf(storage)).rejects.toMatchObject(denied)
    await expect(keysOf(storage, 'elsewhere/')).rejects.toMatchObject(denied)
    expect(await keysOf(storage, 'shop/')).toEqual(['shop/real'])
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('are not followed where partial files are written', async () => {
    const { outside, root, storage } = await linked()
    await symlink(outside, join(root, '.holdfast-partial'))
    await expect(put(storage, 'a', 'a')).rejects.toMatchObject({ code: 'storage.denied' })
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('may be the folder itself', async () => {
    const { root } = await linked()
    const link = join(await newFolder(), 'link')
    await symlink(root, link)
    const storage = await openAt(link)
    await put(storage, 'shop/new', 'new')
    expect(await keysOf(storage)).toEqual(['shop/new', 'shop/real'])
  })

  it('are an error where they lead nowhere', async () => {
    const link = join(await newFolder(), 'link')
    await symlink(join(link, '..', 'nothing'), link)
    const storage = await openAt(join(link, 'backups'))
    await expect(put(storage, 'a', 'a')).rejects.toMatchObject({ name: 'HoldfastError' })
    await expect(keysOf(storage)).rejects.toMatchObject({ code: 'storage.not-found' })
  })
})

describe('files of a local storage', () => {
  it('are closed by whoever has read them, or has not', async () => {
    const storage = await openAt(await newFolder())
    await put(storage, 'a', 'a'.repeat(3_000_000))
    const openFiles = async (): Promise<number> => {
      const names = await readdir('/dev/fd')
      return names.length
    }
    const before = await openFiles()
    for (let round = 0; round < 10; round++) {
      expect(await textOf(storage, 'a')).toHaveLength(3_000_000)
      for await (const _chunk of await storage.get(cx, objectKey('a'))) break
      await expect(storage.get(cx, objectKey('a'), { start: -1 })).rejects.toMatchObject({
        code: 'usage.invalid',
      })
    }
    await expect.poll(openFiles).toBe(before)
  })

  it('FAILURES 16: that become shorter while they are read are an error, not an end', async () => {
    const root = await newFolder()
    const storage = await openAt(root)
    await put(storage, 'a', 'a'.repeat(5_000_000))
    const stream = await storage.get(cx, objectKey('a'))
    await writeFile(join(root, 'a'), 'short')
    await expect(buffer(stream)).rejects.toMatchObject({ code: 'integrity.truncated' })
  })

  it('are as private as they were made after chmod of the folder', async () => {
    const root = await newFolder()
    await chmod(root, 0o755)
    await put(await openAt(root), 'a', 'a')
    expect((await modesOf(root))['a']).toBe('600')
    expect(((await lstat(root)).mode & 0o777).toString(8)).toBe('755')
  })
})
