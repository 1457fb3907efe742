import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig, HoldfastConfig } from '../../src/config/config.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import type { BackupRequest } from '../../src/operations/requests.js'
import { built, holdfast, project } from '../cli/command-line.js'
import { filesBelow, holdfastIn, makeShop, resultOf, testFolder } from '../flows/workbench.js'
import { needsServer } from '../servers/needs.js'

const file = 'holdfast.config.ts'

describe('impossible combinations of a configuration are refused before anything starts', () => {
  it.each<[string, DatabaseConfig, string]>([
    [
      'schemas on MySQL',
      { url: 'mysql://h/shop', schemas: ['a'] },
      `databases.shop.schemas (${file}) does not go with databases.shop.url (${file}): mysql has no schemas`,
    ],
    [
      'exclude on a raw snapshot',
      { url: 'sqlite:./a.db', connector: 'sqlite-copy', exclude: ['log'] },
      `databases.shop.exclude (${file}) does not go with databases.shop.connector (${file}): the connector sqlite-copy cannot leave out tables`,
    ],
    [
      'exclude with the default of an engine',
      { engine: 'sqlite', name: 'a.db', excludeData: ['log'] },
      `databases.shop.excludeData (${file}) does not go with databases.shop.engine (${file}): the connector sqlite-backup cannot leave out the rows of tables`,
    ],
    [
      'a single transaction with parallel jobs',
      { url: 'pg://h/shop', singleTransaction: true, jobs: 4 },
      `databases.shop.jobs (${file}) does not go with databases.shop.singleTransaction (${file}): one transaction has one connection`,
    ],
    [
      'parallel runs of the dump tool without transactions',
      { url: 'mysql://h/shop', connector: 'mysql-parallel', singleTransaction: false },
      `databases.shop.singleTransaction (${file}) does not go with databases.shop.connector (${file}): the connector mysql-parallel has no use for it: each run of the dump tool is a transaction, and all see one moment`,
    ],
    [
      'parallel jobs without a connector for them',
      { url: 'pg://h/shop', jobs: 4 },
      `databases.shop.jobs (${file}) does not go with databases.shop.url (${file}): the connector pg-dump-custom works with one connection`,
    ],
  ])('%s', async (_what, shop, message) => {
    const folder = await testFolder()
    const refused = holdfastIn(folder, { databases: { shop } }, { file: join(process.cwd(), file) })
    await expect(refused).rejects.toMatchObject({ code: 'usage.not-supported', message })
  })

  it('a URL from the environment is named', async () => {
    const { nodeEnv } = await import('../../src/env/node-env.js')
    const env = { ...nodeEnv(), variables: { DATABASE_URL: 'mysql://h/shop' } }
    const hf = await holdfastIn(await testFolder(), {}, { env })
    await expect(hf.backup({ schemas: ['a'] })).rejects.toMatchObject({
      message:
        'schemas (of this call) does not go with databases.default.url (environment DATABASE_URL): mysql has no schemas',
    })
  })
})

describe('and those of a call', () => {
  async function shop(config: HoldfastConfig = {}) {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'), 5)
    return {
      folder,
      hf: await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' }, ...config }),
    }
  }

  it.each<[string, BackupRequest, string]>([
    [
      'with the configuration',
      { exclude: ['sessions'] },
      'exclude (of this call) does not go with databases.shop (the configuration): the connector sqlite-backup cannot leave out tables',
    ],
    [
      'with itself',
      { exclude: ['sessions'], connector: 'sqlite-copy' },
      'exclude (of this call) does not go with connector (of this call): the connector sqlite-copy cannot leave out tables',
    ],
    [
      'a portable dump beside the one file of output',
      { alsoPortable: true, output: './shop.file' },
      'output (of this call) does not go with alsoPortable (of this call): output takes one file',
    ],
  ])('%s', async (_what, request, message) => {
    const { folder, hf } = await shop()
    await expect(hf.backup(request)).rejects.toMatchObject({ code: 'usage.not-supported', message })
    expect(filesBelow(folder).filter((name) => name.startsWith('backups'))).toEqual([])
  })

  it('a connector of the call with patterns of the configuration', async () => {
    const { hf } = await shop({
      databases: { shop: { url: 'sqlite:./shop.sqlite3', connector: 'sqlite-dump', exclude: ['sessions'] } },
    })
    resultOf(await hf.backup())
    await expect(hf.backup({ connector: 'sqlite-backup' })).rejects.toMatchObject({
      message:
        'databases.shop.exclude (the configuration) does not go with connector (of this call): the connector sqlite-backup cannot leave out tables',
    })
    await expect(hf.backup({ databases: ['sqlite:./shop.sqlite3'], exclude: ['a'] })).rejects.toMatchObject({
      message:
        'exclude (of this call) does not go with the URL given: the connector sqlite-backup cannot leave out tables',
    })
  })

  it('a restore of what the format does not allow', async () => {
    const { hf } = await shop()
    // SQL cannot be picked from.
    const { id } = resultOf(await hf.backup({ connector: 'sqlite-dump' }))
    const made = `the connector sqlite-dump, which made ${id}`
    for (const [request, message] of [
      [{ schemas: ['a'] }, `schemas (of this call) does not go with ${made}: sqlite has no schemas`],
      [{ tables: ['a'] }, `tables (of this call) does not go with ${made}: it restores a dump as a whole`],
      [{ dataOnly: true }, `dataOnly (of this call) does not go with ${made}: it restores a dump as a whole`],
    ] as const) {
      await expect(hf.restore({ ...request, confirm: true })).rejects.toMatchObject({
        code: 'usage.not-supported',
        message,
      })
    }
  })
})

