import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ownProgramCall } from '../../process/own-program.js'
import {
  connectorNames,
  connectorOf,
  dump,
  neighbour,
  restore,
  sourceOf,
  type Neighbour,
} from './test-connector.js'
import { fillSample, removeTestFolders, TestDatabase, testContext } from './test-database.js'

const neighbours: Neighbour[] = []
afterEach(async () => {
  for (const each of neighbours.splice(0)) await each.kill()
})
afterAll(removeTestFolders)

function sample(): TestDatabase {
  const database = TestDatabase.empty()
  fillSample(database)
  return database
}

/** As large as it must be to be killed midway. */
function large(value: number): TestDatabase {
  const database = new TestDatabase()
  database.run(`CREATE TABLE t(v, filler); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)
    INSERT INTO t SELECT ${value}, randomblob(1500) FROM c; CREATE INDEX t_v ON t(v)`)
  return database
}

function leftBeside(database: TestDatabase): string[] {
  return readdirSync(dirname(database.path)).filter((name) => name.includes('holdfast'))
}

describe.each(connectorNames)('%s', (name) => {
  it('FAILURES 65: what an older database has left beside a missing file goes', async () => {
    const source = sample()
    const { bytes } = await dump(name, source)
    const target = new TestDatabase()
    // A WAL and a hot journal, both real, of a database that is not there any more.
    const older = new TestDatabase(target.path)
    older.run('PRAGMA journal_mode=wal; CREATE TABLE old(a)')
    const writer = await neighbour(
      older,
      `const db = new DatabaseSync(path); db.exec('INSERT INTO old VALUES (1)'); say('ready'); while (open) await pause(5)`,
    )
    const wal = readFileSync(`${older.path}-wal`)
    await writer.kill()
    await older.drop()
    writeFileSync(`${target.path}-wal`, wal)
    writeFileSync(`${target.path}-shm`, Buffer.alloc(32_768, 1))
    writeFileSync(`${target.path}-journal`, Buffer.alloc(4096, 1))
    await restore(name, target, bytes, { create: true })
    for (const suffix of ['-wal', '-shm', '-journal'])
      expect(existsSync(`${target.path}${suffix}`)).toBe(false)
    expect(target.digestOfAll()).toEqual(source.digestOfAll())
    expect(leftBeside(target)).toEqual([])
  })

  it.each(['wal', 'delete'])(
    'others that have the target open see the new content; journal mode %s',
    async (mode) => {
      const source = sample()
      const { bytes } = await dump(name, source)
      const target = sample()
      target.run(`UPDATE author SET name = 'old ' || id; PRAGMA journal_mode=${mode}`)
      const other = await neighbour(
        target,
        `
      const db = new DatabaseSync(path, { timeout: 20000 })
      const look = () => db.prepare('SELECT name FROM author WHERE id = 2').get().name
      say(look()); say('ready')
      while (look() !== 'Author 1') await pause(5)
      db.exec("INSERT INTO audit_log VALUES ('from outside', 1)")
      say('seen')
      while (open) await pause(5)`,
      )
      neighbours.push(other)
      expect(other.lines).toEqual(['old 2', 'ready'])
      await restore(name, target, bytes)
      await other.heard('seen')
      await other.end()
      neighbours.pop()
      expect(target.rows(`SELECT count(*) FROM audit_log WHERE what = 'from outside'`)).toEqual([[1n]])
      target.run(`DELETE FROM audit_log WHERE what = 'from outside'`)
      expect(await target.digest()).toEqual(await source.digest())
      expect(target.rows('PRAGMA integrity_check')).toEqual([['ok']])
      expect(target.rows('PRAGMA journal_mode')).toEqual([[mode]])
    },
  )

  it('replaces a damaged target as a file, with its mode', async () => {
    const source = sample()
    const { bytes } = await dump(name, source)
    const target = new TestDatabase()
    writeFileSync(target.path, 'once a database')
    chmodSync(target.path, 0o640)
    const connector = connectorOf(name, target)
    const request = { clean: 'database' as const, create: false, disconnect: false, schemas: [] }
    const prepared = await connector.prepareRestore(testContext(), sourceOf(bytes), request)
    expect(prepared).toMatchObject({
      exists: true,
      losses: [expect.stringContaining('damaged')],
      warnings: [expect.stringContaining('restarted')],
    })
    expect(readFileSync(target.path, 'utf8')).toBe('once a database')
    const { warnings } = await restore(name, target, bytes, request)
    expect(warnings).toEqual([expect.stringContaining('restart the programs')])
    expect(target.digestOfAll()).toEqual(source.digestOfAll())
    expect(statSync(target.path).mode & 0o777).toBe(0o640)
  })

  it('keeps the mode of a target, follows links, and gives a new file the mode that SQLite gives', async () => {
    const { bytes } = await dump(name, sample())
    const target = sample()
    chmodSync(target.path, 0o600)
    const link = new TestDatabase()
    symlinkSync(target.path, link.path)
    target.run('DELETE FROM edge')
    await restore(name, link, bytes)
    expect(statSync(target.path).mode & 0o777).toBe(0o600)
    expect(target.digestOfAll()).toEqual(sample().digestOfAll())
    const made = new TestDatabase()
    await restore(name, made, bytes, { create: true })
    expect(statSync(made.path).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  it('a page size of its own', async () => {
    const source = new TestDatabase()
    source.run('PRAGMA page_size=8192; CREATE TABLE t(a); INSERT INTO t VALUES (randomblob(50000))')
    const { bytes } = await dump(name, source)
    for (const mode of ['wal', 'delete']) {
      const target = sample()
      target.run(`PRAGMA journal_mode=${mode}`)
      await restore(name, target, bytes, { clean: 'database' })
      expect(target.digestOfAll()).toEqual(source.digestOfAll())
      expect(target.rows('PRAGMA page_size')).toEqual([[8192n]])
      expect(target.rows('PRAGMA journal_mode')).toEqual([[mode]])
    }
  })

  it('a folder that is not there, and a folder in the place of the file', async () => {
    const { bytes } = await dump(name, TestDatabase.empty())
    const nowhere = new TestDatabase(join(dirname(new TestDatabase().path), 'none', 'app.db'))
    await expect(restore(name, nowhere, bytes, { create: true })).rejects.toMatchObject({
      code: 'database.not-found',
    })
    const folder = new TestDatabase()
    mkdirSync(folder.path)
    await expect(restore(name, folder, bytes, { create: true })).rejects.toMatchObject({
      code: 'database.not-found',
    })
  })

  it('clears away what a killed restore has left', async () => {
    const { bytes } = await dump(name, sample())
    const target = sample()
    // A process id that no process has: those of Linux are smaller.
    writeFileSync(join(dirname(target.path), `.app.db.holdfast-99999999-abc`), 'half a database')
    await restore(name, target, bytes, { clean: 'database' })
    expect(leftBeside(target)).toEqual([])
  })
})

describe('a file from elsewhere that is damaged within', () => {
  it('is refused before the target is touched', async () => {
    const { bytes } = await dump('sqlite-backup', sample())
    const broken = Buffer.from(bytes)
    broken.fill(0xee, 4096 * 3, 4096 * 3 + 500)
    const target = sample()
    const before = target.digestOfAll()
    await expect(restore('sqlite-backup', target, broken, {}, 'elsewhere')).rejects.toMatchObject({
      code: 'integrity.format',
    })
    expect(target.digestOfAll()).toEqual(before)
    expect(leftBeside(target)).toEqual([])
  })
})

/** The SQLite program itself, to be killed. */
function program(command: string, input: object, stdin: 'ignore' | 'pipe') {
  const call = ownProgramCall(['dist', 'engines', 'sqlite', 'program', 'main.js'], command, input)
  return spawn(call.program, call.args, {
    stdio: [stdin, 'ignore', 'ignore'],
  })
}

async function until(condition: () => boolean, child: ReturnType<typeof program>): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null)
      throw new Error(`the program ended with ${child.exitCode} before it could be killed`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

describe('FAILURES 67: killed midway', () => {
  it.each(['wal', 'delete'])(
    'while a file is brought into place, the old content is whole; journal mode %s',
    async (mode) => {
      const target = large(1)
      target.run(`PRAGMA journal_mode=${mode}`)
      const before = target.digestOfAll()
      const from = large(2)
      const journal = `${target.path}-${mode === 'wal' ? 'wal' : 'journal'}`
      const child = program('install', { from: from.path, target: target.path, checked: false }, 'ignore')
      const closed = once(child, 'close')
      await until(() => (statSync(journal, { throwIfNoEntry: false })?.size ?? 0) > 1_000_000, child)
      child.kill('SIGKILL')
      await closed
      expect(target.digestOfAll()).toEqual(before)
      expect(target.rows('PRAGMA integrity_check')).toEqual([['ok']])
    },
  )

  it.each([
    ['the caller is killed', (child: ReturnType<typeof program>) => child.stdin?.end()],
    ['the program is killed', (child: ReturnType<typeof program>) => child.kill('SIGKILL')],
  ])('while SQL is run, the old content is whole: %s', async (_who, end) => {
    const target = large(1)
    const before = target.digestOfAll()
    const child = program('load', { path: target.path, mode: 'objects' }, 'pipe')
    const closed = once(child, 'close') as Promise<[number | null]>
    child.stdin?.on('error', () => undefined)
    // A whole script, but for the mark that it has been handed over to its end.
    child.stdin?.write(
      `CREATE TABLE t(v);\n${`INSERT INTO t VALUES ('${'y'.repeat(3_000_000)}');\n`.repeat(4)}`,
    )
    await until(() => (statSync(`${target.path}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0, child)
    end(child)
    const [status] = await closed
    expect(status).not.toBe(0)
    expect(target.digestOfAll()).toEqual(before)
  })
})
