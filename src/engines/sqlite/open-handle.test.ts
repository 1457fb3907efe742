import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connector, RestoreRequest } from '../../engine/connector.js'
import { dumpRequest } from '../../testing/connector-contract.js'
import { sqliteHandle } from './connectors/open-handle.js'
import { dump, restore, sourceOf } from './test-connector.js'
import { removeTestFolders, TestDatabase, testContext } from './test-database.js'
import { plainTools } from '../../testing/plain-tools.js'

afterAll(removeTestFolders)

const connection = { engine: 'sqlite', name: 'cache', parameters: {} }

function through(handle: DatabaseSyncInstance, connector?: string): Connector {
  return sqliteHandle(handle, connector === undefined ? {} : { connector }).create({
    connection,
    tools: plainTools,
    options: {},
  })
}

async function dumpOf(connector: Connector): Promise<Buffer> {
  const made = await connector.dump(testContext(), dumpRequest())
  const chunks: Buffer[] = []
  for await (const part of made.parts) for await (const chunk of part.bytes) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function restoreInto(connector: Connector, bytes: Buffer, request: Partial<RestoreRequest> = {}) {
  const whole = { clean: 'objects' as const, create: false, disconnect: false, schemas: [], ...request }
  return connector.restore(testContext(), sourceOf(bytes), whole)
}

const filled = `
  PRAGMA foreign_keys = ON;
  CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, photo BLOB);
  CREATE TABLE "order" (id INTEGER PRIMARY KEY AUTOINCREMENT, customer REFERENCES customer ON DELETE CASCADE, total REAL);
  CREATE INDEX by_customer ON "order" (customer);
  CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM "order" GROUP BY customer;
  CREATE TRIGGER tidy AFTER DELETE ON customer BEGIN DELETE FROM "order" WHERE customer = old.id; END;
  CREATE VIRTUAL TABLE words USING fts5 (word);
  INSERT INTO customer VALUES (1, 'Ann ' || char(10) || ' O''Neil', x'00ff00'), (2, char(0) || 'nul', NULL);
  INSERT INTO "order" (customer, total) VALUES (1, 1e308), (2, 0.1);
  INSERT INTO words VALUES ('hold'), ('fast');`

/** Everything that a query can see. */
function contentOf(handle: DatabaseSyncInstance): unknown {
  const all = (sql: string): unknown => handle.prepare(sql).all()
  return {
    schema: all('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name'),
    customers: all('SELECT id, hex(name) AS name, hex(photo) AS photo FROM customer ORDER BY id'),
    orders: all('SELECT * FROM "order" ORDER BY id'),
    sequence: all('SELECT * FROM sqlite_sequence'),
    totals: all('SELECT * FROM totals ORDER BY customer'),
    found: all(`SELECT word FROM words WHERE words MATCH 'fast'`),
    foreignKeys: all('PRAGMA foreign_keys'),
  }
}

describe.each(['sqlite-backup', 'sqlite-dump'] as const)('a database in memory, %s', (name) => {
  let handle: DatabaseSyncInstance
  let before: unknown
  beforeEach(() => {
    handle = new DatabaseSync(':memory:', { defensive: false })
    handle.exec(filled)
    before = contentOf(handle)
  })
  afterEach(() => handle.close())

  it('is backed up, and comes back after changes', async () => {
    const connector = through(handle, name)
    const bytes = await dumpOf(connector)
    handle.exec('DROP TRIGGER tidy; DROP TABLE "order"; DELETE FROM customer; CREATE TABLE later (i)')
    await restoreInto(connector, bytes, { clean: 'database' })
    expect(contentOf(handle)).toEqual(before)
  })

  it('goes into a file, and a file into it', async () => {
    const file = TestDatabase.empty()
    await restore(name, file, await dumpOf(through(handle, name)))
    const other = new DatabaseSync(':memory:', { defensive: false })
    await restoreInto(through(other, name), (await dump(name, file)).bytes)
    other.exec('PRAGMA foreign_keys = ON')
    expect(contentOf(other)).toEqual(before)
    other.close()
  })

  it('a restore that fails leaves it as it was', async () => {
    const connector = through(handle, name)
    const bytes = await dumpOf(connector)
    await expect(
      restoreInto(connector, bytes.subarray(0, -300), { clean: 'database' }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^integrity\./u) as string,
    })
    expect(contentOf(handle)).toEqual(before)
  })

  it('says what it is and what a restore would replace', async () => {
    const connector = through(handle, name)
    const { server } = await connector.inspect(testContext())
    expect(server).toMatchObject({ database: 'cache', product: 'SQLite' })
    expect(server.tables.map((table) => table.name)).toEqual(['customer', 'order', 'words'])
    const source = sourceOf(await dumpOf(connector))
    const request = { clean: 'database' as const, create: false, disconnect: false, schemas: [] }
    const target = await connector.prepareRestore(testContext(), source, request)
    expect(target.place).toBe('sqlite:cache')
    expect(target.losses.join()).toMatch(/^all of cache is replaced: its tables, views/u)
    expect(contentOf(handle)).toEqual(before)
  })

  it('in a transaction it gives no copy, and says so', async () => {
    handle.exec('BEGIN')
    await expect(through(handle, name).inspect(testContext())).rejects.toMatchObject({
      code: 'database.query-failed',
      message: expect.stringContaining('transaction') as string,
    })
    handle.exec('ROLLBACK')
  })

  it('FAILURES 7: leaves no copy behind', async () => {
    const left = () => readdirSync(tmpdir()).filter((entry) => entry.startsWith(`holdfast-${process.pid}-`))
    const connector = through(handle, name)
    await dumpOf(connector)
    const made = await connector.dump(testContext(), dumpRequest())
    for await (const part of made.parts) {
      part.bytes.on('error', () => undefined)
      part.bytes.destroy()
      await once(part.bytes, 'close')
      break
    }
    expect(left()).toEqual([])
  })
})

it('an empty database in memory is filled', async () => {
  const source = new TestDatabase()
  source.run('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  const handle = new DatabaseSync(':memory:')
  await restoreInto(through(handle), (await dump('sqlite-backup', source)).bytes)
  expect(handle.prepare('SELECT a FROM t').all()).toEqual([{ a: 1 }])
  handle.close()
})

it('what the handle refuses leaves it as it was', async () => {
  const source = new TestDatabase()
  source.run(`CREATE VIRTUAL TABLE words USING fts5 (word); INSERT INTO words VALUES ('x')`)
  const handle = new DatabaseSync(':memory:', { defensive: true })
  handle.exec('PRAGMA foreign_keys = ON; CREATE TABLE kept (i); INSERT INTO kept VALUES (1)')
  await expect(
    restoreInto(through(handle), (await dump('sqlite-backup', source)).bytes, { clean: 'database' }),
  ).rejects.toMatchObject({ code: 'database.query-failed' })
  expect(handle.prepare('SELECT i FROM kept').all()).toEqual([{ i: 1 }])
  expect(handle.prepare('PRAGMA foreign_keys').all()).toEqual([{ foreign_keys: 1 }])
  handle.close()
})

it('sqlite-copy has no file to copy', () => {
  const handle = new DatabaseSync(':memory:')
  expect(() => sqliteHandle(handle, { connector: 'sqlite-copy' })).toThrow(
    expect.objectContaining({ code: 'usage.invalid' }),
  )
  handle.close()
})
