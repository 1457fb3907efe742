import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig } from '../../src/config/config.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { psql, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { needsAll, needsSamples, needsServer, samplesFolder } from '../servers/needs.js'
import type { ServerAddress } from '../servers/server.js'
import { filesBelow, holdfastIn, resultOf, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')

/** A database of a server with a public sample in it, as a flow sees it. */
interface SampleDatabase {
  readonly name: string
  digest(): Promise<unknown>
  /** Takes rows away and adds a table that no backup knows. */
  damage(): Promise<void>
  drop(): Promise<void>
}

interface Flow {
  readonly title: string
  readonly needs: typeof postgresql
  readonly engine: string
  readonly connectors: readonly string[]
  readonly tables: number
  readonly dumpTool: string
  load(server: ServerAddress): Promise<SampleDatabase>
  other(server: ServerAddress, name: string): SampleDatabase
}

const flows: readonly Flow[] = [
  {
    title: 'PostgreSQL with Chinook',
    needs: postgresql,
    engine: 'postgresql',
    connectors: ['pg-dump-custom', 'pg-dump'],
    tables: 11,
    dumpTool: 'pg_dump',
    async load(server) {
      const database = await new TestDatabase(server).make()
      const sql = readFileSync(join(samplesFolder, 'chinook/Chinook_PostgreSql.sql'), 'utf8')
      await psql(database, sql.replace(/^(?:DROP DATABASE|CREATE DATABASE|\\c ).*$/gmu, ''))
      return asSample(
        database,
        'DELETE FROM invoice_line WHERE invoice_line_id > 100; CREATE TABLE later (i int)',
      )
    },
    other: (server, name) => asSample(new TestDatabase(server, name), ''),
  },
  {
    title: 'MariaDB with Chinook',
    needs: mariadb,
    engine: 'mysql',
    connectors: ['mysqldump'],
    tables: 11,
    dumpTool: 'mariadb-dump',
    async load(server) {
      const database = await new ScratchDatabase(server, 'mysql').create()
      const sql = readFileSync(join(samplesFolder, 'chinook/Chinook_MySql.sql'), 'utf8').replace(
        /^\uFEFF/u,
        '',
      )
      const own = sql.replace(/^(?:DROP DATABASE|CREATE DATABASE|USE ).*$/gmu, '')
      await database.run(
        own.split(/;\s*\n/u).filter((statement) => statement.replace(/\/\*.*?\*\//gsu, '').trim() !== ''),
      )
      return asSample(database, 'DELETE FROM InvoiceLine WHERE InvoiceLineId > 100')
    },
    other: (server, name) => asSample(new ScratchDatabase(server, 'mysql', name), ''),
  },
]

function asSample(database: TestDatabase | ScratchDatabase, damage: string): SampleDatabase {
  return {
    name: database.name,
    digest: () => database.digest(),
    damage: () => database.execute(damage),
    drop: () => database.drop(),
  }
}

for (const flow of flows) {
  needsAll(flow.needs, needsSamples()).describe(flow.title, () => {
    const reach = (name: string): DatabaseConfig => {
      const { host, port, user, password } = flow.needs.server()
      return { engine: flow.engine, host, port, user, password, name }
    }

    async function loaded() {
      const folder = await testFolder()
      const database = await flow.load(flow.needs.server())
      return { folder, database }
    }

    describe.each(flow.connectors)('%s', (connector) => {
      it('goes the whole way: back up, verify, lose rows, restore, and into a new database', async () => {
        const { folder, database } = await loaded()
        const copy = flow.other(flow.needs.server(), `${database.name}_copy`)
        try {
          const hf = await holdfastIn(folder, { databases: { shop: { ...reach(database.name), connector } } })
          const before = await database.digest()
          const { backup } = resultOf(await hf.backup())
          expect(backup?.manifest).toMatchObject({
            connector,
            source: { tables: flow.tables },
            tools: [{ name: flow.dumpTool }],
          })
          expect((await hf.verify()).results).toMatchObject([{ ok: true, result: { decoded: true } }])

          await database.damage()
          expect(await database.digest()).not.toEqual(before)
          const { plan } = await hf.restore({ dryRun: true })
          expect(plan.losses.length).toBeGreaterThan(0)
          await expect(hf.restore({ clean: 'none', confirm: true })).rejects.toMatchObject({
            code: 'refused.not-empty',
          })

          await hf.restore({ clean: 'database', confirm: true })
          expect(await database.digest()).toEqual(before)
          await expect(hf.restore({ to: copy.name, confirm: true })).rejects.toMatchObject({
            code: 'database.not-found',
          })
          await hf.restore({ to: copy.name, create: true, confirm: true })
          expect(await copy.digest()).toEqual(before)
        } finally {
          await database.drop()
          await copy.drop()
        }
      })
    })

    it('excludes what it is told to, and nothing of the next database', async () => {
      const { folder, database } = await loaded()
      const copy = flow.other(flow.needs.server(), `${database.name}_copy`)
      try {
        const hf = await holdfastIn(folder, {
          databases: {
            one: { ...reach(database.name), excludeData: ['*nvoice*ine'] },
            two: reach(database.name),
          },
        })
        expect((await hf.backup()).map(({ ok }) => ok)).toEqual([true, true])
        await hf.restore({ database: 'one', to: copy.name, create: true, confirm: true })
        const [all, some] = [await database.digest(), await copy.digest()]
        expect(Object.keys(some as object)).toEqual(Object.keys(all as object))
        expect(some).not.toEqual(all)
        await hf.restore({ database: 'two', to: copy.name, confirm: true })
        expect(await copy.digest()).toEqual(all)
        expect(await hf.backup({ databases: ['two'], exclude: ['no_such_table'] })).toMatchObject([
          { ok: false, error: { code: 'usage.pattern-unmatched' } },
        ])
      } finally {
        await database.drop()
        await copy.drop()
      }
    })

    it('bad input is refused by its own error, and nothing is stored', async () => {
      const { folder, database } = await loaded()
      try {
        const oldTool = join(folder, 'old-tool')
        writeFileSync(oldTool, `#!/bin/sh\necho '${flow.dumpTool} (PostgreSQL) 9.6.1'\n`)
        chmodSync(oldTool, 0o755)
        const wrong: Record<string, [DatabaseConfig, string]> = {
          password: [{ ...reach(database.name), password: 'wrong' }, 'database.login-refused'],
          name: [reach('no_such_database'), 'database.not-found'],
          port: [{ ...reach(database.name), port: 1 }, 'database.unreachable'],
          tool: [{ ...reach(database.name), dumpCommand: '/no/such/tool' }, 'tool.missing'],
          ...(flow.engine === 'postgresql' && {
            old: [{ ...reach(database.name), dumpCommand: oldTool }, 'tool.too-old'] as [
              DatabaseConfig,
              string,
            ],
          }),
        }
        for (const [what, [config, code]] of Object.entries(wrong)) {
          const hf = await holdfastIn(folder, { databases: { shop: config } })
          expect([what, await hf.backup()]).toMatchObject([what, [{ ok: false, error: { code } }]])
        }
        expect(existsSync(join(folder, 'backups')) ? filesBelow(join(folder, 'backups')) : []).toEqual([])
      } finally {
        await database.drop()
      }
    })
  })
}
