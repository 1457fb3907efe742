import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { LocalStorage } from './storage.js'

const day = 24 * 60 * 60 * 1000
const folders: string[] = []
const mounts: string[] = []

/** Now, since files have the machine's own times. */
const env = fakeEnv({ time: new Date() })
const cx: Context = { env, signal: new AbortController().signal, emit: () => undefined }

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-faults-'))
  folders.push(folder)
  return folder
}

/** A file system of its own. Only root may mount one. */
async function newMount(options: string): Promise<string> {
  const folder = await newFolder()
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  if (status !== 0) throw new Error(`mount: ${String(stderr)}`)
  mounts.push(folder)
  return folder
}

const mountable = await newMount('size=64k').then(
  () => true,
  () => false,
)

afterAll(async () => {
  for (const mount of mounts) spawnSync('umount', [mount])
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

/** Zeros, from a source that would give far more than any disk here holds, 64 KiB at a time. */
function zeros(bytes: number): Readable {
  let given = 0
  return new Readable({
    read() {
      const chunk = Buffer.alloc(Math.min(65_536, bytes - given))
      given += chunk.length
      this.push(chunk.length === 0 ? null : chunk)
    },
  })
}

async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(cx, '')) keys.push(key)
  return keys
}

const key = objectKey('shop/new.dump')
const earlier = objectKey('shop/earlier.dump')

describe('a local storage on a full disk', () => {
  it.runIf(mountable)('FAILURES 5: says so, removes what it wrote and keeps what was there', async () => {
    const root = await newMount('size=1m')
    const storage = new LocalStorage(root, '/')
    await storage.put(cx, earlier, zeros(400_000))
    for (const createOnly of [false, true]) {
      const body = zeros(50_000_000)
      await expect(storage.put(cx, key, body, { createOnly })).rejects.toMatchObject({
        code: 'storage.full',
        exit: 6,
        message: `cannot write shop/new.dump in local ${root}: no space left on device`,
      })
      expect(body.destroyed).toBe(true)
    }
    await expect(storage.put(cx, earlier, zeros(50_000_000))).rejects.toMatchObject({ code: 'storage.full' })
    expect(await readdir(join(root, '.holdfast-partial'))).toEqual([])
    expect(await keysOf(storage)).toEqual([earlier])
    expect((await buffer(await storage.get(cx, earlier))).equals(Buffer.alloc(400_000))).toBe(true)
    // What was removed left its space to others.
    await storage.put(cx, key, zeros(500_000))
    expect((await storage.stat(cx, key))?.bytes).toBe(500_000)
  })

  it.runIf(mountable)('FAILURES 5: takes no part of a chunk for the whole of it', async () => {
    const storage = new LocalStorage(await newMount('size=1m'), '/')
    // One write, of which the system takes what fits and says so.
    const body = Readable.from([Buffer.alloc(5_000_000)], { objectMode: false })
    await expect(storage.put(cx, key, body)).rejects.toMatchObject({ code: 'storage.full' })
    expect(await keysOf(storage)).toEqual([])
  })

  it.runIf(mountable)('FAILURES 5: says so when there is no room for one more file', async () => {
    const root = await newMount('size=1m,nr_inodes=6')
    const storage = new LocalStorage(root, '/')
    await storage.put(cx, earlier, zeros(1000))
    const full = Array.from({ length: 4 }, (_, index) => objectKey(`other-${index}/deeper/x`))
    const results = await Promise.allSettled(full.map((one) => storage.put(cx, one, zeros(1000))))
    const failed = results.filter(({ status }) => status === 'rejected')
    expect(failed.length).toBeGreaterThan(0)
    for (const result of failed) expect(result).toMatchObject({ reason: { code: 'storage.full' } })
    expect(await readdir(join(root, '.holdfast-partial'))).toEqual([])
    expect(await keysOf(storage)).toHaveLength(1 + results.length - failed.length)
  })
})

