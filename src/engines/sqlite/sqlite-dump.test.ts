import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { dump, restore, roundTrip } from './test-connector.js'
import { fillSample, removeTestFolders, TestDatabase } from './test-database.js'

afterAll(removeTestFolders)

async function same(actual: TestDatabase, expected: TestDatabase): Promise<void> {
  expect(actual.digestOfAll()).toEqual(expected.digestOfAll())
  expect(await actual.schemaText()).toBe(await expected.schemaText())
}

function sample(): TestDatabase {
  const database = TestDatabase.empty()
  fillSample(database)
  return database
}

const hasShell = (() => {
  try {
    return execFileSync('sqlite3', ['--version']).length > 0
  } catch {
    return false
  }
})()
const shellTitle = hasShell ? '' : ' (skipped: the sqlite3 shell is not installed)'

function shell(database: TestDatabase, input: string | Buffer): string {
  return execFileSync('sqlite3', ['-bail', database.path], { input, maxBuffer: 1e9 }).toString()
}

describe('what a dump keeps', () => {
  it('FAILURES 60 61: every table, statistics and counters', async () => {
    const database = sample()
    const restored = await roundTrip('sqlite-dump', database)
    await same(restored, database)
    expect(Object.keys(restored.digestOfAll())).toEqual(
      expect.arrayContaining(['sqlite_stat1', 'sqlite_sequence', 'docs_data', 'places']),
    )
    expect(restored.rows(`SELECT title FROM docs WHERE docs MATCH 'jump'`)).toEqual([['Two']])
    expect(restored.rows('SELECT id FROM places WHERE x0 > 5')).toEqual([[2n]])
    expect(restored.rows('PRAGMA integrity_check')).toEqual([['ok']])
    // The next id is the one after the deleted row's.
    restored.run(`INSERT INTO author(name) VALUES ('next')`)
    expect(restored.rows('SELECT max(id) FROM author')).toEqual([[101n]])
  })

  it.each([
    ['UTF-8', 512, 0],
    ['UTF-16le', 4096, 1],
    ['UTF-16be', 65_536, 2],
  ])(
    'FAILURES 63: encoding %s, page size %i, auto_vacuum %i, user_version and application_id',
    async (encoding, pageBytes, vacuum) => {
      const database = new TestDatabase()
      database.run(`PRAGMA encoding='${encoding}'; PRAGMA page_size=${pageBytes}; PRAGMA auto_vacuum=${vacuum}; PRAGMA user_version=-7;
      PRAGMA application_id=2147483647; CREATE TABLE "t\u00e4b"(v TEXT, w);
      INSERT INTO "t\u00e4b" VALUES ('plain', 1.5), ('Zo\u00eb \u{1f600}', x'00ff'), ('a' || char(0) || 'b', ''), (CAST(x'00d8' AS TEXT), 'it''s');`)
      await same(await roundTrip('sqlite-dump', database), database)
    },
  )

  it('FAILURES 61: what a column name, a type or a key can be', async () => {
    const database = TestDatabase.empty()
    database.run(`CREATE TABLE "all names"(rowid, _rowid_, oid); INSERT INTO "all names" VALUES (1, 2, 3);
      CREATE TABLE down(id INTEGER PRIMARY KEY DESC, x); INSERT INTO down(rowid, id, x) VALUES (9, 1, 'a');
      CREATE TABLE int_key(id INT PRIMARY KEY, x); INSERT INTO int_key(rowid, id, x) VALUES (-3, 1, 'a');
      CREATE TABLE "select"("from" TEXT DEFAULT '--', "where" /* ; */ , "x""y" CHECK ("x""y" <> 'a;b')); INSERT INTO "select" VALUES (1, 2, 3);
      CREATE TABLE gone(a); DROP TABLE gone; CREATE TABLE "" (a, "" TEXT); INSERT INTO "" VALUES (1, 2);
      CREATE TABLE quoted(a CHECK (a <> "text")); CREATE INDEX quoted_i ON quoted(a) WHERE a <> "other text";`)
    await same(await roundTrip('sqlite-dump', database), database)
  })

  it('rows that break a rule of their table', async () => {
    const database = TestDatabase.empty()
    database.run(
      `CREATE TABLE t(a CHECK (a > 0), b REFERENCES nowhere(x)); PRAGMA ignore_check_constraints=ON; INSERT INTO t VALUES (-1, 5)`,
    )
    await same(await roundTrip('sqlite-dump', database), database)
  })

  it('a virtual table whose module is not there', async () => {
    const database = TestDatabase.empty()
    database.run(`CREATE TABLE vec_data(id INTEGER PRIMARY KEY, v); INSERT INTO vec_data VALUES (1, x'0102'); PRAGMA writable_schema=ON;
      INSERT INTO sqlite_schema VALUES ('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(v float[2])')`)
    const { bytes } = await dump('sqlite-dump', database)
    const restored = TestDatabase.empty()
    await restore('sqlite-dump', restored, bytes)
    const schema = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name'
    expect(restored.rows(schema)).toEqual(database.rows(schema))
    expect(restored.rows('SELECT * FROM vec_data')).toHaveLength(1)
  })

  it('a row larger than a chunk, with bytes that are no text', async () => {
    const database = TestDatabase.empty()
    database.run(
      `CREATE TABLE t(a, b); INSERT INTO t VALUES (randomblob(3000000), CAST(x'c3' AS TEXT)), (hex(randomblob(1500000)) || CAST(x'ff' AS TEXT), 1)`,
    )
    await same(await roundTrip('sqlite-dump', database), database)
  })
})

