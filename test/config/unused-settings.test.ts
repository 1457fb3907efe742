import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig } from '../../src/config/config.js'
import { defineCommandConnector } from '../../src/custom/define-command-connector.js'
import { defineConnector } from '../../src/custom/define-connector.js'
import { ScratchDatabase as MongodbDatabase } from '../../src/engines/mongodb/test-database.js'
import { built, documentOf, holdfast, project } from '../cli/command-line.js'
import { filesBelow, holdfastIn, resultOf, testFolder } from '../flows/workbench.js'
import { needsServer } from '../servers/needs.js'

const file = 'holdfast.config.ts'
const mongodb = needsServer('mongodb')

/** A value for each command setting. */
const commandValues: DatabaseConfig = {
  dumpCommand: 'dump',
  restoreCommand: ['restore', 'it'],
  psqlCommand: 'psql',
  dumpPrefix: 'nice',
  dumpSuffix: '--one',
  restorePrefix: ['nice'],
  restoreSuffix: '--two',
  env: { A: 'b' },
  dumpEnv: { A: 'b' },
  restoreEnv: { A: 'b' },
  inheritEnv: false,
}
const serverValues: DatabaseConfig = {
  host: 'db',
  port: 99,
  socket: '/run/x',
  user: 'me',
  password: 'hunter22',
  adminUser: 'root',
}

/** Why a configuration is refused; `undefined` where it is not. */
async function refusal(shop: DatabaseConfig): Promise<string | undefined> {
  const made = holdfastIn(await testFolder(), { databases: { shop } }, { file: join(process.cwd(), file) })
  return made.then(
    () => undefined,
    (error: Error & { code: string }) => `${error.code}: ${error.message}`,
  )
}

const chooser: Readonly<Record<string, DatabaseConfig>> = {
  'sqlite-backup': { engine: 'sqlite', name: 'a.db' },
  'sqlite-dump': { url: 'sqlite:./a.db', connector: 'sqlite-dump' },
  'sqlite-copy': { url: 'sqlite:./a.db', connector: 'sqlite-copy' },
  'mongodb-driver': { url: 'mongodb://h/shop', connector: 'mongodb-driver' },
  mongodump: { url: 'mongodb://h/shop' },
  mysqldump: { url: 'mysql://h/shop' },
  'pg-dump-custom': { url: 'pg://h/shop' },
  'pg-dump': { url: 'pg://h/shop', connector: 'pg-dump' },
  'pg-dump-gis': { url: 'postgis://h/shop', connector: 'pg-dump-gis' },
}

describe('settings that a connector has no use for are refused before anything starts', () => {
  const commands = Object.keys(commandValues)
  it.each<[string, readonly string[], readonly string[]]>([
    ...(['sqlite-backup', 'sqlite-dump', 'sqlite-copy'] as const).map(
      (name): [string, string[], string[]] => [name, [...commands, ...Object.keys(serverValues)], []],
    ),
    ['mongodb-driver', [...commands, 'adminUser'], ['host', 'port', 'user', 'password']],
    [
      'mongodump',
      ['psqlCommand', 'adminUser'],
      ['dumpCommand', 'restorePrefix', 'env', 'inheritEnv', 'host'],
    ],
    [
      'mysqldump',
      ['psqlCommand', 'adminUser'],
      ['dumpCommand', 'restorePrefix', 'env', 'inheritEnv', 'host'],
    ],
    ['pg-dump-custom', [], [...commands, ...Object.keys(serverValues)]],
    ['pg-dump', [], [...commands, ...Object.keys(serverValues)]],
    ['pg-dump-gis', [], [...commands, ...Object.keys(serverValues)]],
  ])('%s', async (connector, refused, taken) => {
    const values: Readonly<Record<string, unknown>> = { ...commandValues, ...serverValues }
    const base = chooser[connector] ?? {}
    for (const setting of refused) {
      const why = await refusal({ ...base, [setting]: values[setting] })
      expect(why).toContain(
        `usage.not-supported: databases.shop.${setting} (${file}) does not go with databases.shop.`,
      )
      expect(why).toContain(`(${file}): the connector ${connector} has no use for it: `)
      expect(why).not.toContain('hunter22')
    }
    for (const setting of taken)
      expect(await refusal({ ...base, [setting]: values[setting] })).toBeUndefined()
  })

  it.each(['authSource', 'objcheck'])(
    '%s is for MongoDB alone, and is not there elsewhere',
    async (setting) => {
      const value = { [setting]: setting === 'objcheck' ? false : 'users' }
      for (const [connector, base] of Object.entries(chooser)) {
        const taken =
          connector === 'mongodump' || (connector === 'mongodb-driver' && setting === 'authSource')
        const why = await refusal({ ...base, ...value })
        if (taken) expect(why).toBeUndefined()
        else expect(why).toContain(`databases.shop.${setting} (${file}) does not go with databases.shop.`)
      }
      expect(await refusal({ url: 'pg://h/shop', backup: { authSource: 'users' } })).toContain(
        'databases.shop.backup.authSource (',
      )
    },
  )

  it('those of backups alone are named as such', async () => {
    expect(await refusal({ url: 'sqlite:./a.db', backup: { host: 'replica' } })).toBe(
      `usage.not-supported: databases.shop.backup.host (${file}) does not go with databases.shop.url (${file}): the connector sqlite-backup has no use for it: a SQLite database is a file, and has no accounts`,
    )
  })

  it('what asks for nothing is no setting', async () => {
    const nothing = { env: {}, dumpPrefix: [], dumpSuffix: '', inheritEnv: true, toolArgs: [] }
    expect(await refusal({ url: 'sqlite:./a.db', ...nothing })).toBeUndefined()
  })

  it("a connector of the user's own keeps those that reach it", async () => {
    const description = { name: 'own', engine: 'sqlite', extension: 'sql', replacesFile: true }
    const command = defineCommandConnector({ ...description, dump: () => ['cat'], restore: () => ['cat'] })
    const code = defineConnector({
      ...description,
      dump: () => Promise.reject(new Error('not run')),
      restore: () => Promise.resolve(),
    })
    const all = { ...commandValues, ...serverValues, url: 'sqlite:./a.db' }
    expect(await refusal({ ...all, connector: command })).toBeUndefined()
    expect(
      await refusal({ url: 'sqlite:./a.db', ...serverValues, toolArgs: 'x', connector: code }),
    ).toBeUndefined()
    expect(await refusal({ ...all, connector: code })).toMatch(/databases\.shop\.dumpCommand .* it is code/u)
  })
})