needsServer('mariadb').it('words for the tool that several runs of it cannot have', async () => {
  const { host, port, user, password } = needsServer('mariadb').server()
  const connector = 'mysql-parallel'
  const reach = { engine: 'mariadb', host, port, user, password, name: 'mysql' }
  for (const [name, words] of [
    ['toolArgs', '--where=a>1'],
    ['dumpSuffix', '-x'],
  ]) {
    const hf = await holdfastIn(await testFolder(), {
      databases: { shop: { ...reach, connector, [String(name)]: words } },
    })
    const [outcome] = await hf.backup()
    expect(outcome).toMatchObject({ ok: false, error: { exit: 2 } })
    expect(outcome?.ok === false && outcome.error.message).toContain(
      `(${name} is from the configuration; connector is from the configuration)`,
    )
  }
})

needsServer('postgresql').it(
  'settings that a connector itself finds impossible have their origins, too',
  async () => {
    const server = needsServer('postgresql').server()
    const database = await new TestDatabase(server).make()
    try {
      const { host, port, user, password } = server
      const reach = { engine: 'postgresql', host, port, user, password, name: database.name }
      const hf = await holdfastIn(await testFolder(), {
        databases: { shop: { ...reach, singleTransaction: true, toolArgs: '--jobs=4' } },
      })
      const [outcome] = await hf.backup()
      expect(outcome).toMatchObject({ ok: false, error: { exit: 2 } })
      expect(outcome?.ok === false && outcome.error.message).toMatch(
        /toolArgs is from the configuration; singleTransaction is from the configuration/u,
      )
    } finally {
      await database.drop()
    }
  },
)

built.describe('on the command line', () => {
  it('a flag is named as a flag, a file by its name', async () => {
    const cwd = await project()
    const ended = await holdfast(['backup', '--exclude', 'sessions'], { cwd })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(
      /^error: --exclude does not go with databases\.shop \(holdfast\.config\.json\): .*\nhint: leave --exclude out, or choose another connector\n$/u,
    )
    const variables = { DATABASE_URL: 'sqlite:./shop.sqlite3' }
    writeFileSync(join(cwd, 'empty.json'), '{}')
    const fromVariable = await holdfast(['backup', '--config', 'empty.json', '--schema', 'a'], {
      cwd,
      variables,
    })
    expect(fromVariable.stderr).toContain(
      '--schema does not go with databases.default.url (environment DATABASE_URL): sqlite has no schemas',
    )
  })

  it.each([
    [['--table', 'orders'], '--table does not go with'],
    [['--schema-only'], '--schema-only does not go with'],
    [['--data-only'], '--data-only does not go with'],
    [['--clean', 'none', '--schema', 'a'], '--schema does not go with'],
  ])('restore %j of a format that is restored as a whole', async (flags, message) => {
    const cwd = await project()
    await holdfast(['backup', '--connector', 'sqlite-dump'], { cwd })
    const ended = await holdfast(['restore', '--yes', ...flags], { cwd })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(message)
  })
})
