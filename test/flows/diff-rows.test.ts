import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { Long, ObjectId } from 'mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RowChunk } from '../../src/engine/row-chunk.js'
import type { Row } from '../../src/engine/cell.js'
import type { TableHeader } from '../../src/engine/table-header.js'
import { ScratchDatabase as MongoScratch } from '../../src/engines/mongodb/test-database.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { execute as executeOn, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { compareRowsByKey } from '../../src/operations/row-differences.js'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { needsServer } from '../servers/needs.js'
import { configOf, execute, holdfastIn, listener, makeShop, resultOf, testFolder } from './workbench.js'

function* chunksOf(rows: readonly Row[]): Generator<RowChunk> {
  for (let at = 0; at < rows.length; at += 3) yield RowChunk.ofRows(rows.slice(at, at + 3))
}

describe('rows are compared by their key', () => {
  const header = (key: readonly string[]): TableHeader => ({
    table: { name: 't' },
    columns: ['id', 'name'].map((name) => ({
      name,
      type: 'text',
      nullable: true,
      hasDefault: false,
      ...(key.includes(name) ? { primaryKey: key.indexOf(name) + 1 } : {}),
    })),
    ...{ foreignKeys: [], unique: [], indexes: [], generated: [], notCarried: [] },
    ...{ sequences: {}, renamedFrom: {}, defaults: {} },
  })
  const side = (rows: readonly Row[], key: readonly string[] = ['id']) => ({
    header: header(key),
    rows: () => Readable.from(chunksOf(rows)),
  })
  const many = Array.from({ length: 50 }, (_, index) => [index, `row ${index}`])

  it('in whatever order they come', async () => {
    const other = many
      .filter(([id]) => id !== 7)
      .map(([id, name]) => [id ?? 0, id === 9 ? 'new' : (name ?? '')])
    const found = await compareRowsByKey('t', side(many), side([[99, 'x'], ...other.reverse()]), 20)
    expect(found).toEqual({
      ...{ table: 't', key: ['id'], added: 1, removed: 1, changed: 1 },
      rows: [
        { what: 'changed', key: [9], columns: [{ name: 'name', from: 'row 9', to: 'new' }] },
        { what: 'removed', key: [7] },
        { what: 'added', key: [99] },
      ],
    })
  })

  it('of documents the fields that differ; or that only their order does', async () => {
    const documents = (...texts: readonly string[]) => {
      const rows = texts.map((text, index) => [index, { '~': 'jsontext', v: text }])
      const { columns } = header(['id'])
      const fields = columns.map((column) =>
        column.name === 'name' ? { ...column, type: 'document' } : column,
      )
      return { ...side(rows), header: { ...header(['id']), columns: fields } }
    }
    const from = documents('{"2":1,"b":null,"c":{"x":1}}', '{"9":1,"8":2}', '{"a":1}')
    const to = documents('{"2":1,"c":{"x":2},"d":0}', '{"8":2,"9":1}', '{"a":1}')
    expect((await compareRowsByKey('t', from, to, 9)).rows).toEqual([
      {
        ...{ what: 'changed', key: [0] },
        columns: [
          { name: 'b', from: null },
          { name: 'c', from: { x: 1 }, to: { x: 2 } },
          { name: 'd', to: 0 },
        ],
      },
      { what: 'changed', key: [1], columns: [] },
    ])
  })

  it('so many of each kind are named, and all are counted', async () => {
    const found = await compareRowsByKey('t', side(many), side([]), 2)
    expect(found).toMatchObject({ removed: 50, rows: [{ key: [0] }, { key: [1] }] })
  })

  it('a table without a key says so', async () => {
    expect(await compareRowsByKey('t', side(many, []), side(many, []), 2)).toMatchObject({
      rows: [],
      unnamed: expect.stringContaining('no primary key') as string,
    })
  })
})

