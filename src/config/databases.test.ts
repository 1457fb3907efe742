import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from './config.js'
import { connectorOf, database, machine, registry, resolved } from './fixture.js'
import { adHocDatabase, resolveSettings } from './resolve.js'

describe('databases', () => {
  it.each([
    ['postgres://h/a', 'postgresql'],
    ['pg://h/a', 'postgresql'],
    ['PostgreSQL://h/a', 'postgresql'],
    ['sqlite:./a.db', 'sqlite'],
    ['file:./a.db', 'sqlite'],
  ])('the scheme of %s means %s', async (url, engine) => {
    expect((await database(url.replace('PostgreSQL', 'postgresql'))).engine.name).toBe(engine)
  })

  it('fields win over the URL', async () => {
    const { connection } = await database({
      url: 'postgres://me:one@a:5432/shop?sslmode=require',
      host: 'b',
      password: 'two',
      parameters: { application_name: 'x' },
    })
    expect(connection).toMatchObject({
      host: 'b',
      port: 5432,
      user: 'me',
      parameters: { sslmode: 'require', application_name: 'x' },
    })
    expect(connection.password?.reveal()).toBe('two')
  })

  it('authSource and objcheck stand among the parameters, in place of those of the URL', async () => {
    const { connection, backupConnection } = await database({
      url: 'postgres://h/shop?AuthSource=a&objCheck=false&tls=true',
      authSource: 'users',
      objcheck: true,
      backup: { authSource: 'others' },
    })
    expect(connection.parameters).toEqual({ tls: 'true', authSource: 'users', objcheck: 'true' })
    expect(backupConnection.parameters).toEqual({ ...connection.parameters, authSource: 'others' })
    const plain = await database({ url: 'postgres://h/shop?AuthSource=a', backup: { host: 'b' } })
    expect(plain.connection.parameters).toEqual({ AuthSource: 'a' })
    expect(plain.backupConnection.parameters).toBe(plain.connection.parameters)
  })

  it('backup overrides any field, and only for backups', async () => {
    const { connection, backupConnection } = await database({
      url: 'postgres://me:one@a/shop',
      backup: { host: 'replica', user: 'backup', password: 'two' },
    })
    expect(connection).toMatchObject({ host: 'a', user: 'me' })
    expect(backupConnection).toMatchObject({ host: 'replica', user: 'backup', name: 'shop' })
    expect([connection.password?.reveal(), backupConnection.password?.reveal()]).toEqual(['one', 'two'])
  })

  it('backup may be a URL of its own, of the same engine', async () => {
    const url = 'postgres://a/shop'
    expect((await database({ url, backup: { url: 'pg://replica/shop' } })).backupConnection.host).toBe(
      'replica',
    )
    await expect(database({ url, backup: { url: 'sqlite:./a.db' } })).rejects.toMatchObject({
      code: 'config.invalid',
    })
  })

  it('a host beside a socket means the host', async () => {
    const { connection, backupConnection } = await database({
      engine: 'pg',
      socket: '/run/pg',
      name: 'shop',
      backup: { host: 'replica' },
    })
    expect([connection.socket, backupConnection.socket, backupConnection.host]).toEqual([
      '/run/pg',
      undefined,
      'replica',
    ])
  })

  it('the file of a file engine is relative to the configuration', async () => {
    const env = await machine()
    const { databases } = resolveSettings({
      config: { databases: { a: { engine: 'sqlite', name: 'x.db' } } },
      env,
      registry,
      baseDirectory: '/srv/app',
    })
    expect(databases.get('a')?.connection.name).toBe('/srv/app/x.db')
  })

  it('command words are split as a shell would; an array stays as it is', async () => {
    const { tools } = await database({
      url: 'pg://h/a',
      dumpCommand: `docker exec -i "my db" pg_dump`,
      restorePrefix: ['nice', '-n 5'],
    })
    expect(tools.dumpCommand).toEqual(['docker', 'exec', '-i', 'my db', 'pg_dump'])
    expect(tools.restorePrefix).toEqual(['nice', '-n 5'])
    expect(tools).toMatchObject({ dumpPrefix: [], env: {}, inheritEnv: true })
    await expect(database({ url: 'pg://h/a', dumpCommand: '  ' })).rejects.toMatchObject({
      message: 'databases.shop.dumpCommand (the configuration) names no program',
    })
  })

  it.each<[string, HoldfastConfig['databases'] & object, RegExp]>([
    ['neither URL nor engine', { a: { host: 'h' } }, /databases\.a needs url, or engine and name/u],
    ['no database name', { a: { engine: 'pg', host: 'h' } }, /databases\.a needs the database's name/u],
    ['no scheme', { a: './a.db' }, /does not begin with an engine's name/u],
    [
      'an unknown engine',
      { a: 'postgrse://h/a' },
      /no engine postgrse; did you mean postgres; known: postgresql, sqlite/u,
    ],
    [
      'two engines',
      { a: { url: 'pg://h/a', engine: 'sqlite' } },
      /engine is sqlite, and databases\.a\.url is for postgresql/u,
    ],
    [
      'an unknown connector',
      { a: { url: 'pg://h/a', connector: 'pg-dmp' } },
      /no connector pg-dmp; did you mean pg-dump/u,
    ],
    ['what the engine refuses', { a: 'pg://h:1/a' }, /databases\.a\.url \(.*\): port 1 is not possible/u],
    [
      'an admin password alone',
      { a: { url: 'pg://h/a', adminPassword: 'x' } },
      /adminPassword is set without/u,
    ],
    [
      'an unknown placeholder',
      { a: { url: 'pg://h/a', filename: '{databse}' } },
      /\{databse\} means nothing; did you mean database/u,
    ],
  ])('%s is an error', async (_name, databases, message) => {
    await expect(resolved({ databases })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(message) as string,
    })
  })

  it('schemas do not go with an engine that has none; both settings and their origin are named', async () => {
    await expect(
      database({ url: 'sqlite:./a.db', schemas: ['x'] }, { file: 'holdfast.config.json' }),
    ).rejects.toMatchObject({
      code: 'usage.not-supported',
      message:
        'databases.shop.schemas (holdfast.config.json) does not go with databases.shop.url (holdfast.config.json): sqlite has no schemas',
    })
  })

  it('exclude does not go with a connector that copies everything', async () => {
    const config = { url: 'sqlite:./a.db', connector: 'sqlite-copy' }
    for (const setting of ['exclude', 'excludeData'] as const) {
      await expect(database({ ...config, [setting]: ['x'] })).rejects.toMatchObject({
        code: 'usage.not-supported',
        message: expect.stringContaining(`databases.shop.${setting}`) as string,
      })
    }
  })
})

describe('connectors', () => {
  it('replace the default of an engine, under any of its names', async () => {
    const { databases } = await resolved({
      connectors: { pg: 'pg-dump' },
      databases: { a: 'postgres://h/a' },
    })
    expect(databases.get('a')?.connector.name).toBe('pg-dump')
  })

  it('may be objects of the user', async () => {
    const mine = connectorOf('postgresql', 'mine')
    const { databases } = await resolved({ databases: { a: { url: 'pg://h/a', connector: mine } } })
    expect(databases.get('a')?.connector).toBe(mine)
    await expect(resolved({ databases: { a: { url: 'sqlite:a', connector: mine } } })).rejects.toMatchObject({
      message: expect.stringContaining('the connector mine is for postgresql, not for sqlite') as string,
    })
  })

  it('map a name that is no engine to the engine of a connector', async () => {
    const config: HoldfastConfig = {
      connectors: { cockroachdb: 'pg-dump' },
      databases: { a: 'cockroachdb://h/a', b: { engine: 'cockroachdb', host: 'h', name: 'b' } },
    }
    const { databases } = await resolved(config)
    for (const alias of ['a', 'b']) {
      expect(databases.get(alias)).toMatchObject({
        engine: { name: 'postgresql' },
        connector: { name: 'pg-dump' },
        connection: { name: alias, host: 'h' },
      })
    }
    await expect(resolved({ databases: { a: 'cockroachdb://h/a' } })).rejects.toMatchObject({
      code: 'config.invalid',
    })
  })
})

describe('a database given by URL', () => {
  it('is named after itself and relative to where it was typed', async () => {
    const env = await machine()
    const settings = resolveSettings({ config: {}, env, registry, baseDirectory: '/srv' })
    const file = adHocDatabase(settings, registry, env, 'sqlite:./shop.db')
    expect([file.alias, file.connection.name]).toEqual(['shop', join(env.workingDirectory, 'shop.db')])
    expect(adHocDatabase(settings, registry, env, 'pg://h/shop').alias).toBe('shop')
    expect(adHocDatabase(settings, registry, env, 'pg://h/shop', 'other').alias).toBe('other')
    expect(() => adHocDatabase(settings, registry, env, 'redis://h/1')).toThrow(/no engine redis/u)
  })

  it('uses the mapped connectors', async () => {
    const env = await machine()
    const settings = resolveSettings({
      config: { connectors: { pg: 'pg-dump' } },
      env,
      registry,
      baseDirectory: '/srv',
    })
    expect(adHocDatabase(settings, registry, env, 'pg://h/shop').connector.name).toBe('pg-dump')
  })
})