describe('what a dump leaves out', () => {
  it('a virtual table goes with its shadow tables', async () => {
    const database = sample()
    const restored = TestDatabase.empty()
    await restore('sqlite-dump', restored, (await dump('sqlite-dump', database, { exclude: ['docs'] })).bytes)
    expect(Object.keys(restored.digestOfAll()).filter((name) => name.startsWith('docs'))).toEqual([])
  })

  it('without its rows a virtual table is empty and works', async () => {
    const database = sample()
    const restored = TestDatabase.empty()
    await restore(
      'sqlite-dump',
      restored,
      (await dump('sqlite-dump', database, { excludeData: ['docs', 'author'] })).bytes,
    )
    expect(restored.rows('SELECT count(*) FROM docs')).toEqual([[0n]])
    restored.run(`INSERT INTO docs VALUES ('x', 'foxes'); INSERT INTO author(name) VALUES ('first')`)
    expect(restored.rows(`SELECT title FROM docs WHERE docs MATCH 'fox'`)).toEqual([['x']])
    expect(restored.rows('SELECT id FROM author')).toEqual([[1n]])
  })

  it('a reference to rows that are left out is said', async () => {
    const { warnings } = await dump('sqlite-dump', sample(), { excludeData: ['author'] })
    expect(warnings).toEqual(['table book refers to author, whose rows are left out'])
  })
})

