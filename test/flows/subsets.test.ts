import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/engine/cell.js'
import type { ConnectionSettings, Engine } from '../../src/engine/engine.js'
import type { RowSource } from '../../src/engine/row-source.js'
import { tableText } from '../../src/engine/table-header.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { Secret } from '../../src/env/secret.js'
import { HoldfastError } from '../../src/errors.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { mariadb as mariadbEngine } from '../../src/engines/mysql/engine.js'
import { postgresql as postgresqlEngine } from '../../src/engines/postgres/engine.js'
import { TestDatabase as PostgresDatabase } from '../../src/engines/postgres/test-fixture.js'
import { sqliteEngine as sqlite } from '../../src/engines/sqlite/engine.js'
import { removeTestFolders, TestDatabase as SqliteDatabase } from '../../src/engines/sqlite/test-database.js'
import { maskTransform } from '../../src/portable/masks/mask-transform.js'
import { mask } from '../../src/portable/masks/mask.js'
import type { RowTransform } from '../../src/portable/row-transform.js'
import type { SubsetConfig } from '../../src/portable/subset/subset-config.js'
import { subsetTransform } from '../../src/portable/subset/subset-transform.js'
import { needsServer } from '../servers/needs.js'

const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')

const schema = [
  'CREATE TABLE countries (code CHAR(2) NOT NULL PRIMARY KEY)',
  `CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE, country CHAR(2), boss INTEGER,
     FOREIGN KEY (country) REFERENCES countries (code), FOREIGN KEY (boss) REFERENCES users (id))`,
  `CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(60) NOT NULL, total INTEGER NOT NULL,
     FOREIGN KEY (email) REFERENCES users (email))`,
  `CREATE TABLE items (order_id INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (order_id, place),
     FOREIGN KEY (order_id) REFERENCES orders (id))`,
  'CREATE TABLE events (id INTEGER NOT NULL PRIMARY KEY, user_id INTEGER NOT NULL)',
  'CREATE TABLE audit (what VARCHAR(20), at INTEGER)',
]
const users = 60

/** Everyone's boss is a third of one's own number; who has no country is every fifth; each has orders, items and events. */
function fill(): readonly string[] {
  const values = (table: string, rows: readonly string[]) => `INSERT INTO ${table} VALUES ${rows.join(', ')}`
  const ids = Array.from({ length: users }, (_, index) => index + 1)
  return [
    values('countries', ["('DE')", "('FR')", "('IT')", "('ZZ')"]),
    ...ids.map((id) =>
      values('users', [
        `(${id}, 'u${id}@work.test', ${id % 5 === 0 ? 'NULL' : `'${['DE', 'FR', 'IT'][id % 3]}'`}, ${id < 3 ? 'NULL' : Math.floor(id / 3)})`,
      ]),
    ),
    values(
      'orders',
      ids.map((id) => `(${id * 10}, 'u${id}@work.test', ${id})`),
    ),
    values(
      'items',
      ids.flatMap((id) => [1, 2, 3].map((place) => `(${id * 10}, ${place})`)),
    ),
    values(
      'events',
      ids.flatMap((id) => [0, 1, 2, 3].map((each) => `(${id * 100 + each}, ${id})`)),
    ),
    values('audit', ["('a', 1)", "('b', 2)"]),
  ]
}

interface Place {
  readonly title: string
  readonly needs: { describe(title: string, body: () => void): void }
  readonly engine: Engine
  make(): Promise<{
    readonly connection: ConnectionSettings
    execute(sql: string): Promise<void>
    drop(): Promise<void>
  }>
}

const places: readonly Place[] = [
  {
    title: 'SQLite',
    needs: { describe },
    engine: sqlite,
    make: () => Promise.resolve(SqliteDatabase.empty()),
  },
  {
    title: 'PostgreSQL',
    needs: postgresql,
    engine: postgresqlEngine,
    make: () => new PostgresDatabase(postgresql.server()).make(),
  },
  {
    title: 'MariaDB',
    needs: mariadb,
    engine: mariadbEngine,
    make: () => new ScratchDatabase(mariadb.server(), 'mariadb').create(),
  },
]

type Tables = Readonly<Record<string, readonly Row[]>>

/** What a dump would write, by table. */
async function dumped(source: RowSource, transforms: readonly RowTransform[]): Promise<Tables> {
  const tables = await source.tables()
  const prepared = []
  for (const transform of transforms) prepared.push(await transform.prepare(cx, source, tables))
  const result: Record<string, readonly Row[]> = {}
  for (const header of tables) {
    const queries = prepared.map(({ query }) => query?.(header)).filter((query) => query !== undefined)
    const rows: Row[] = []
    if (!queries.includes('none')) {
      const [query] = queries
      for await (const chunk of source.rows(header, query === 'none' ? undefined : query))
        for (const row of chunk.rows) {
          const kept = prepared.reduce<Row | undefined>(
            (each, { row: change }) =>
              each === undefined ? undefined : (change?.(header) ?? ((same) => same))(each),
            row,
          )
          if (kept !== undefined) rows.push(kept)
        }
    }
    result[header.table.name] = rows
  }
  return result
}

function column(rows: readonly Row[] | undefined, index: number): readonly unknown[] {
  return (rows ?? []).map((row) => row[index])
}

