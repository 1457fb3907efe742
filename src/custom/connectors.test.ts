import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { appendFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, describe, it } from 'vitest'
import { needsTool } from '../../test/servers/needs.js'
import { sqliteEngine } from '../engines/sqlite/engine.js'
import {
  removeTestFolders,
  sampleTables,
  TestDatabase,
  testContext,
} from '../engines/sqlite/test-database.js'
import type { Engine } from '../engine/engine.js'
import { connectorContract, type ContractDatabase } from '../testing/connector-contract.js'
import { defineCommandConnector } from './define-command-connector.js'
import { defineConnector } from './define-connector.js'

const folder = mkdtempSync(join(tmpdir(), 'custom-test-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  removeTestFolders()
})

/** A file of lines, each an object. */
class LinesFile implements ContractDatabase {
  readonly connection = {
    engine: 'jsonl',
    name: join(folder, `${randomBytes(6).toString('hex')}.jsonl`),
    parameters: {},
  }

  async create(): Promise<this> {
    await writeFile(this.connection.name, '')
    return this
  }

  fill(): Promise<void> {
    const lines = Array.from({ length: 6000 }, (_, id) => JSON.stringify({ id, name: `person ${id} – ✓` }))
    return writeFile(this.connection.name, `${lines.join('\n')}\n`)
  }

  execute = (text: string) => appendFile(this.connection.name, `${text}\n`)
  tables = () => Promise.resolve([])
  rowCount = () => Promise.resolve(this.#text().split('\n').length - 1)
  schemaText = () => Promise.resolve('')
  drop = () => rm(this.connection.name, { force: true })

  digest(): Promise<Readonly<Record<string, string>>> {
    const text = this.#text()
    return Promise.resolve(text === '' ? {} : { lines: createHash('sha256').update(text).digest('hex') })
  }

  #text(): string {
    return readFileSync(this.connection.name, 'utf8')
  }
}

const lines = defineConnector({
  name: 'json-lines',
  engine: 'jsonl',
  extension: 'jsonl',
  replacesFile: true,
  // An empty dump is never a backup: the dump of an empty file has a line of its own.
  async *dump({ connection }) {
    yield '{"version":1}\n'
    yield* createReadStream(connection.name) as AsyncIterable<Buffer>
  },
  async restore({ connection }, dump) {
    let first = true
    await pipeline(
      dump,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          yield first ? chunk.subarray(chunk.indexOf(0x0a) + 1) : chunk
          first = false
        }
      },
      createWriteStream(connection.name),
    )
  },
})

describe('the contract of connectors, with one of files in code', () => {
  const checks = connectorContract({
    engine: lines.ownEngine as Engine,
    factory: lines,
    opaque: true,
    context: (signal) => testContext(signal),
    createDatabase: () => new LinesFile().create(),
    missingDatabase: () => Promise.resolve(new LinesFile()),
    fill: (database) => (database as LinesFile).fill(),
    sample: { lone: 'none', odd: 'none', changeRows: '{"id":-1}', changeSchema: '' },
  })
  for (const { name, run } of checks) it(name, run)
})

const shell = defineCommandConnector({
  name: 'sqlite-shell',
  engine: 'sqlite',
  extension: 'sql',
  format: { startsWith: 'PRAGMA foreign_keys=OFF;', endsWith: 'COMMIT;' },
  transactional: true,
  version: ['sqlite3', '--version'],
  dump: ({ connection }) => ['sqlite3', '-readonly', connection.name, '.dump'],
  restore: ({ connection }) => ['sqlite3', '-bail', connection.name],
})

/** What the tool itself can write and read: its dump loses NUL characters in text, for one. */
function fillPlain({ connection }: ContractDatabase): Promise<void> {
  const odd = `"${sampleTables.odd.replaceAll('"', '""')}"`
  return new TestDatabase(connection.name).execute(`
    CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT, born REAL, photo BLOB);
    CREATE TABLE book (id INTEGER PRIMARY KEY, author INTEGER REFERENCES author, title TEXT);
    CREATE TABLE ${sampleTables.lone} (line TEXT);
    CREATE TABLE ${odd} (v);
    CREATE TABLE edge (u, v);
    CREATE VIEW titles AS SELECT name, title FROM author JOIN book ON book.author = author.id;
    CREATE INDEX book_author ON book(author);
    CREATE TRIGGER logged AFTER DELETE ON book BEGIN INSERT INTO ${sampleTables.lone} VALUES (old.title); END;
    INSERT INTO author VALUES (1, 'Ada ✓', -0.5, x'00ff'), (2, '', 9e99, NULL), (3, NULL, NULL, x'');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
      INSERT INTO book SELECT i, 1 + i % 3, 'book ' || i || ' ''quoted''' FROM n;
    INSERT INTO ${sampleTables.lone} VALUES ('one'), ('two; three');
    INSERT INTO ${odd} VALUES (9223372036854775807), (NULL);
    INSERT INTO edge VALUES (1, 2);`)
}

needsTool('sqlite3').describe('the contract of connectors, with one that runs a tool', () => {
  const checks = connectorContract({
    engine: sqliteEngine,
    factory: shell,
    context: (signal) => testContext(signal),
    createDatabase: () => Promise.resolve(TestDatabase.empty()),
    missingDatabase: () => Promise.resolve(new TestDatabase()),
    fill: fillPlain,
    sample: {
      ...sampleTables,
      changeRows: `UPDATE author SET name = 'Nobody' WHERE id = 2`,
      changeSchema: 'CREATE INDEX edge_v ON edge(v)',
    },
  })
  for (const { name, run } of checks) it(name, run)
})
