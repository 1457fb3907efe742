import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import { sqliteEngine } from './engine.js'
import { fillSample, removeTestFolders, TestDatabase, testContext } from './test-database.js'

afterAll(removeTestFolders)

async function facts(database: TestDatabase) {
  const session = await sqliteEngine.open(testContext(), database.connection)
  try {
    return await session.facts()
  } finally {
    await session.close()
  }
}

it('knows product, size, encoding and estimates', async () => {
  const database = TestDatabase.empty()
  fillSample(database)
  const found = await facts(database)
  expect(found).toMatchObject({
    product: 'SQLite',
    database: database.path,
    encoding: 'UTF-8',
    migrations: [],
    warnings: [],
  })
  expect(found.sizeBytes).toBe(Number(database.rows('PRAGMA page_count')[0]?.[0]) * 4096)
  expect(found.tables.find(({ name }) => name === 'book')).toEqual({ name: 'book', estimatedRows: 6000 })
  expect(found.tables.map(({ name }) => name)).not.toContain('docs_data')
})

it('reads what migration tools have applied', async () => {
  const database = TestDatabase.empty()
  database.run(`CREATE TABLE _prisma_migrations(id TEXT PRIMARY KEY, migration_name TEXT, finished_at, rolled_back_at);
    INSERT INTO _prisma_migrations VALUES ('b', '1_init', 1, NULL), ('a', '2_more', 2, NULL), ('c', '3_failed', NULL, NULL), ('d', '4_undone', 3, 4);
    CREATE TABLE django_migrations(id INTEGER PRIMARY KEY, app, name, applied); INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial', 1), (2, 'shop', '0001_initial', 1);
    CREATE TABLE __drizzle_migrations(id INTEGER PRIMARY KEY, hash TEXT, created_at); INSERT INTO __drizzle_migrations VALUES (1, 'abc', 1);
    CREATE TABLE migrations(id INTEGER PRIMARY KEY, name, batch); INSERT INTO migrations VALUES (1, 'not TypeORM', 1)`)
  expect((await facts(database)).migrations).toEqual([
    { tool: 'prisma', table: '_prisma_migrations', applied: ['1_init', '2_more'] },
    { tool: 'drizzle', table: '__drizzle_migrations', applied: ['abc'] },
    { tool: 'django', table: 'django_migrations', applied: ['auth.0001_initial', 'shop.0001_initial'] },
  ])
})

it('minds neither a view that is broken nor a module that is not there', async () => {
  const database = TestDatabase.empty()
  database.run(`CREATE TABLE t(a); CREATE VIEW broken AS SELECT x FROM gone; PRAGMA writable_schema=ON;
    INSERT INTO sqlite_schema VALUES ('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(v float[2])')`)
  expect(await facts(database)).toMatchObject({ tables: [{ name: 't' }, { name: 'vec' }], objectCount: 3 })
})

it('says what is not a database, and makes none', async () => {
  const missing = new TestDatabase()
  await expect(facts(missing)).rejects.toMatchObject({ code: 'database.not-found' })
  await expect(facts(missing)).rejects.toMatchObject({ code: 'database.not-found' })
  writeFileSync(missing.path, 'x'.repeat(5000))
  await expect(facts(missing)).rejects.toMatchObject({ code: 'database.corrupt' })
  const folder = new TestDatabase()
  mkdirSync(folder.path)
  await expect(facts(folder)).rejects.toMatchObject({ code: 'database.not-found' })
  const empty = new TestDatabase()
  writeFileSync(empty.path, '')
  expect(await facts(empty)).toMatchObject({ tables: [], objectCount: 0 })
})