describe('restore', () => {
  it('replaces what the dump has and leaves the rest', async () => {
    const { bytes } = await dump('sqlite-dump', sample())
    const target = TestDatabase.empty()
    target.run(`CREATE TABLE own(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO own VALUES (7, 'mine'); CREATE VIEW edge AS SELECT 1;
      CREATE TABLE shelf(x); CREATE TABLE book(other); CREATE INDEX book_author ON own(x); CREATE VIRTUAL TABLE docs USING fts5(old);
      CREATE TRIGGER own_t AFTER INSERT ON own BEGIN SELECT 1; END`)
    await restore('sqlite-dump', target, bytes)
    expect(target.rows('SELECT * FROM own')).toEqual([[7n, 'mine']])
    expect(target.rows(`SELECT name, seq FROM sqlite_sequence ORDER BY name`)).toEqual([
      ['author', 100n],
      ['own', 7n],
    ])
    const { sqlite_sequence: _sequence, ...expected } = sample().digestOfAll()
    expect(target.digestOfAll()).toMatchObject(expected)
    expect(target.rows('PRAGMA user_version')).toEqual([[42n]])
    expect(target.rows('PRAGMA integrity_check')).toEqual([['ok']])
  })

  it('clean none adds to what is there, and refuses what is there already', async () => {
    const target = TestDatabase.empty()
    target.run(`CREATE TABLE own(x); INSERT INTO own VALUES (1); PRAGMA user_version = 3`)
    const sql = `PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE new(a);\nINSERT INTO new VALUES(1);\nPRAGMA user_version=9;\nCOMMIT;\n`
    await expect(restore('sqlite-dump', target, sql, { clean: 'none' })).rejects.toMatchObject({
      code: 'refused.not-empty',
    })
  })

  it('runs a plain script, and says that its end cannot be seen', async () => {
    const target = new TestDatabase()
    const { warnings } = await restore(
      'sqlite-dump',
      target,
      'CREATE TABLE t(a);\r\nINSERT INTO t VALUES (1); -- done\n',
      { create: true },
    )
    expect(target.rows('SELECT a FROM t')).toEqual([[1n]])
    expect(warnings).toEqual(['the SQL has no COMMIT: whether it is whole cannot be seen'])
  })

  it.each([
    ['ends within a statement', 'CREATE TABLE t(a); INSERT INTO t VALUES (1', 'integrity.truncated'],
    ['has no COMMIT', 'BEGIN; CREATE TABLE t(a);', 'integrity.truncated'],
    ['is empty', '', 'integrity.empty'],
    ['holds a comment only', '-- nothing', 'integrity.empty'],
    [
      'was made from a damaged database',
      'BEGIN; CREATE TABLE t(a); ROLLBACK; -- due to errors',
      'integrity.format',
    ],
    ['reaches for other files', `BEGIN; ATTACH '/tmp/x.db' AS x; COMMIT;`, 'integrity.format'],
    ['vacuums into another file', `VACUUM INTO '/tmp/x.db';`, 'integrity.format'],
    ['holds NUL', 'CREATE TABLE t(a);\0 CREATE TABLE u(a);', 'integrity.format'],
    ['is no SQL', 'Once upon a time;', 'database.query-failed'],
    ['breaks a rule', 'CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1), (1);', 'database.query-failed'],
  ])('of SQL that %s fails and changes nothing', async (_what, sql, code) => {
    for (const target of [new TestDatabase(), sample()]) {
      const create = target.path.endsWith('app.db') && !(await import('node:fs')).existsSync(target.path)
      const before = create ? undefined : target.digestOfAll()
      await expect(restore('sqlite-dump', target, sql, { create })).rejects.toMatchObject({ code })
      if (create)
        await expect(restore('sqlite-dump', target, sql)).rejects.toMatchObject({
          code: 'database.not-found',
        })
      else expect(target.digestOfAll()).toEqual(before)
    }
  })

  it('into a database of another encoding is refused, but for clean database', async () => {
    const source = new TestDatabase()
    source.run(`PRAGMA encoding='UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES ('\u00eb')`)
    const { bytes } = await dump('sqlite-dump', source)
    const target = sample()
    await expect(restore('sqlite-dump', target, bytes)).rejects.toMatchObject({ code: 'usage.not-supported' })
    await restore('sqlite-dump', target, bytes, { clean: 'database' })
    await same(target, source)
  })
})

describe('the shell', () => {
  it.skipIf(!hasShell)(`reads what we write${shellTitle}`, async () => {
    const database = sample()
    // Statistics of STAT4 and minus zero are not for every shell.
    database.run('DROP TABLE IF EXISTS sqlite_stat4; DELETE FROM edge WHERE rowid = 1003')
    const loaded = new TestDatabase()
    shell(loaded, (await dump('sqlite-dump', database)).bytes)
    await same(loaded, database)
  })

  it.skipIf(!hasShell)(`writes what we read${shellTitle}`, async () => {
    const database = sample()
    // The shell cuts text at NUL, and without --preserve-rowids gives new rowids.
    database.run(
      `DELETE FROM edge WHERE w = 'a' || char(0) || 'b'; DELETE FROM edge WHERE rowid = 1003; DELETE FROM keyed WHERE k <> 'k' AND n = 1`,
    )
    const sql = execFileSync('sqlite3', [database.path, '.dump --preserve-rowids'], { maxBuffer: 1e9 })
    const restored = new TestDatabase()
    await restore('sqlite-dump', restored, sql, { create: true })
    expect(restored.digestOfAll()).toEqual({
      ...database.digestOfAll(),
      sqlite_stat4: restored.digestOfAll()['sqlite_stat4'],
    })
  })
})