for (const { title, needs, engine, make } of places) {
  needs.describe(`a subset on ${title}`, () => {
    let database: Awaited<ReturnType<Place['make']>> | undefined
    let source: RowSource | undefined
    const opened = () => {
      if (source === undefined) throw new TypeError('no source')
      return source
    }
    const subset = (config: SubsetConfig) => dumped(opened(), [subsetTransform(config)])

    beforeAll(async () => {
      database = await make()
      for (const statement of [...schema, ...fill()]) await database.execute(statement)
      source = await engine.rows?.openSource(cx, database.connection)
    })
    afterAll(async () => {
      await source?.close()
      await database?.drop()
    })

    it('has the roots and all that they refer to, and nothing else', async () => {
      const { orders, users, countries, items, events, audit } = await subset({
        roots: { orders: 'id = 400' },
      })
      expect(column(orders, 0)).toEqual([400])
      expect(column(users, 0)).toEqual([1, 4, 13, 40])
      expect(column(countries, 0).map((code) => String(code).trim())).toEqual(['FR'])
      expect([items, events, audit]).toEqual([[], [], []])
    })

    it('has children where they are asked for, and what those refer to; virtual foreign keys count; kept tables are whole', async () => {
      const config: SubsetConfig = {
        roots: { users: { where: 'id > 50', limit: 2 } },
        limitChildren: { events: 3, orders: 'all', items: 1 },
        virtualForeignKeys: [{ table: 'events', columns: ['user_id'], references: 'users' }],
        keep: ['countries', 'audit'],
      }
      const { orders, users, countries, items, events, audit } = await subset(config)
      // 51 and 52 → 17 → 5 → 1; each brings its orders, one line of each, three events.
      expect(column(users, 0)).toEqual([1, 5, 17, 51, 52])
      expect(column(orders, 0)).toEqual([10, 50, 170, 510, 520])
      expect(items).toEqual([10, 50, 170, 510, 520].map((order) => [order, 1]))
      expect(column(events, 0)).toEqual(
        [1, 5, 17, 51, 52].flatMap((id) => [id * 100, id * 100 + 1, id * 100 + 2]),
      )
      expect([countries?.length, audit?.length]).toEqual([4, 2])
    })

    it('keeps the foreign keys of a mask whole: joins hold, uniqueness holds', async () => {
      const transforms = [
        subsetTransform({ roots: { orders: 'total > 30' } }),
        maskTransform({ key: new Secret('a key that nobody guesses'), users: { email: mask.email() } }),
      ]
      const { orders, users } = await dumped(opened(), transforms)
      expect(orders?.length).toBe(30)
      const emails = new Set(column(users, 1))
      expect(emails.size).toBe(users?.length)
      expect(column(orders, 1).every((email) => emails.has(email))).toBe(true)
      expect([...emails].filter((email) => String(email).includes('work.test'))).toEqual([])
    })

    it('says which condition the database does not understand', async () => {
      const error: unknown = await subset({ roots: { orders: 'no_such_column = 1' } }).catch(
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(HoldfastError)
      expect((error as HoldfastError).code).toBe('database.query-failed')
    })
  })
}

describe('any subset', () => {
  afterAll(removeTestFolders)

  it('is whole: every foreign key leads to a row that is there', async () => {
    const database = SqliteDatabase.empty()
    for (const statement of [...schema, ...fill()]) database.run(statement)
    const source = await sqlite.rows?.openSource(cx, database.connection)
    if (source === undefined) throw new TypeError('no source')
    const headers = await source.tables()
    const names = ['users', 'orders', 'items', 'countries'] as const
    const config = fc.record({
      roots: fc.dictionary(
        fc.constantFrom(...names),
        fc.integer({ min: 1, max: 600 }).map((number) => `rowid % ${number} = 1`),
        { minKeys: 1, maxKeys: 2 },
      ),
      limitChildren: fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 0, max: 3 }), { maxKeys: 2 }),
      keep: fc.subarray([...names], { maxLength: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(config, async (given) => {
        const tables = await dumped(source, [subsetTransform(given)])
        for (const header of headers)
          for (const key of header.foreignKeys) {
            const parent = headers.find(({ table }) => tableText(table) === tableText(key.references))
            const cells = (rows: readonly Row[] | undefined, columns: readonly string[], of = header) =>
              (rows ?? []).map((row) =>
                columns.map((name) => row[of.columns.findIndex((each) => each.name === name)]),
              )
            const there = new Set(
              cells(tables[key.references.name], key.referencedColumns, parent).map((row) =>
                JSON.stringify(row),
              ),
            )
            const orphans = cells(tables[header.table.name], key.columns).filter(
              (row) => !row.includes(null) && !there.has(JSON.stringify(row)),
            )
            expect(orphans).toEqual([])
          }
      }),
      { numRuns: 25 },
    )
    await source.close()
  })

  it('names what the configuration has wrong', async () => {
    const database = SqliteDatabase.empty()
    for (const statement of schema) database.run(statement)
    const source = await sqlite.rows?.openSource(cx, database.connection)
    if (source === undefined) throw new TypeError('no source')
    const message = (config: SubsetConfig) =>
      dumped(source, [subsetTransform(config)]).then(
        () => '',
        (error: unknown) => (error as Error).message,
      )
    expect(await message({ roots: { order: '1' } })).toBe('subset.roots: there is no table order')
    expect(await message({ roots: {}, keep: ['nope'] })).toBe('subset.keep: there is no table nope')
    const key = { table: 'events', columns: ['user'], references: 'users' }
    expect(await message({ roots: {}, virtualForeignKeys: [key] })).toBe(
      'subset.virtualForeignKeys: events has no column user',
    )
    await source.close()
  })
})
