import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import {
  connectorNames,
  connectorOf,
  dump,
  neighbour,
  restore,
  roundTrip,
  type Neighbour,
} from './test-connector.js'
import { fillSample, removeTestFolders, TestDatabase, testContext } from './test-database.js'

const neighbours: Neighbour[] = []
afterEach(async () => {
  for (const each of neighbours.splice(0)) await each.kill()
})
afterAll(removeTestFolders)

async function beside(database: TestDatabase, code: string): Promise<Neighbour> {
  const started = await neighbour(database, code)
  neighbours.push(started)
  return started
}

/** Two tables that every transaction changes together, in a file too large for one step. */
function ledger(journalMode: 'wal' | 'delete'): TestDatabase {
  const database = new TestDatabase()
  database.run(`PRAGMA journal_mode=${journalMode}; CREATE TABLE a(n INTEGER PRIMARY KEY, filler); CREATE TABLE b(n INTEGER PRIMARY KEY, filler);
    CREATE TABLE big(x); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000) INSERT INTO big SELECT randomblob(3000) FROM c`)
  return database
}

/** Commits as fast as it can, waiting for locks as an application would. */
const busyWriter = `
  const db = new DatabaseSync(path, { timeout: 20000 })
  let n = 0
  while (open) {
    n++
    db.exec('BEGIN IMMEDIATE; INSERT INTO a VALUES (' + n + ', randomblob(500)); UPDATE big SET x = randomblob(3000) WHERE rowid = 1 + ' + n + ' % 5000; INSERT INTO b VALUES (' + n + ', randomblob(500)); COMMIT')
    if (n === 50) say('ready')
    if (n % 10 === 0) await pause(1)
  }
  say('wrote ' + n)`

