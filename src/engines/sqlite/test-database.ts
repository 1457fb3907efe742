import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite'
import type { Context } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import type { ConnectionSettings } from '../../engine/engine.js'

/** For the tests of this room: a context of the real machine. */
export function testContext(signal: AbortSignal = new AbortController().signal): Context {
  return { env: nodeEnv(), signal, emit: () => undefined }
}

const folders: string[] = []

export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-test-'))
  folders.push(folder)
  return folder
}

export function removeTestFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** The odd name has everything that a name can have to trip over. */
export const sampleTables = { lone: 'audit_log', odd: `-"o'dd" %s ta;ble\n\u00e4\u{1f600}` } as const

/** A file with a database; opened for each question, so that no lock of this process is in the way of the program's. */
export class TestDatabase {
  readonly path: string
  readonly connection: ConnectionSettings

  constructor(path: string = join(testFolder(), 'app.db')) {
    this.path = path
    this.connection = { engine: 'sqlite', name: path, parameters: {} }
  }

  /** As an empty database that exists. */
  static empty(): TestDatabase {
    const database = new TestDatabase()
    database.run('PRAGMA user_version = 0')
    return database
  }

  /** A promise that the work gives is waited for before the database is closed. */
  use<T>(work: (database: DatabaseSyncInstance) => T): T {
    const database = new DatabaseSync(this.path, {
      enableForeignKeyConstraints: false,
      enableDoubleQuotedStringLiterals: true,
      defensive: false,
      timeout: 10_000,
      readBigInts: true,
      returnArrays: true,
    })
    let result: T | undefined
    try {
      result = work(database)
    } finally {
      if (!(result instanceof Promise)) database.close()
    }
    return result instanceof Promise ? (result.finally(() => database.close()) as T) : result
  }

  run(sql: string): void {
    this.use((database) => database.exec(sql))
  }

  execute(sql: string): Promise<void> {
    this.run(sql)
    return Promise.resolve()
  }

  rows(sql: string): unknown[][] {
    return this.use((database) => database.prepare(sql).all() as unknown[][])
  }

