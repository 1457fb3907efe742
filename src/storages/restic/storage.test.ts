import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsTime, needsTool } from '../../../test/servers/needs.js'
import type { Context, Emit } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { heldSource, noise } from '../../testing/storage-bench.js'
import { storageContract } from '../../testing/storage-contract.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { resticDriver } from './driver.js'
import { parseResticUrl } from './settings.js'

const driver = withWrappers(resticDriver)
const password = 'correct-horse'
const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const env = { ...process.env, RESTIC_PASSWORD: password }

/**
 * Each call of restic takes half a second, and the whole contract minutes: of it here what nothing below and no flow shows.
 */
const quick = [
  'stores an empty object',
  'leaves nothing when the source fails',
  'login-refused',
  'unreachable',
]

needsTool('restic').describe('the restic storage', () => {
  let folder: string
  let repository: string
  let prefixes = 0
  const places = new Map<Storage, string>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'restic-test-'))
    repository = join(folder, 'repository')
    execFileSync('restic', ['init', '-q', '-r', repository], { env })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function open(prefix: string, more: Record<string, unknown> = {}): Promise<Storage> {
    const settings = { repository: 'repository', password, cacheDirectory: 'cache', prefix, ...more }
    const storage = await driver.open(settings, { name: 'main', baseDirectory: folder })
    places.set(storage, prefix)
    return storage
  }

  const fixture = {
    open: () => open(`place${prefixes++}`),
    // Each object is a run of restic or two, of half a second: a list is one, however long it is.
    manyObjects: 20,
    rounds: 1,
    lacks: ['createOnly'] as const,
    reopen: (storage: Storage) => open(places.get(storage) ?? ''),
    mishaps: {
      loginRefused: () => open('place', { password: 'wrong' }),
      unreachable: () => open('place', { repository: 'rest:http://127.0.0.1:1/', retryFor: '0' }),
    },
  }
  for (const { name, run } of storageContract(fixture)) {
    if (quick.some((each) => name.includes(each))) it(name, run)
    else needsTime().it(name, run, 300_000)
  }

  const key = (name: string) => objectKey(`shop/${name}`)
  const put = (storage: Storage, name: string, bytes: Buffer) =>
    storage.put(cx, key(name), Readable.from([bytes]))
  const keysOf = async (storage: Storage) => {
    const keys: string[] = []
    for await (const object of storage.list(cx, '')) keys.push(object.key)
    return keys
  }

  it('deletes while another run writes, and lets go of the bytes when it may', async () => {
    const storage = await open('deleting')
    await put(storage, 'old', noise(3_000_000))
    const source = heldSource(noise(3_000_000, 1))
    const writing = storage.put(cx, key('new'), source.body)
    await source.taken
    expect(wordsOfRestic()).not.toContain(password)
    await storage.delete(cx, key('old'))
    expect(await keysOf(storage)).toEqual([])
    source.end()
    await writing
    expect(await keysOf(storage)).toEqual(['shop/new'])
    await storage.sweep(cx, 0)
    const left = execFileSync('restic', ['snapshots', '--json', '-r', repository], { env })
    expect(left.toString()).not.toContain('/deleting/shop/old')
    await storage.close()
  })

  it('stores once what two objects have in common', async () => {
    const storage = await open('alike')
    const bytes = noise(48_000_000)
    await put(storage, 'monday', bytes)
    const before = bytesOf(repository)
    await put(storage, 'tuesday', Buffer.concat([noise(50_000, 1), bytes, noise(50_000, 2)]))
    // restic cuts where the contents say so, into pieces of up to 8 MiB: those at both ends are new.
    expect(bytesOf(repository) - before).toBeLessThan(24_000_000)
    await storage.close()
  })

  it('what has failed for a passing reason is tried again', async () => {
    // Each of its commands fails once.
    const program = join(folder, 'flaky-restic')
    const broken = 'Fatal: dial tcp 10.1.2.3:443: connection reset by peer'
    writeFileSync(
      program,
      `#!/bin/sh\nmkdir '${folder}/failed-'"$1" 2>/dev/null && { echo '${broken}' >&2; exit 1; }\nexec restic "$@"\n`,
      { mode: 0o755 },
    )
    const storage = await open('flaky', { program })
    const notices: string[] = []
    const emit: Emit = (event) => {
      if (event.type === 'notice') notices.push(event.message)
    }
    const told = { ...cx, emit }
    await storage.put(told, key('a'), Readable.from([noise(2_000_000)]), { createOnly: true })
    expect(await buffer(await storage.get(told, key('a'), { start: 1_999_000 }))).toEqual(
      noise(2_000_000).subarray(1_999_000),
    )
    expect(notices).toEqual([
      expect.stringMatching(/^cannot list .*; trying again/u),
      expect.stringMatching(/^cannot write flaky\/shop\/a .*; trying again/u),
      expect.stringMatching(/^cannot read flaky\/shop\/a .*; trying again/u),
    ])
    await storage.close()
  })

  it('a repository that is not there is made by the first put, of several at once, and no empty storage before', async () => {
    const repository = join('deep', 'other')
    const storage = await open('new', { repository })
    await expect(keysOf(storage)).rejects.toMatchObject({
      code: 'storage.not-found',
      hint: expect.stringContaining('restic init') as string,
    })
    const second = await open('new', { repository })
    await Promise.all([put(storage, 'a', Buffer.from('a')), put(second, 'b', Buffer.from('b'))])
    expect(await keysOf(storage)).toEqual(['shop/a', 'shop/b'])
    expect(readdirSync(join(folder, 'deep'))).toEqual(['other'])
    await storage.close()
    await second.close()
  })

  it('of several that reserve one name at once, one has it at most', async () => {
    const storages = await Promise.all([1, 2].map(() => open('reserved')))
    const puts = await Promise.allSettled(
      storages.map((storage, at) =>
        storage.put(cx, key('name'), Readable.from([`${at}`]), { createOnly: true }),
      ),
    )
    const [winner, ...others] = puts.filter(({ status }) => status === 'fulfilled')
    expect(others).toEqual([])
    for (const each of puts)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'storage.exists' })
    const kept = await keysOf(storages[0] as Storage)
    expect(kept).toEqual(winner === undefined ? [] : ['shop/name'])
    for (const storage of storages) await storage.close()
  })
})

it('a URL names a folder', () => {
  expect(parseResticUrl('restic:///srv/of%20shop')).toEqual({ repository: '/srv/of shop' })
  expect(() => parseResticUrl('restic://host/srv')).toThrow('names a folder')
})

/** The command lines and environments of those that run now. */
function wordsOfRestic(): string {
  if (process.platform !== 'linux') return ''
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        return line.startsWith('restic\0') ? [line, readFileSync(`/proc/${name}/environ`, 'utf8')] : []
      } catch {
        // It has ended.
        return []
      }
    })
    .join('\n')
}

function bytesOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
