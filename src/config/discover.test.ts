import { describe, expect, it } from 'vitest'
import { discover } from './discover.js'
import { machine, registry } from './fixture.js'

async function found(files: Record<string, string>, variables: Record<string, string> = {}) {
  const env = await machine(files, variables)
  return discover(env, env.workingDirectory, registry.engines)
}

describe('finds', () => {
  it('DATABASE_URL in the environment', async () => {
    expect(await found({}, { DATABASE_URL: 'postgres://me:pw@h/shop' })).toEqual({
      findings: [
        {
          alias: 'default',
          engine: 'postgresql',
          sources: ['the environment'],
          variable: 'DATABASE_URL',
          doubtful: false,
        },
      ],
    })
  })

  it('several databases in .env, DATABASE_URL first; nothing twice, no shadow database', async () => {
    const { findings, envFile } = await found({
      '.env': [
        'ANALYTICS_DATABASE_URL="postgres://h/analytics"',
        `export DATABASE_URL='postgres://me:pw@h/shop' # the shop`,
        'POSTGRES_URL=postgres://other:pw2@h/shop',
        'SHADOW_DATABASE_URL=postgres://h/shadow',
        'REDIS_URL=redis://h/0',
        'PLAIN=value',
      ].join('\n'),
    })
    expect(envFile).toBe('.env')
    expect(findings.map(({ alias, variable, doubtful }) => [alias, variable, doubtful])).toEqual([
      ['default', 'DATABASE_URL', false],
      ['analytics', 'ANALYTICS_DATABASE_URL', false],
      ['postgres', 'POSTGRES_URL', true],
    ])
  })

  it('the way past a connection pooler', async () => {
    const { findings } = await found({
      '.env': 'DATABASE_URL=postgres://pooler/shop\nDIRECT_URL=postgres://h/shop',
    })
    expect(findings).toMatchObject([{ variable: 'DATABASE_URL', directVariable: 'DIRECT_URL' }])
  })

  it('the file of a Prisma SQLite database, relative to the schema', async () => {
    const schema = (url: string) => `
      generator client { provider = "prisma-client-js" }
      datasource db {
        provider = "sqlite"
        url      = ${url}
      }`
    const expected = { engine: 'sqlite', path: './prisma/dev.db', doubtful: false }
    expect((await found({ 'prisma/schema.prisma': schema('"file:./dev.db"') })).findings).toMatchObject([
      expected,
    ])
    const { findings } = await found({
      'prisma/schema.prisma': schema('env("DATABASE_URL")'),
      '.env': 'DATABASE_URL="file:./dev.db?connection_limit=1"',
    })
    expect(findings).toMatchObject([{ ...expected, sources: ['.env', 'prisma/schema.prisma'] }])
  })

  it.each([
    [
      'drizzle.config.ts',
      `export default defineConfig({ dialect: 'postgresql', dbCredentials: { url: process.env.PG_URL! } })`,
    ],
    ['knexfile.js', `module.exports = { client: 'pg', connection: process.env.PG_URL }`],
    ['src/data-source.ts', `new DataSource({ type: "postgres", url: process.env["PG_URL"] })`],
    ['prisma/schema.prisma', `datasource db {\n provider = "postgresql"\n url = env("PG_URL")\n}`],
  ])('the variable that %s names', async (file, text) => {
    expect((await found({ [file]: text })).findings).toEqual([
      { alias: 'default', engine: 'postgresql', sources: [file], variable: 'PG_URL', doubtful: false },
    ])
  })

  it('a SQLite file in a Drizzle configuration, comments aside', async () => {
    const text = `export default { /* dialect: 'postgresql' */ dialect: 'sqlite', // url: 'file:old.db'\n dbCredentials: { url: 'file:local.db' } }`
    expect((await found({ 'drizzle.config.ts': text })).findings).toMatchObject([
      { engine: 'sqlite', path: './local.db' },
    ])
  })

  it('the engine alone where single fields are configured', async () => {
    const text = '{ "type": "postgres", "host": "h", "username": "me", "password": "pw" }'
    expect((await found({ 'ormconfig.json': text })).findings).toEqual([
      { alias: 'default', engine: 'postgresql', sources: ['ormconfig.json'], doubtful: true },
    ])
  })

  it('nothing in an empty folder', async () => {
    expect(await found({})).toEqual({ findings: [] })
  })
})