it('a connector of the call with command settings of the configuration', async () => {
  const folder = await testFolder()
  const shop = { url: 'mongodb://127.0.0.1:1/shop', dumpPrefix: 'nice' }
  const hf = await holdfastIn(folder, { databases: { shop } })
  await expect(hf.backup({ connector: 'mongodb-driver' })).rejects.toMatchObject({
    code: 'usage.not-supported',
    message:
      'databases.shop.dumpPrefix (the configuration) does not go with connector (of this call): the connector mongodb-driver has no use for it: it runs no tool',
  })
  expect(filesBelow(folder)).toEqual([])
})

mongodb.it('a restore by the connector of the backup says which settings have no effect', async () => {
  const folder = await testFolder()
  const { host, port, user, password } = mongodb.server()
  const database = new MongodbDatabase(mongodb.server())
  try {
    await database.execute('[{ "insert": "c", "documents": [{ "a": 1 }] }]')
    const shop = { engine: 'mongodb', host, port, user, password, name: database.name }
    const by = (config: DatabaseConfig) => holdfastIn(folder, { databases: { shop: { ...shop, ...config } } })
    resultOf(await (await by({ connector: 'mongodb-driver' })).backup())
    const hf = await by({ restorePrefix: 'nice', dumpPrefix: 'nice' })
    const { plan } = await hf.restore({ dryRun: true })
    expect(plan.connector).toBe('mongodb-driver')
    expect(plan.warnings).toEqual([
      'databases.shop.restorePrefix (the configuration) has no effect with the connector mongodb-driver: it runs no tool',
    ])
    const renamed = await hf.restore({ dryRun: true, to: `${database.name}_2`, create: true })
    expect(renamed.plan.warnings).toEqual(plan.warnings)
  } finally {
    await database.drop()
  }
})

built.it('on the command line nothing is written either', async () => {
  const cwd = await project({
    databases: { shop: { url: 'sqlite:./shop.sqlite3', dumpCommand: 'sqlite3', port: 5 } },
  })
  const before = filesBelow(cwd)
  for (const command of ['backup', 'restore', 'doctor', 'config']) {
    const ended = await holdfast([command], { cwd })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toBe(
      'error: databases.shop.dumpCommand (holdfast.config.json) does not go with databases.shop.url (holdfast.config.json): the connector sqlite-backup has no use for it: SQLite needs no tool [usage.not-supported]\nhint: leave databases.shop.dumpCommand out\n',
    )
  }
  const json = documentOf(await holdfast(['backup', '--json'], { cwd }))
  expect(json.error).toMatchObject({ code: 'usage.not-supported', exit: 2 })
  expect(filesBelow(cwd)).toEqual(before)
})