describe.each(connectorNames)('%s', (name) => {
  it.each(['wal', 'delete'] as const)('FAILURES 59: a busy writer with journal mode %s', async (mode) => {
    const database = ledger(mode)
    const writer = await beside(database, busyWriter)
    const before = Number(database.rows('SELECT max(n) FROM a')[0]?.[0])
    const { bytes } = await dump(name, database)
    const after = Number(database.rows('SELECT max(n) FROM a')[0]?.[0])
    await writer.end()
    neighbours.pop()
    const restored = new TestDatabase()
    await restore(name, restored, bytes, { create: true })
    const [[inA, inB, count]] = restored.rows(
      'SELECT (SELECT max(n) FROM a), (SELECT max(n) FROM b), (SELECT count(*) FROM a)',
    ) as [[bigint, bigint, bigint]]
    expect(inA).toBe(inB)
    expect(count).toBe(inA)
    expect(Number(inA)).toBeGreaterThanOrEqual(before)
    expect(Number(inA)).toBeLessThanOrEqual(after)
    expect(restored.rows('PRAGMA integrity_check')).toEqual([['ok']])
  })

  it('FAILURES 58: what is only in the WAL', async () => {
    const database = new TestDatabase()
    database.run('PRAGMA journal_mode=wal; CREATE TABLE t(a)')
    await beside(
      database,
      `
      const db = new DatabaseSync(path)
      db.exec('PRAGMA wal_autocheckpoint=0; WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 9999) INSERT INTO t SELECT i FROM c')
      say('ready')
      while (open) await pause(5)`,
    )
    expect(statSync(`${database.path}-wal`).size).toBeGreaterThan(50_000)
    expect((await roundTrip(name, database)).rows('SELECT count(*), sum(a) FROM t')).toEqual([
      [9999n, 49_995_000n],
    ])
  })

  it('leaves out what is not committed', async () => {
    const database = new TestDatabase()
    database.run('PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES (1)')
    await beside(
      database,
      `
      const db = new DatabaseSync(path)
      db.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (2)')
      say('ready')
      setTimeout(() => db.exec('ROLLBACK'), 1500)
      while (open) await pause(5)`,
    )
    expect((await roundTrip(name, database)).rows('SELECT a FROM t')).toEqual([[1n]])
  })

  it('takes back what a killed writer left in a rollback journal', async () => {
    const database = new TestDatabase()
    database.run(
      `CREATE TABLE t(a, filler); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 2000) INSERT INTO t SELECT 1, randomblob(1000) FROM c`,
    )
    const killed = await beside(
      database,
      `
      const db = new DatabaseSync(path)
      db.exec('PRAGMA cache_size=10; BEGIN; UPDATE t SET a = 2, filler = randomblob(1000)')
      say('ready')
      while (open) await pause(5)`,
    )
    await killed.kill()
    expect(statSync(`${database.path}-journal`).size).toBeGreaterThan(0)
    const restored = await roundTrip(name, database)
    expect(restored.rows('SELECT min(a), max(a), count(*) FROM t')).toEqual([[1n, 1n, 2000n]])
  })

  it('FAILURES 64: a damaged source is never a success', async () => {
    const whole = TestDatabase.empty()
    fillSample(whole)
    const page = (table: string) =>
      Number(whole.rows(`SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`)[0]?.[0])
    const damages: ((path: string) => void)[] = [
      (path) => overwrite(path, 0, Buffer.from('Not a database at all')),
      (path) => truncateSync(path, statSync(path).size - 4096),
      (path) => overwrite(path, (page('book') - 1) * 4096, Buffer.alloc(200, 0xee)),
      (path) => overwrite(path, (page('edge') - 1) * 4096 + 8, Buffer.alloc(8, 0xff)),
    ]
    for (const damage of damages) {
      const damaged = new TestDatabase()
      copyFileSync(whole.path, damaged.path)
      damage(damaged.path)
      await expect(dump(name, damaged).then(() => 'a success')).rejects.toMatchObject({
        code: 'database.corrupt',
      })
    }
  })

  it("keeps out of the way of this process's own locks", async () => {
    const database = new TestDatabase()
    database.run('CREATE TABLE t(a); INSERT INTO t VALUES (1)')
    // As an application that calls Holdfast while it writes. To open and close the file in this process, by any other means
    // than the application's own SQLite, would drop its locks.
    const bytes = await database.use(async (own) => {
      own.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (2)')
      const made = await dump(name, database)
      const other = await beside(
        database,
        `try { new DatabaseSync(path).exec('BEGIN IMMEDIATE'); say('got in') } catch (error) { say(error.message) } say('ready')`,
      )
      expect(other.lines).toEqual(['database is locked', 'ready'])
      own.exec('COMMIT')
      return made.bytes
    })
    const restored = new TestDatabase()
    await restore(name, restored, bytes, { create: true })
    expect(restored.rows('SELECT a FROM t')).toEqual([[1n]])
  })

  it('a folder is not a database', async () => {
    const folder = new TestDatabase(new TestDatabase().path.replace(/app\.db$/u, ''))
    await expect(dump(name, folder)).rejects.toMatchObject({ code: 'database.not-found' })
    await expect(connectorOf(name, folder).inspect(testContext())).rejects.toMatchObject({
      code: 'database.not-found',
    })
  })

  it('a path of odd characters', async () => {
    const database = new TestDatabase(
      new TestDatabase().path.replace(/app\.db$/u, `-a 'b" %41?mode=memory#x&\u00eb.db`),
    )
    database.run('CREATE TABLE t(a); INSERT INTO t VALUES (1)')
    expect((await roundTrip(name, database)).rows('SELECT a FROM t')).toEqual([[1n]])
  })
})

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

