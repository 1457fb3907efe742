import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { contentOf, holdfastIn, makeShop, resultOf, testFolder } from '../flows/workbench.js'
import { needsServer } from '../servers/needs.js'

async function settingsOf(config: HoldfastConfig, folder?: string) {
  const hf = await holdfastIn(folder ?? (await testFolder()), config)
  const shop = hf.settings.databases.get('shop')
  if (shop === undefined) throw new TypeError('there is no database shop')
  return shop
}

describe('names of drivers and ORMs mean their engine', () => {
  it.each([
    ['pg', 'postgresql'],
    ['postgres', 'postgresql'],
    ['postgresql', 'postgresql'],
    ['postgis', 'postgresql'],
    ['mysql', 'mysql'],
    ['mysql2', 'mysql'],
    ['mariadb', 'mariadb'],
    ['sqlite', 'sqlite'],
    ['sqlite3', 'sqlite'],
    ['better-sqlite3', 'sqlite'],
    ['libsql', 'sqlite'],
  ])('%s is %s, as engine and as scheme', async (alias, name) => {
    const url = name === 'sqlite' ? `${alias}:./app.db` : `${alias}://me:secret@db:99/shop`
    const shop = await settingsOf({ databases: { shop: url } })
    expect(shop.engine.name).toBe(name)
    expect(shop.connection.engine).toBe(name)
    const named = await settingsOf({ databases: { shop: { engine: alias, name: 'x' } } })
    expect(named.engine.name).toBe(name)
    expect(named.connector.name).toBe(shop.connector.name)
    const upper = await settingsOf({ databases: { shop: { engine: alias.toUpperCase(), name: 'x' } } })
    expect(upper.engine.name).toBe(name)
  })

  it.each([
    ['postgresql://me:p%40ss@db:5433/shop?schema=public&connection_limit=5', { schema: 'public' }],
    ['postgres://me:p%40ss@db:5433/shop?schema=app&sslmode=require', { schema: 'app', sslmode: 'require' }],
    ['mysql://me:p%40ss@db:5433/shop?connection_limit=5&pool_timeout=2', {}],
  ])('Prisma writes %s', async (url, parameters) => {
    const { connection, schemas } = await settingsOf({ databases: { shop: url } })
    expect(connection).toMatchObject({ host: 'db', port: 5433, user: 'me', name: 'shop', parameters })
    expect(connection.password?.reveal()).toBe('p@ss')
    // A backup is of the whole database; only the setting leaves schemas out.
    expect(schemas).toEqual([])
  })

  it.each(['file:./dev.db', 'file:./dev.db?connection_limit=1', 'libsql:./dev.db', 'libsql:///srv/dev.db'])(
    '%s is a file',
    async (url) => {
      const folder = await testFolder()
      const { engine, connection } = await settingsOf({ databases: { shop: url } }, folder)
      expect(engine.name).toBe('sqlite')
      expect(connection.name).toBe(url.includes('///') ? '/srv/dev.db' : join(folder, 'dev.db'))
    },
  )

  it('a libsql server is none', async () => {
    await expect(settingsOf({ databases: { shop: 'libsql://x.turso.io' } })).rejects.toMatchObject({
      code: 'usage.not-supported',
      message: expect.stringContaining('databases.shop.url (the configuration)') as string,
    })
  })

  it('cockroachdb is PostgreSQL only where it is mapped', async () => {
    const url = 'cockroachdb://root@db:26257/shop'
    await expect(settingsOf({ databases: { shop: url } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('there is no engine cockroachdb') as string,
    })
    const shop = await settingsOf({ databases: { shop: url }, connectors: { cockroachdb: 'pg-dump' } })
    expect([shop.engine.name, shop.connector.name]).toEqual(['postgresql', 'pg-dump'])
    expect(shop.connection).toMatchObject({ host: 'db', port: 26257 })
  })

  it('postgis means its own connector, in a URL and beside one', async () => {
    const connectorOf = async (shop: string | { engine: string; url: string }) =>
      (await settingsOf({ databases: { shop } })).connector.name
    expect(await connectorOf('postgis://db/shop')).toBe('pg-dump-gis')
    expect(await connectorOf({ engine: 'postgis', url: 'postgres://db/shop' })).toBe('pg-dump-gis')
    expect(await connectorOf({ engine: 'pg', url: 'postgres://db/shop' })).toBe('pg-dump-custom')
  })

  it('connectors under any name of an engine, and a database that names another', async () => {
    const databases = { shop: 'postgresql://db/shop' }
    for (const name of ['postgresql', 'pg', 'postgis'])
      expect((await settingsOf({ databases, connectors: { [name]: 'pg-dump' } })).connector.name).toBe(
        'pg-dump',
      )
    const own = { shop: { url: 'postgresql://db/shop', connector: 'pg-dump-custom' } }
    expect((await settingsOf({ databases: own, connectors: { pg: 'pg-dump' } })).connector.name).toBe(
      'pg-dump-custom',
    )
    await expect(settingsOf({ databases, connectors: { pg: 'mysqldump' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('connectors.pg: postgresql has no connector mysqldump') as string,
    })
  })
})

describe('and work', () => {
  it.each(['better-sqlite3', 'sqlite3', 'libsql', 'file'])('%s', async (alias) => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'), 5)
    const hf = await holdfastIn(folder, { databases: { shop: `${alias}:./shop.sqlite3` } })
    resultOf(await hf.backup())
    await hf.restore({ to: `${alias}:${join(folder, 'copy.sqlite3')}`, create: true, confirm: true })
    expect(contentOf(join(folder, 'copy.sqlite3'))).toBe(contentOf(join(folder, 'shop.sqlite3')))
  })

  const postgresql = needsServer('postgresql')
  for (const [scheme, parameters] of [
    ['pg', ''],
    ['postgis', ''],
    ['postgresql', '?schema=public&connection_limit=5'],
    ['cockroachdb', '?sslmode=prefer'],
  ] as const) {
    postgresql.it(`${scheme}://…${parameters}`, async () => {
      const { host, port, user, password } = postgresql.server()
      const database = await new TestDatabase(postgresql.server()).make()
      try {
        await database.execute('CREATE TABLE t (i int); CREATE SCHEMA other; CREATE TABLE other.u (i int)')
        const url = `${scheme}://${user}:${encodeURIComponent(password)}@${host}:${port}/${database.name}${parameters}`
        const hf = await holdfastIn(await testFolder(), {
          databases: { shop: url },
          connectors: { cockroachdb: 'pg-dump' },
        })
        const { backup } = resultOf(await hf.backup())
        expect(backup?.manifest).toMatchObject({ engine: 'postgresql', source: { tables: 2 } })
        await hf.restore({ confirm: true })
      } finally {
        await database.drop()
      }
    })
  }

  const mariadb = needsServer('mariadb')
  for (const scheme of ['mysql', 'mysql2', 'mariadb']) {
    mariadb.it(`${scheme}://…`, async () => {
      const { host, port, user, password } = mariadb.server()
      const database = await new ScratchDatabase(mariadb.server(), 'mysql').create()
      try {
        await database.execute('CREATE TABLE t (i int)')
        const url = `${scheme}://${user}:${encodeURIComponent(password)}@${host}:${port}/${database.name}`
        const hf = await holdfastIn(await testFolder(), { databases: { shop: url } })
        expect(resultOf(await hf.backup()).backup?.manifest.source.product).toBe('MariaDB')
        await hf.restore({ confirm: true })
      } finally {
        await database.drop()
      }
    })
  }
})