  tables(): Promise<string[]> {
    const sql = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`
    return Promise.resolve(this.rows(sql).map(([name]) => String(name)))
  }

  rowCount(table: string): Promise<number> {
    return Promise.resolve(Number(this.rows(`SELECT count(*) FROM ${quoted(table)}`)[0]?.[0]))
  }

  /** The user's tables, shadow tables too. */
  digest(): Promise<Record<string, string>> {
    const entries = Object.entries(this.digestOfAll()).filter(([name]) => !name.startsWith('sqlite_'))
    return Promise.resolve(Object.fromEntries(entries))
  }

  /** Every table with a root page, SQLite's own too; and virtual tables as they show themselves. */
  digestOfAll(): Record<string, string> {
    return this.use((database) => {
      const names = database
        .prepare(`SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'`)
        .all() as [string, bigint][]
      return Object.fromEntries(names.map(([name, root]) => [name, digestOf(database, name, root > 0n)]))
    })
  }

  schemaText(): Promise<string> {
    const text = this.use((database) => {
      const rows = database
        .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
        .all()
      const pragmas = ['user_version', 'application_id', 'page_size', 'encoding', 'auto_vacuum'].map(
        (name) => `${name}=${String((database.prepare(`PRAGMA ${name}`).all() as unknown[][])[0]?.[0])}`,
      )
      return [...pragmas, ...rows.map((row) => JSON.stringify(row))].join('\n')
    })
    return Promise.resolve(text)
  }

  drop(): Promise<void> {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${this.path}${suffix}`, { force: true })
    return Promise.resolve()
  }
}

/** Storage class and bytes of every value, and the rowid: what no conversion can hide. */
function digestOf(database: DatabaseSyncInstance, table: string, stored: boolean): string {
  const columns = (
    database.prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1').all(table) as string[][]
  ).flat()
  const parts = columns.flatMap((column) => [
    `typeof(${quoted(column)})`,
    `hex(CAST(${quoted(column)} AS BLOB))`,
    `iif(typeof(${quoted(column)})='real', ${quoted(column)}, 0)`,
  ])
  const withoutRowid =
    (database.prepare(`SELECT wr FROM pragma_table_list WHERE name = ?`).all(table) as bigint[][])[0]?.[0] ===
    1n
  const internal = table.startsWith('sqlite_')
  const rowid = stored && !withoutRowid && !internal && !columns.includes('rowid') ? ['rowid'] : []
  const rows = database
    .prepare(`SELECT ${[...rowid, ...parts].join(', ')} FROM ${quoted(table)}`)
    .all() as unknown[][]
  // No name of a type, number or hexadecimal text has a comma in it.
  const lines = rows.map((row) => row.map(exact).join()).sort()
  return `${lines.length} rows, ${createHash('sha256').update(lines.join('\n')).digest('hex')}`
}

function exact(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`
  return typeof value === 'number' ? Buffer.from(Float64Array.of(value).buffer).toString('hex') : value
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Everything that FAILURES 60 and 61 name, and what the contract of connectors asks for. */
export function fillSample(database: TestDatabase): void {
  database.run(sampleSql)
}

const odd = quoted(sampleTables.odd)

const sampleSql = `
  PRAGMA user_version = 42; PRAGMA application_id = 1213486674;
  BEGIN;
  CREATE TABLE author(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, born REAL);
  CREATE TABLE book(id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author(id) ON DELETE CASCADE, title TEXT,
    length INTEGER GENERATED ALWAYS AS (length(title)) STORED, shout TEXT AS (upper(title)) VIRTUAL);
  CREATE INDEX book_author ON book(author_id, title COLLATE NOCASE) WHERE title IS NOT NULL;
  CREATE VIEW shelf AS SELECT a.name, b.title FROM author a JOIN book b ON b.author_id = a.id; -- who wrote what
  CREATE TABLE audit_log(what TEXT, at TEXT DEFAULT 'now; or "never"');
  CREATE TRIGGER book_added AFTER INSERT ON book WHEN new.title <> ';' BEGIN
    INSERT INTO audit_log VALUES (CASE WHEN new.id > 0 THEN 'added; ' || new.title ELSE 'END;' END, datetime(0, 'unixepoch'));
  END;
  CREATE TRIGGER shelf_insert INSTEAD OF INSERT ON shelf BEGIN SELECT 1; END;
  CREATE TABLE ${odd}("a ""b""" PRIMARY KEY, "c'd", "-e", [rowid] TEXT);
  INSERT INTO ${odd} VALUES (1, 'it''s', '--', 'r'), ('1', '/* no', '*/', NULL), (x'31', ';', 'COMMIT;', '');
  CREATE TABLE edge(v, w ANY);
  INSERT INTO edge(rowid, v, w) VALUES
    (-5, NULL, ''), (3, x'', 'a' || char(0) || 'b'), (7, CAST(x'ff41' AS TEXT), CAST(x'c3' AS TEXT)),
    (1000, 9223372036854775807, -9223372036854775808), (1001, 9007199254740993, 0.1), (1002, 1e999, -1e999),
    (1003, -0.0, 0.0), (1004, 1.7976931348623157e308, 5e-324), (1005, 'Zo\u00eb \u{1f600}', char(10) || char(13) || '\\n'),
    (1006, x'00ff00', 'line' || char(8232) || 'sep'), (9223372036854775807, 'last', '');
  CREATE TABLE strict_one(i INTEGER PRIMARY KEY, t TEXT, a ANY, b BLOB) STRICT;
  INSERT INTO strict_one VALUES (1, '1', '1', x'01'), (2, NULL, 2, NULL);
  CREATE TABLE keyed(k TEXT, n INT, v, PRIMARY KEY (k, n)) WITHOUT ROWID;
  INSERT INTO keyed VALUES ('k', 1, 0.5), ('k' || char(0), 1, x'aa'), ('l', 2, NULL);
  CREATE VIRTUAL TABLE docs USING fts5(title, body, tokenize = 'porter');
  INSERT INTO docs VALUES ('One', 'the quick brown fox'), ('Two', 'jumps over the lazy dogs');
  CREATE VIRTUAL TABLE places USING rtree(id, x0, x1, y0, y1);
  INSERT INTO places VALUES (1, 0, 1, 0, 1), (2, 10, 11, 10, 11);
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50) INSERT INTO author(id, name, born) SELECT i * 2, 'Author ' || i, i / 7.0 FROM c;
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 6000) INSERT INTO book(id, author_id, title) SELECT i, 2 + i % 50 * 2, 'Book ' || i || ' about ' || hex(i * 7919) FROM c;
  DELETE FROM author WHERE id = 100;
  CREATE TRIGGER "after; all" AFTER DELETE ON author BEGIN DELETE FROM book WHERE author_id = old.id; END;
  COMMIT;
  ANALYZE;`