describe('diff --rows', () => {
  it('SQLite: a backup and its database; two backups; a table without digests', async () => {
    const folder = await testFolder()
    const path = join(folder, 'shop.sqlite3')
    makeShop(path, 30)
    const told = listener()
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } }, { emit: told.emit })
    const { id } = resultOf(await hf.backup({ fingerprint: 'content', alsoPortable: true }))
    expect((await hf.diff({ rows: true })).rows).toEqual([])
    const dumps = ['before', 'before.ndjson', 'after'].map((name) => join(folder, name))
    const [before = '', inOneFile = '', after = ''] = dumps
    for (const output of [before, inOneFile]) await hf.dump({ output })
    execute(
      path,
      `UPDATE customers SET name = 'Ada' WHERE id = 3; DELETE FROM orders WHERE id = 4; INSERT INTO orders VALUES (500, 1, 2.5)`,
    )
    const rows = [
      {
        ...{ table: 'customers', key: ['id'], added: 0, removed: 0, changed: 1 },
        rows: [{ what: 'changed', key: [3], columns: [{ name: 'name', from: 'customer 3 – ✓', to: 'Ada' }] }],
      },
      {
        ...{ table: 'orders', key: ['id'], added: 1, removed: 1, changed: 0 },
        rows: [
          { what: 'removed', key: [4] },
          { what: 'added', key: [500] },
        ],
      },
    ]
    expect((await hf.diff({ rows: true })).rows).toEqual(rows)
    const restored = () => told.notices.some((notice) => notice.includes('throwaway'))
    expect(restored()).toBe(false)
    // Numbers of rows alone would not tell that anything differs.
    resultOf(await hf.backup({ fingerprint: 'counts' }))
    const counted = await hf.diff({ from: id, to: 'latest', rows: true })
    expect(counted.rows).toEqual(rows)
    expect(counted.comparison.differences).toEqual([
      { object: 'table customers', what: 'content' },
      { object: 'table orders', what: 'content' },
    ])
    expect(restored()).toBe(true)

    // Of portable dumps nothing is restored. Two folders have digests of their rows.
    await hf.dump({ output: after })
    const { comparison, rows: found } = await hf.diff({ from: before, to: after, rows: true })
    expect([comparison.level, comparison.differences, found]).toEqual([
      'content',
      [
        expect.objectContaining({ object: 'table customers', what: 'content' }),
        expect.objectContaining({ object: 'table orders', what: 'content' }),
      ],
      rows,
    ])
    for (const from of [before, inOneFile]) {
      const { from: side, ...report } = await hf.diff({ from, rows: true })
      expect([side.database, report.rows]).toEqual(['shop', rows])
      expect(report.comparison.unproven).toContainEqual(expect.stringContaining('holds rows'))
    }
    expect((await hf.diff({ from: id, to: inOneFile, rows: true })).rows).toEqual([])
    writeFileSync(join(folder, 'no dump'), 'x')
    await expect(hf.diff({ from: join(folder, 'no dump') })).rejects.toMatchObject({ exit: 7 })
  })

  const postgresql = needsServer('postgresql')
  postgresql.it('PostgreSQL, by a copy on a given server, which does not stay there', async () => {
    const database = await new TestDatabase(postgresql.server()).make()
    onTestFinished(() => database.drop())
    await database.execute(`
      CREATE SCHEMA s; CREATE TABLE s.items (a text, b int, n numeric, PRIMARY KEY (b, a));
      INSERT INTO s.items SELECT 'é' || g, g % 5, g FROM generate_series(1, 100) g`)
    const hf = await holdfastIn(await testFolder(), { databases: { shop: configOf(database.connection) } })
    resultOf(await hf.backup())
    await database.execute(`UPDATE s.items SET n = 8.50 WHERE a = 'é8'`)
    const { host, port, user, password } = postgresql.server()
    const into = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/postgres`
    expect((await hf.diff({ rows: true, into })).rows).toEqual([
      {
        ...{ table: 's.items', key: ['b', 'a'], added: 0, removed: 0, changed: 1 },
        rows: [
          {
            what: 'changed',
            key: [3, 'é8'],
            columns: [{ name: 'n', from: '8', to: '8.50' }],
          },
        ],
      },
    ])
    const left = `SELECT FROM pg_database WHERE datname LIKE 'holdfast_drill%'`
    expect(await executeOn(postgresql.server(), 'postgres', left)).toEqual([])
  })

  const mongodb = needsServer('mongodb')
  mongodb.it('MongoDB: documents by their _id, with the fields that differ', async () => {
    const database = await new MongoScratch(mongodb.server()).create()
    onTestFinished(() => database.drop())
    const id = new ObjectId('0123456789abcdef01234567')
    await database.on(async (db) => {
      const documents = [
        { _id: 1, name: 'é', list: [1, 2], gone: null },
        { _id: 'two', 10: 'a', 9: 'b' },
        { _id: { a: 1 } },
        { _id: id, n: new Long(5) },
      ] as unknown as { _id: never }[]
      await db.collection('items').insertMany(documents)
    })
    const programs = dirname(mongodbPrograms()?.server ?? '')
    const config = {
      databases: { shop: configOf(database.connection) },
      devServers: { mongodb: { programs } },
    }
    const hf = await holdfastIn(await testFolder(), config)
    resultOf(await hf.backup({ connector: 'mongodb-driver' }))
    expect((await hf.diff({ rows: true })).rows).toEqual([])
    await database.on(async (db) => {
      const items = db.collection<{ _id: unknown; list?: number[]; n?: number; more?: boolean; gone?: null }>(
        'items',
      )
      await items.updateOne({ _id: 1 as never }, { $set: { list: [1, 3], more: true }, $unset: { gone: '' } })
      await items.updateOne({ _id: id as never }, { $set: { n: 5 } })
      await items.deleteOne({ _id: { a: 1 } })
      await items.insertOne({ _id: 7 })
    })
    expect((await hf.diff({ rows: true })).rows).toEqual([
      {
        ...{ table: 'items', key: ['_id'], added: 1, removed: 1, changed: 2 },
        rows: [
          {
            ...{ what: 'changed', key: ['{"$numberInt":"1"}'] },
            columns: [
              {
                name: 'list',
                from: [{ $numberInt: '1' }, { $numberInt: '2' }],
                to: [{ $numberInt: '1' }, { $numberInt: '3' }],
              },
              { name: 'gone', from: null },
              { name: 'more', to: true },
            ],
          },
          {
            ...{ what: 'changed', key: [id.toHexString()] },
            columns: [{ name: 'n', from: { $numberLong: '5' }, to: { $numberInt: '5' } }],
          },
          { what: 'removed', key: ['{"a":{"$numberInt":"1"}}'] },
          { what: 'added', key: ['{"$numberInt":"7"}'] },
        ],
      },
    ])
  })

  const mariadb = needsServer('mariadb')
  mariadb.it('MariaDB', async () => {
    const database = await new ScratchDatabase(mariadb.server(), 'mariadb').create()
    onTestFinished(() => database.drop())
    await database.run([
      'CREATE TABLE items (id int PRIMARY KEY, b varbinary(9))',
      `INSERT INTO items VALUES (1, x'00'), (2, NULL), (3, x'ff')`,
    ])
    const hf = await holdfastIn(await testFolder(), { databases: { shop: configOf(database.connection) } })
    resultOf(await hf.backup())
    await database.run([`UPDATE items SET b = '' WHERE id = 2`, 'DELETE FROM items WHERE id = 3'])
    expect((await hf.diff({ rows: true })).rows).toMatchObject([
      {
        ...{ table: 'items', removed: 1, changed: 1 },
        rows: [
          { what: 'changed', key: [2], columns: [{ name: 'b', from: null, to: '' }] },
          { what: 'removed', key: [3] },
        ],
      },
    ])
  })
})