describe('sqlite-backup', () => {
  it('FAILURES 64: a damaged source in which somebody writes all the time', async () => {
    const damaged = TestDatabase.empty()
    fillSample(damaged)
    const root = Number(damaged.rows(`SELECT rootpage FROM sqlite_schema WHERE name = 'book'`)[0]?.[0])
    damaged.run('PRAGMA journal_mode=wal')
    overwrite(damaged.path, (root - 1) * 4096, Buffer.alloc(200, 0xee))
    await beside(
      damaged,
      `
      const db = new DatabaseSync(path)
      db.exec('BEGIN IMMEDIATE')
      say('ready')
      while (open) await pause(5)`,
    )
    await expect(dump('sqlite-backup', damaged)).rejects.toMatchObject({ code: 'database.corrupt' })
  })

  it('keeps the event loop free and tells how far it is', async () => {
    const database = new TestDatabase()
    database.run(
      `CREATE TABLE t(x); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 30000) INSERT INTO t SELECT randomblob(3000) FROM c`,
    )
    const events: { phase?: string; bytes?: number; totalBytes?: number }[] = []
    let turns = 0
    const timer = setInterval(() => turns++, 5)
    const cx = { ...testContext(), emit: (event: object) => void events.push(event) }
    const { bytes } = await dump('sqlite-backup', database, {}, cx)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(20)
    expect(bytes.length).toBe(statSync(database.path).size)
    for (const event of events) expect(event).toMatchObject({ phase: 'copy', totalBytes: bytes.length })
  })

  it('rules that rows break are a warning', async () => {
    const database = TestDatabase.empty()
    database.run(`CREATE TABLE t(a, b); INSERT INTO t VALUES (NULL, 1); PRAGMA writable_schema=ON;
      UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a NOT NULL, b CHECK (own_function(b)))'`)
    expect((await dump('sqlite-backup', database)).warnings).toEqual(['a rule is broken: NULL value in t.a'])
  })
})

describe('sqlite-copy', () => {
  it('is the file itself, byte for byte', async () => {
    const database = TestDatabase.empty()
    fillSample(database)
    expect((await dump('sqlite-copy', database)).bytes.equals(readFileSync(database.path))).toBe(true)
  })

  it('with a WAL the file does not change while it is read, and writers go on', async () => {
    const database = ledger('wal')
    const writer = await beside(database, busyWriter)
    const { parts } = await connectorOf('sqlite-copy', database).dump(testContext(), {
      exclude: [],
      excludeData: [],
      schemas: [],
      allowMissing: false,
    })
    for await (const { bytes } of parts) {
      const iterator = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      const first = ((await iterator.next()) as { value: Buffer }).value
      // The reader holds the lock for as long as we do not read on.
      const frozen = readFileSync(database.path)
      const writtenBefore = Number(database.rows('SELECT max(n) FROM a')[0]?.[0])
      while (Number(database.rows('SELECT max(n) FROM a')[0]?.[0]) < writtenBefore + 200)
        await new Promise((resolve) => setTimeout(resolve, 5))
      database.rows('PRAGMA wal_checkpoint(PASSIVE)')
      expect(readFileSync(database.path).equals(frozen)).toBe(true)
      const chunks = [first]
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        chunks.push(next.value)
      expect(Buffer.concat(chunks).equals(frozen)).toBe(true)
    }
    await writer.end()
    neighbours.pop()
  })
})

// Both wait for as long as Holdfast waits for locks, and so wait together.
describe.concurrent('database.busy, not a wait without end', () => {
  const lockedBy = async (
    database: TestDatabase,
    code: string,
    ended: (stop: () => Promise<void>) => void,
  ) => {
    const other = await neighbour(database, code)
    ended(() => other.kill())
  }

  it('where someone keeps the database locked', { timeout: 90_000 }, async ({ expect, onTestFinished }) => {
    const database = ledger('delete')
    const code = `
      const db = new DatabaseSync(path)
      db.exec('BEGIN EXCLUSIVE')
      say('ready')
      while (open) await pause(5)`
    await lockedBy(database, code, onTestFinished)
    await expect(dump('sqlite-backup', database)).rejects.toMatchObject({ code: 'database.busy' })
  })

  it(
    'where an older reader keeps the WAL in use',
    { timeout: 90_000 },
    async ({ expect, onTestFinished }) => {
      const database = ledger('wal')
      const code = `
      const db = new DatabaseSync(path)
      const writer = new DatabaseSync(path)
      db.exec('BEGIN')
      db.prepare('SELECT * FROM a').all()
      writer.exec("INSERT INTO a VALUES (1, 2)")
      say('ready')
      while (open) await pause(5)`
      await lockedBy(database, code, onTestFinished)
      await expect(dump('sqlite-copy', database)).rejects.toMatchObject({ code: 'database.busy' })
      // sqlite-backup needs no such moment.
      expect((await roundTrip('sqlite-backup', database)).rows('SELECT n FROM a')).toEqual([[1n]])
    },
  )
})
