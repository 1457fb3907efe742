import { Readable } from 'node:stream'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RowChunk } from '../../src/engine/row-chunk.js'
import type { Row } from '../../src/engine/cell.js'
import type { TableHeader } from '../../src/engine/table-header.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { execute as executeOn, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { compareRowsByKey } from '../../src/operations/row-differences.js'
import { needsServer } from '../servers/needs.js'
import { configOf, execute, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

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
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' } })
    const { id } = resultOf(await hf.backup({ fingerprint: 'content' }))
    expect((await hf.diff({ rows: true })).rows).toEqual([])
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
    // Numbers of rows alone would not tell that anything differs.
    resultOf(await hf.backup({ fingerprint: 'counts' }))
    expect((await hf.diff({ from: id, to: 'latest', rows: true })).rows).toEqual(rows)
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