describe('a local storage without permission', () => {
  it.runIf(mountable)('is denied on a file system that is mounted read-only', async () => {
    const root = await newMount('size=1m')
    const storage = new LocalStorage(root, '/')
    await storage.put(cx, earlier, zeros(1000))
    spawnSync('mount', ['-o', 'remount,ro', root])
    await expect(storage.put(cx, key, zeros(1000))).rejects.toMatchObject({ code: 'storage.denied' })
    await expect(storage.delete(cx, earlier)).rejects.toMatchObject({ code: 'storage.denied' })
    expect(await keysOf(storage)).toEqual([earlier])
  })

  it('FAILURES 23: does not pass over a folder that it cannot read', async () => {
    const root = await newFolder()
    await asOrdinaryUser(root, async () => {
      const storage = new LocalStorage(root, '/')
      await storage.put(cx, earlier, zeros(1000))
      await storage.put(cx, objectKey('zoo/a'), zeros(1000))
      await chmod(join(root, 'shop'), 0o000)
      const denied = { code: 'storage.denied', message: `cannot list local ${root}: permission denied` }
      await expect(keysOf(storage)).rejects.toMatchObject(denied)
      await expect(storage.stat(cx, earlier)).rejects.toMatchObject({ code: 'storage.denied' })
      await expect(storage.get(cx, earlier)).rejects.toMatchObject({ code: 'storage.denied' })
      await expect(storage.put(cx, key, zeros(10))).rejects.toMatchObject({ code: 'storage.denied' })
      await expect(storage.delete(cx, earlier)).rejects.toMatchObject({ code: 'storage.denied' })
      await chmod(join(root, 'shop'), 0o700)
      expect(await keysOf(storage)).toEqual([earlier, 'zoo/a'])
      expect(await readdir(join(root, '.holdfast-partial'))).toEqual([])
    })
  })
})

/** Root may do everything, so the work is done as somebody who may not. */
async function asOrdinaryUser(folder: string, work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  await chown(folder, 65_534, 65_534)
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

describe('a put that is killed', () => {
  const script = `
    import { Readable } from 'node:stream'
    import { createJiti } from 'jiti'
    const [, root, source] = process.argv
    const { LocalStorage } = await createJiti(source).import('./storage.ts')
    const { nodeEnv } = await createJiti(source).import('../../env/node-env.ts')
    const cx = { env: nodeEnv(), signal: new AbortController().signal, emit() {} }
    let given = 0
    const body = new Readable({
      read() {
        if (given++ < 32) this.push(Buffer.alloc(65536))
        else process.stdout.write('written')
      },
    })
    setInterval(() => {}, 1000)
    await new LocalStorage(root, '/').put(cx, 'shop/new.dump', body)
  `

  it('FAILURES 7: shows nothing, and leaves what the next run sweeps a day later', async () => {
    const root = await newFolder()
    const storage = new LocalStorage(root, '/')
    await storage.put(cx, earlier, zeros(1000))
    const source = pathToFileURL(import.meta.filename).href
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, root, source], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: join(import.meta.dirname, '../../..'),
    })
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await ended

    expect(await keysOf(storage)).toEqual([earlier])
    expect(await storage.stat(cx, key)).toBeUndefined()
    expect(await readdir(join(root, '.holdfast-partial'))).toHaveLength(1)
    expect(await storage.sweep(cx, day)).toBe(0)
    const tomorrow = { ...cx, env: fakeEnv({ time: new Date(env.clock.now().getTime() + day + 60_000) }) }
    expect(await storage.sweep(tomorrow, day)).toBe(1)
    expect(await readdir(join(root, '.holdfast-partial'))).toEqual([])
    await storage.put(cx, key, zeros(1000), { createOnly: true })
    expect(await keysOf(storage)).toEqual([earlier, key])
  })

  it('FAILURES 7: leaves a claim, where there are no hard links, that is swept too', async () => {
    const root = await newFolder()
    const refused = Object.assign(new Error('operation not permitted'), { code: 'EPERM' })
    const storage = new LocalStorage(root, '/', () => Promise.reject(refused))
    await storage.put(cx, earlier, zeros(10))
    const claim = createHash('sha256').update(key).digest('hex')
    await writeFile(join(root, '.holdfast-partial', `claim-${claim}`), '')
    await expect(storage.put(cx, key, zeros(10), { createOnly: true })).rejects.toMatchObject({
      code: 'storage.exists',
    })
    const tomorrow = { ...cx, env: fakeEnv({ time: new Date(env.clock.now().getTime() + day + 60_000) }) }
    expect(await storage.sweep(tomorrow, day)).toBe(1)
    await storage.put(cx, key, zeros(10), { createOnly: true })
    expect(await keysOf(storage)).toEqual([earlier, key])
  })
})
