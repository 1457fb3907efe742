import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig } from '../../src/config/config.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { needsServer, type Need } from '../servers/needs.js'
import { execute, holdfastIn, makeShop, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')

/** A database with the tables customers, orders and sessions, as a flow sees it. */
interface Shop {
  readonly config: DatabaseConfig
  /** Rows of each table that is there. */
  counts(): Promise<Readonly<Record<string, number>>>
  drop(): Promise<void>
}

interface Bench {
  readonly needs: Need
  readonly connectors: readonly string[]
  /** @param filled without it the database does not exist yet */
  make(folder: string, name: string, filled: boolean): Promise<Shop>
}

const statements = [
  'CREATE TABLE customers (id int)',
  'CREATE TABLE orders (id int)',
  'CREATE TABLE sessions (id int)',
  'INSERT INTO customers VALUES (1), (2), (3)',
  'INSERT INTO orders VALUES (1), (2)',
  'INSERT INTO sessions VALUES (1)',
]

async function countsOf(database: ScratchDatabase | TestDatabase) {
  const counts: Record<string, number> = {}
  for (const table of await database.tables()) counts[table] = await database.rowCount(table)
  return counts
}

const here: Need = {
  missing: undefined,
  title: (title) => title,
  describe: (title, body) => void describe(title, body),
  it: (title, body, timeoutMs) => void it(title, body, timeoutMs),
}

const benches: Readonly<Record<string, Bench>> = {
  sqlite: {
    needs: here,
    connectors: ['sqlite-dump'],
    make(folder, name, filled) {
      const path = join(folder, `${name}.sqlite3`)
      if (filled) {
        makeShop(path, 3)
        execute(path, "DELETE FROM orders WHERE id = 3; DELETE FROM sessions WHERE token = 's1'")
      }
      const counts = () => {
        const db = new DatabaseSync(path, { readOnly: true })
        try {
          const rows = (sql: string) => db.prepare(sql).all() as { name: string; n: number }[]
          const tables = rows("SELECT name, 0 AS n FROM sqlite_schema WHERE type = 'table'")
          return Object.fromEntries(
            tables.flatMap(({ name }) =>
              rows(`SELECT '${name}' AS name, count(*) AS n FROM "${name}"`).map((row) => [row.name, row.n]),
            ),
          ) as Record<string, number>
        } finally {
          db.close()
        }
      }
      return Promise.resolve({
        config: { engine: 'sqlite', name: path },
        counts: () => Promise.resolve(counts()),
        drop: () => rm(path, { force: true }),
      })
    },
  },
  postgresql: {
    needs: postgresql,
    connectors: ['pg-dump-custom', 'pg-dump'],
    async make(_folder, name, filled) {
      const { host, port, user, password } = postgresql.server()
      const database = new TestDatabase(postgresql.server(), `hf_excludes_${name}`)
      if (filled) {
        await database.make()
        await database.execute(statements.join('; '))
      }
      return {
        config: { engine: 'postgresql', host, port, user, password, name: database.name },
        counts: () => countsOf(database),
        drop: () => database.drop(),
      }
    },
  },
  mysql: {
    needs: mariadb,
    connectors: ['mysqldump'],
    async make(_folder, name, filled) {
      const { host, port, user, password } = mariadb.server()
      const database = new ScratchDatabase(mariadb.server(), 'mysql', `hf_excludes_${name}`)
      if (filled) {
        await database.create()
        await database.run(statements)
      }
      return {
        config: { engine: 'mysql', host, port, user, password, name: database.name },
        counts: () => countsOf(database),
        drop: () => database.drop(),
      }
    },
  },
}

const everything = { customers: 3, orders: 2, sessions: 1 }

for (const [engine, { needs, connectors, make }] of Object.entries(benches)) {
  needs.describe(`excludes stay with their database: ${engine}`, () => {
    it.each(connectors)('%s', async (connector) => {
      const folder = await testFolder()
      const shops = await Promise.all(['one', 'two', 'three'].map((name) => make(folder, name, true)))
      const copy = await make(folder, 'copy', false)
      try {
        const [one, two, three] = shops.map(({ config }) => ({ ...config, connector }))
        const hf = await holdfastIn(folder, {
          databases: {
            one: { ...one, exclude: ['sess*'] },
            two: { ...two, excludeData: ['*ers'] },
            three: { ...three },
          },
        })
        // Two runs: nothing of the first is left for the second, either.
        for (let run = 1; run <= 2; run++) {
          expect((await hf.backup()).map(({ ok }) => ok)).toEqual([true, true, true])
          const restored: Record<string, unknown> = {}
          for (const database of ['one', 'two', 'three']) {
            await hf.restore({ database, to: String(copy.config.name), create: true, confirm: true })
            restored[database] = await copy.counts()
            await copy.drop()
          }
          expect(restored).toEqual({
            one: { customers: 3, orders: 2 },
            two: { customers: 0, orders: 0, sessions: 1 },
            three: everything,
          })
        }
        // Those of a call are for all of its databases, and for no later call.
        expect((await hf.backup({ exclude: ['orders'], excludeData: [] })).map(({ ok }) => ok)).toEqual([
          true,
          true,
          true,
        ])
        const { backup } = (await hf.backup({ databases: ['three'] })).flatMap((outcome) =>
          outcome.ok ? [outcome.result] : [],
        )[0] ?? { backup: undefined }
        expect(backup?.manifest.options).toEqual({ exclude: [], excludeData: [], schemas: [] })
      } finally {
        for (const each of [...shops, copy]) await each.drop()
      }
    })
  })
}
