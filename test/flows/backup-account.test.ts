import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { execute, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { holdfast, built, documentOf } from '../cli/command-line.js'
import { needsAll, needsServer } from '../servers/needs.js'
import type { ServerAddress } from '../servers/server.js'
import { holdfastIn, resultOf, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')
const account = { user: 'hf_reader', password: 'read-0nly-passw0rd' }

interface Bench {
  readonly title: string
  readonly needs: typeof postgresql
  readonly engine: string
  /** A database with a table `t` of three rows, and an account that may read it and change nothing. */
  make(server: ServerAddress): Promise<{
    readonly name: string
    execute(sql: string): Promise<unknown>
    rowCount(table: string): Promise<number>
    /** Removes database and account. */
    drop(): Promise<void>
  }>
}

const rows = 'CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2), (3)'

const benches: readonly Bench[] = [
  {
    title: 'PostgreSQL',
    needs: postgresql,
    engine: 'postgresql',
    async make(server) {
      const database = await new TestDatabase(server).make()
      await database.execute(rows)
      await execute(server, 'postgres', `DROP ROLE IF EXISTS ${account.user}`)
      await execute(server, 'postgres', `CREATE ROLE ${account.user} LOGIN PASSWORD '${account.password}'`)
      await execute(server, 'postgres', `GRANT pg_read_all_data TO ${account.user}`)
      return {
        name: database.name,
        execute: (sql) => database.execute(sql),
        rowCount: (table) => database.rowCount(table),
        drop: async () => {
          await database.drop()
          await execute(server, 'postgres', `DROP ROLE ${account.user}`)
        },
      }
    },
  },
  {
    title: 'MariaDB',
    needs: mariadb,
    engine: 'mysql',
    async make(server) {
      const database = await new ScratchDatabase(server, 'mysql').create()
      await database.run(rows.split('; '))
      const who = `'${account.user}'@'%'`
      await database.run([
        `CREATE OR REPLACE USER ${who} IDENTIFIED BY '${account.password}'`,
        `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON \`${database.name}\`.* TO ${who}`,
      ])
      return {
        name: database.name,
        execute: (sql) => database.execute(sql),
        rowCount: (table) => database.rowCount(table),
        drop: async () => {
          await database.run([`DROP USER ${who}`])
          await database.drop()
        },
      }
    },
  },
]

for (const { title, needs, engine, make } of benches) {
  needs.describe(`an account for backups alone: ${title}`, () => {
    async function bench() {
      const database = await make(needs.server())
      const { host, port, user, password } = needs.server()
      return { database, reach: { engine, host, port, user, password, name: database.name } }
    }

    it('backs up, and restore uses the other', async () => {
      const folder = await testFolder()
      const { database, reach } = await bench()
      try {
        const hf = await holdfastIn(folder, { databases: { shop: { ...reach, backup: account } } })
        resultOf(await hf.backup())
        await database.execute('DELETE FROM t')
        await hf.restore({ confirm: true })
        expect(await database.rowCount('t')).toBe(3)
        // The account for backups could not have done that.
        const reader = await holdfastIn(folder, { databases: { shop: { ...reach, ...account } } })
        resultOf(await reader.backup())
        await expect(reader.restore({ confirm: true })).rejects.toMatchObject({
          code: expect.stringMatching(/^(database\.denied|tool\.failed|restore\.incomplete)$/u) as string,
        })
        expect(await database.rowCount('t')).toBe(3)
      } finally {
        await database.drop()
      }
    })

    it('neither is used in place of the other', async () => {
      const folder = await testFolder()
      const { database, reach } = await bench()
      try {
        const nobody = { user: 'hf_nobody', password: 'wrong' }
        const onlyBackup = await holdfastIn(folder, {
          databases: { shop: { ...reach, ...nobody, backup: account } },
        })
        resultOf(await onlyBackup.backup())
        await expect(onlyBackup.restore({ confirm: true })).rejects.toMatchObject({
          code: 'database.login-refused',
        })
        const failed = (await onlyBackup.doctor()).checks.filter(({ status }) => status === 'error')
        expect(failed).toMatchObject([{ name: 'restore', error: { code: 'database.login-refused' } }])

        const onlyRestore = await holdfastIn(folder, { databases: { shop: { ...reach, backup: nobody } } })
        expect(await onlyRestore.backup()).toMatchObject([
          { ok: false, error: { code: 'database.login-refused' } },
        ])
        await onlyRestore.restore({ confirm: true })
      } finally {
        await database.drop()
      }
    })

    it('a replica: host and port are those of backups alone', async () => {
      const folder = await testFolder()
      const { database, reach } = await bench()
      try {
        // The application's own server is out of reach; what answers stands for its replica.
        const { host, port } = reach
        const hf = await holdfastIn(folder, {
          databases: { shop: { ...reach, host: 'localhost', port: 1, backup: { host, port } } },
        })
        resultOf(await hf.backup())
        await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'database.unreachable' })
      } finally {
        await database.drop()
      }
    })

    describe('on the command line', () => {
      needsAll(needs, built).it('from a configuration file and a URL', async () => {
        const cwd = await testFolder()
        const { database, reach } = await bench()
        try {
          const { host, port, user, password, name } = reach
          const url = `${engine}://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`
          const config = { databases: { shop: { url, backup: account } } }
          writeFileSync(join(cwd, 'holdfast.config.json'), JSON.stringify(config))
          const backup = await holdfast(['backup'], { cwd })
          expect(backup.code).toBe(0)
          const shown = documentOf(await holdfast(['config', '--json'], { cwd }))
          expect(shown['settings']).toContainEqual({
            name: 'databases.shop.backup.user',
            value: account.user,
            origin: 'holdfast.config.json',
          })
          await database.execute('DELETE FROM t')
          expect((await holdfast(['restore', '--yes'], { cwd })).code).toBe(0)
          expect(await database.rowCount('t')).toBe(3)
        } finally {
          await database.drop()
        }
      })
    })
  })
}
