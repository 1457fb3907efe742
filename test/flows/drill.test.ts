import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { ScratchDatabase as MongoScratch } from '../../src/engines/mongodb/test-database.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { execute as executeOn, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { mariadb as mariadbEngine } from '../../src/engines/mysql/engine.js'
import { mongodb as mongodbEngine } from '../../src/engines/mongodb/engine.js'
import { postgresql as postgresqlEngine } from '../../src/engines/postgres/engine.js'
import { scratchContext } from '../../src/engines/mongodb/test-connector.js'
import type { ConnectionSettings, Engine } from '../../src/engine/engine.js'
import type { DevServerDriver } from '../../src/engine/dev-server.js'
import type { Manifest } from '../../src/catalog/manifest.js'
import type { CreateOptions, Holdfast } from '../../src/holdfast.js'
import type { DrillProof, DrillResult } from '../../src/operations/drill-results.js'
import type { DrillRequest } from '../../src/operations/requests.js'
import { postgresqlDevServer } from '../../src/engines/postgres/dev-server.js'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { needsAll, needsBuild, needsServer, type ServerNeed } from '../servers/needs.js'
import type { ServerAddress } from '../servers/server.js'
import { configOf, filesBelow, holdfastIn, listener, makeShop, resultOf, testFolder } from './workbench.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')
const mongodb = needsServer('mongodb')

/** A small database of SQLite with one backup, in a folder of its own. */
async function shop(config: HoldfastConfig = {}, options: CreateOptions = {}) {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'), 20)
  const databases = { shop: 'sqlite:./shop.sqlite3' }
  const hf = await holdfastIn(folder, { databases, fingerprint: 'content', ...config }, options)
  const { id } = resultOf(await hf.backup({ databases: ['shop'] }))
  return { folder, hf, id }
}

function change(folder: string, id: string, edit: (manifest: Writable<Manifest>) => void): void {
  const file = join(folder, `backups/shop/${id}.manifest.json`)
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Writable<Manifest>
  edit(manifest)
  writeFileSync(file, JSON.stringify(manifest))
}

type Writable<Value> = { -readonly [Key in keyof Value]: Writable<Value[Key]> }

async function oneDrill(hf: Holdfast, request: DrillRequest = {}): Promise<DrillResult> {
  const { results } = await hf.drill(request)
  const [result, ...others] = results
  if (result === undefined || others.length > 0) throw new TypeError(`${results.length} results`)
  return result
}

/** One that has ended may stay in the list until somebody asks for its status. */
function running(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' })
  return /^[^Z\s]/u.test(stdout)
}

/** What throwaway servers of this process have left behind, beside the test's own folder. */
function leftOvers(folder: string): readonly string[] {
  return readdirSync(tmpdir()).filter(
    (name) => name.startsWith(`holdfast-${process.pid}-`) && name !== basename(folder),
  )
}

describe('a drill', () => {
  it('restores, compares, and writes a report beside the manifest, which list and show tell of', async () => {
    const { folder, hf, id } = await shop()
    expect((await hf.show()).lastDrill).toBeUndefined()
    const { ok, proof, keys, error } = await oneDrill(hf)
    expect(error).toBeUndefined()
    expect(ok).toBe(true)
    expect(proof).toMatchObject({
      result: 'passed',
      schema: 'same',
      comparison: { level: 'content', tables: 3, differences: [], unproven: [] },
      restoredInto: { kind: 'throwaway', product: 'SQLite' },
      unproven: [],
    })
    const [json = '', markdown = ''] = keys
    const stored = JSON.parse(readFileSync(join(folder, 'backups', json), 'utf8')) as DrillProof
    expect(stored).toEqual(proof)
    const page = readFileSync(join(folder, 'backups', markdown), 'utf8')
    expect(page).toContain(`# Backup ${id}: restore passed\n`)
    expect(page).toContain('- row counts and contents of 3 tables are the same\n')
    const { backups, damaged } = await hf.list()
    expect(damaged).toEqual([])
    expect(backups).toMatchObject([{ lastDrill: { result: 'passed', key: json } }])
    expect((await hf.show()).lastDrill?.time.toISOString()).toBe(proof?.finished)
    expect(leftOvers(folder)).toEqual([])
  })

  it('its reports are no backups, and go with theirs', async () => {
    const { folder, hf, id } = await shop({ retention: { last: 1 } })
    await hf.drill()
    await hf.drill()
    const reports = () => filesBelow(join(folder, 'backups')).filter((name) => name.includes('.drill-'))
    expect(reports()).toHaveLength(4)
    const second = resultOf(await hf.backup())
    expect((await hf.list()).backups.map(({ manifest }) => manifest.id)).toEqual([second.id, id])
    expect(await hf.prune()).toMatchObject({ removed: [id], swept: [] })
    expect(reports()).toEqual([])
    expect((await hf.list()).backups).toHaveLength(1)
  })

  it.each([
    [
      'a table that has other rows',
      (manifest: Writable<Manifest>) => {
        const [table] = manifest.fingerprint?.tables ?? []
        if (table !== undefined) table.rows = 21
      },
      'table customers has 20 rows in place of 21 rows',
    ],
    [
      'a table that has other values',
      (manifest: Writable<Manifest>) => {
        const [table] = manifest.fingerprint?.tables ?? []
        if (table !== undefined) table.digest = '0123456789abcdef'
      },
      'table customers has other values in its rows',
    ],
    [
      'another schema',
      (manifest: Writable<Manifest>) => {
        manifest.schemaHash = '0'.repeat(64)
      },
      'its definitions have another digest',
    ],
  ])('catches %s, and says so beside the backup', async (_name, edit, message) => {
    const { folder, hf, id } = await shop()
    change(folder, id, edit)
    const { ok, error, proof, keys } = await oneDrill(hf, { check: 'true' })
    expect(ok).toBe(false)
    expect(error).toMatchObject({ code: 'integrity.differs', exit: 7 })
    expect(error?.message).toContain(message)
    expect(proof).toMatchObject({
      result: 'failed',
      check: { status: 0 },
      error: { code: 'integrity.differs' },
    })
    expect(readFileSync(join(folder, 'backups', keys[1] ?? ''), 'utf8')).toContain(message)
    expect((await hf.show()).lastDrill?.result).toBe('failed')
    expect(leftOvers(folder)).toEqual([])
  })

  it('a dump that cannot be read any more fails it', async () => {
    const { folder, hf } = await shop()
    const artifact = filesBelow(join(folder, 'backups')).find((name) => name.endsWith('.zst')) ?? ''
    const bytes = readFileSync(join(folder, 'backups', artifact))
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff
    writeFileSync(join(folder, 'backups', artifact), bytes)
    const { error, proof } = await oneDrill(hf)
    expect(error?.exit).toBe(7)
    expect(proof).toMatchObject({
      result: 'failed',
      proved: [],
      unproven: ['everything: it was not restored'],
    })
  })

  it('says what a backup without a fingerprint leaves unproven', async () => {
    const { hf } = await shop({ fingerprint: 'none' })
    expect(await oneDrill(hf)).toMatchObject({
      ok: true,
      proof: { schema: 'same', unproven: [expect.stringContaining('has no fingerprint')] },
    })
  })
})

describe('the check of a drill', () => {
  it('gets the copy as DATABASE_URL; its status and output are told', async () => {
    const { folder, hf } = await shop()
    const check = 'sqlite3 "${DATABASE_URL#sqlite:}" "SELECT count(*) FROM orders"; echo careful >&2; exit 3'
    const { ok, error, proof } = await oneDrill(hf, { check: `cd '${folder}'; ${check}` })
    expect(ok).toBe(false)
    expect(error).toMatchObject({ code: 'drill.check-failed', exit: 7 })
    expect(proof).toMatchObject({
      result: 'failed',
      comparison: { differences: [] },
      check: { status: 3, output: '20\ncareful\n', changes: [] },
    })
  })

  it('what it writes into the copy is named, and does not undo the proof', async () => {
    const { hf } = await shop()
    const check = `sqlite3 "\${DATABASE_URL#sqlite:}" "DELETE FROM orders WHERE id = 1; DROP VIEW totals"`
    expect(await oneDrill(hf, { check })).toMatchObject({
      ok: true,
      proof: {
        comparison: { differences: [] },
        check: {
          changes: [
            { object: 'table orders', what: 'rows', expected: '20 rows', found: '19 rows' },
            { object: 'view totals', what: 'missing' },
          ],
        },
      },
    })
  })

  it('one that is killed has failed; a long output loses its middle', async () => {
    const { hf } = await shop()
    const { error, proof } = await oneDrill(hf, { check: 'seq 100000; kill -9 $$' })
    expect(error?.message).toContain('was ended by SIGKILL')
    const output = proof?.check?.output ?? ''
    expect(output).toMatch(/^1\n2\n3\n/u)
    expect(output).toMatch(/bytes are left out …\n[\s\S]*\n99999\n100000\n$/u)
    expect(Buffer.byteLength(output)).toBeLessThan(70_000)
  })
})

interface Subject {
  readonly product: string
  readonly need: ServerNeed
  readonly config?: HoldfastConfig
  readonly connector?: string
  /** Uses what belongs to an account that the throwaway server did not have. */
  readonly look?: string
  readonly table: string
  readonly tables: number
  make(): Promise<{ readonly connection: ConnectionSettings; drop(): Promise<void> }>
  /** Where `--server` leads. */
  url(server: ServerAddress): string
  databases(server: ServerAddress): Promise<readonly string[]>
  readonly engine: Engine
  makeEmpty(server: ServerAddress, name: string): Promise<unknown>
  /** Where age alone tells that a drill is gone. */
  age?(server: ServerAddress, name: string): Promise<unknown>
}

const login = ({ host, port, user, password }: ServerAddress) =>
  `${user}:${encodeURIComponent(password)}@${host}:${port}`

const subjects: readonly Subject[] = [
  {
    product: 'PostgreSQL',
    need: postgresql,
    table: 'table public.items',
    tables: 1,
    async make() {
      const database = await new TestDatabase(postgresql.server()).make(
        `ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
      )
      const owner = `owner_of_${database.name}`
      await database.execute(`
        CREATE TABLE items (id serial PRIMARY KEY, name text, amount numeric);
        INSERT INTO items (name, amount) SELECT 'é ' || n, n / 8.0 FROM generate_series(1, 50) n;
        CREATE VIEW dear AS SELECT * FROM items WHERE amount > 2;
        CREATE ROLE ${owner}; ALTER TABLE items OWNER TO ${owner}; GRANT SELECT ON dear TO ${owner}`)
      return {
        connection: database.connection,
        drop: async () => {
          await database.execute(`DROP OWNED BY ${owner} CASCADE; DROP ROLE ${owner}`)
          await database.drop()
        },
      }
    },
    url: (server) => `postgresql://${login(server)}/postgres`,
    databases: async (server) => {
      const rows = await executeOn<{ name: string }>(
        server,
        'postgres',
        `SELECT datname AS name FROM pg_database WHERE datname LIKE 'holdfast_drill%' ORDER BY 1`,
      )
      return rows.map(({ name }) => name)
    },
    engine: postgresqlEngine,
    makeEmpty: (server, name) => executeOn(server, 'postgres', `CREATE DATABASE ${name}`),
  },
  {
    product: 'MariaDB',
    need: mariadb,
    look: [
      'rest=${DATABASE_URL#*://dev:}; place=${DATABASE_URL##*:}',
      'export MYSQL_PWD=${rest%%@*}',
      `mariadb --no-defaults --skip-ssl -h 127.0.0.1 -P \${place%%/*} -u dev \${place##*/} -Ne 'SELECT count(*) FROM dear'`,
    ].join('; '),
    table: 'table items',
    tables: 1,
    async make() {
      const database = await new ScratchDatabase(mariadb.server(), 'mysql').create('CHARACTER SET latin1')
      await database.run([
        'CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40), amount decimal(12,4))',
        `INSERT INTO items (name, amount) VALUES ('é', 0.5), ('ü', 0.125)`,
        'CREATE VIEW dear AS SELECT * FROM items WHERE amount > 0.2',
        'CREATE TRIGGER kept BEFORE INSERT ON items FOR EACH ROW SET @seen = NEW.id',
      ])
      return database
    },
    url: (server) => `mariadb://${login(server)}/mysql`,
    databases: async (server) => {
      const rows = await new ScratchDatabase(server, 'mariadb', 'mysql').rows(
        `SHOW DATABASES LIKE 'holdfast_drill%'`,
      )
      return rows.flatMap((row) => Object.values(row).map(String))
    },
    engine: mariadbEngine,
    makeEmpty: (server, name) =>
      new ScratchDatabase(server, 'mariadb', 'mysql').run([`CREATE DATABASE ${name}`]),
  },
  {
    product: 'FerretDB',
    need: mongodb,
    config: { devServers: { mongodb: { programs: dirname(mongodbPrograms()?.server ?? '') } } },
    connector: 'mongodb-driver',
    table: 'table items',
    tables: 1,
    async make() {
      const database = await new MongoScratch(mongodb.server()).create()
      const documents = [1, 2, 3].map((id) => ({ _id: id, name: `item ${id}` }))
      const index = { key: { name: 1 }, name: 'by_name' }
      await database.execute(
        JSON.stringify([
          { insert: 'items', documents },
          { createIndexes: 'items', indexes: [index] },
        ]),
      )
      return database
    },
    url: (server) => `mongodb://${login(server)}/admin?authSource=admin`,
    databases: async (server) => {
      const { databases } = await new MongoScratch(server, 'admin').on((database) =>
        database.admin().listDatabases(),
      )
      return databases.map(({ name }) => name).filter((name) => name.startsWith('holdfast_drill'))
    },
    engine: mongodbEngine,
    // The claim itself has made it.
    makeEmpty: () => Promise.resolve(),
    age: (server, name) =>
      new MongoScratch(server, name).on((database) =>
        database
          .collection('holdfast_drill')
          .updateOne({}, { $set: { alive: new Date(Date.now() - 3_600_000) } }),
      ),
  },
]

for (const {
  product,
  need,
  config,
  connector,
  look = 'true',
  table,
  tables,
  make,
  url,
  databases,
  engine,
  makeEmpty,
  age,
} of subjects) {
  needsAll(need, needsBuild()).describe(`a drill of ${product}`, () => {
    it('takes a throwaway server, or a database of its own on a given one; neither is left', async () => {
      const folder = await testFolder()
      const database = await make()
      onTestFinished(() => database.drop())
      const told = listener()
      const hf = await holdfastIn(
        folder,
        {
          databases: { shop: configOf(database.connection) },
          fingerprint: 'content',
          ...config,
        },
        { emit: told.emit },
      )
      const { id } = resultOf(await hf.backup(connector === undefined ? {} : { connector }))
      const { version } = (await hf.show()).manifest.source
      const passed = await oneDrill(hf, { check: `echo "$DATABASE_URL"; ${look}` })
      expect(passed.error).toBeUndefined()
      expect(passed.proof).toMatchObject({
        result: 'passed',
        restoredInto: { kind: 'throwaway', product, version },
        schema: 'same',
        comparison: { level: 'content', tables, differences: [], unproven: [] },
        check: {
          status: 0,
          output: expect.stringMatching(/:\/\/(?:dev:)?\*\*\*@127\.0\.0\.1:\d+\/\w+/u) as string,
        },
        unproven: ['owners and privileges: they are not restored by a drill'],
      })
      expect(leftOvers(folder)).toEqual([])

      change(folder, id, ({ fingerprint }) => {
        for (const each of fingerprint?.tables ?? []) each.rows = 7
      })
      const damaged = await oneDrill(hf, { into: url(need.server()), check: 'test -n "$DATABASE_URL"' })
      expect(damaged.error).toMatchObject({ code: 'integrity.differs' })
      expect(damaged.proof).toMatchObject({
        restoredInto: { kind: 'given', product, version },
        schema: 'same',
        comparison: { differences: [{ object: table, what: 'rows', expected: '7 rows' }] },
        check: { status: 0 },
      })
      expect(await databases(need.server())).toEqual([])

      const { drillDatabases } = engine
      // Another drill is at work on this one.
      const busy = { ...database.connection, name: 'holdfast_drill_20260101t000000_0000aa' }
      const claim = await drillDatabases?.claim(scratchContext(), busy)
      await makeEmpty(need.server(), busy.name)
      killedDrill(folder, url(need.server()))
      const left = (await databases(need.server())).filter((name) => name !== busy.name)
      expect(left).toEqual([expect.stringMatching(/^holdfast_drill_\d{8}t\d{6}_[0-9a-f]{6}$/u)])
      await age?.(need.server(), left[0] ?? '')
      told.notices.length = 0
      expect(await oneDrill(hf, { into: url(need.server()) })).toMatchObject({ proof: { schema: 'same' } })
      expect(told.notices).toContain(
        `${left[0]}, which a drill that was killed had left on this server, is removed`,
      )
      expect(await databases(need.server())).toEqual([busy.name])
      await drillDatabases?.drop(scratchContext(), busy)
      await claim?.release()
    })
  })
}

/** A drill by the command line whose process is killed when its copy is there. */
function killedDrill(folder: string, server: string): void {
  const args = [
    'verify',
    '--restore',
    '--storage',
    './backups',
    '--server',
    server,
    '--check',
    'kill -9 $PPID',
  ]
  const { signal } = spawnSync(process.execPath, [program, ...args], { cwd: folder })
  expect(signal).toBe('SIGKILL')
}

postgresql.describe('a version that is not installed', () => {
  it('is an error that names those that are; the nearest newer one is taken on request', async () => {
    const folder = await testFolder()
    const database = await new TestDatabase(postgresql.server()).make()
    onTestFinished(() => database.drop())
    await database.execute('CREATE TABLE items (id int); INSERT INTO items VALUES (1)')
    // The one server that there is, said to be others.
    const driver: DevServerDriver = {
      ...postgresqlDevServer,
      installed: async (cx, wanted) => {
        const real = await postgresqlDevServer.find(cx, wanted)
        return ['98.2', '97.10', '9.1'].map((version) => ({ ...real, version }))
      },
    }
    const told = listener()
    const config = { databases: { shop: configOf(database.connection) }, devServers: { postgresql: driver } }
    const hf = await holdfastIn(folder, config, { emit: told.emit })
    resultOf(await hf.backup())
    const { error, proof } = await oneDrill(hf)
    expect(proof).toBeUndefined()
    expect(error).toMatchObject({ code: 'tool.version-missing', exit: 5 })
    expect(error?.message).toMatch(
      /is of PostgreSQL 1\d\.\d+; of the servers of this machine, PostgreSQL 98\.2, PostgreSQL 97\.10, PostgreSQL 9\.1, none/u,
    )
    expect((await hf.show()).lastDrill).toBeUndefined()
    expect(await oneDrill(hf, { newer: true })).toMatchObject({ ok: true })
    expect(told.notices).toContainEqual(expect.stringContaining('throwaway PostgreSQL 97.10'))
  })
})

describe('an interrupted drill', () => {
  /** Aborts when the check runs. */
  async function interrupted(folder: string, hf: Holdfast) {
    const interrupt = new AbortController()
    const pidFile = join(folder, 'pid')
    // The shell of the check starts another program, as npm does.
    const drill = hf.drill({
      check: `sh -c 'echo $$ > ${pidFile}; sleep 60; true'; true`,
      signal: interrupt.signal,
    })
    while (!existsSync(pidFile)) await new Promise((resolve) => setTimeout(resolve, 20))
    interrupt.abort(new Error('enough'))
    await expect(drill).rejects.toThrow('enough')
    expect(running(readFileSync(pidFile, 'utf8').trim())).toBe(false)
    expect(leftOvers(folder)).toEqual([])
    expect(filesBelow(join(folder, 'backups')).filter((name) => name.includes('.drill-'))).toEqual([])
  }

  it('leaves no process, no folder and no report', async () => {
    const { folder, hf } = await shop()
    await interrupted(folder, hf)
  })

  postgresql.it('nor a server', async () => {
    const folder = await testFolder()
    const database = await new TestDatabase(postgresql.server()).make()
    try {
      await database.execute('CREATE TABLE items (id int)')
      const hf = await holdfastIn(folder, { databases: { shop: configOf(database.connection) } })
      resultOf(await hf.backup())
      await interrupted(folder, hf)
    } finally {
      await database.drop()
    }
  })
})

describe('which backups', () => {
  it('the newest of each database; with all and since, every one of that time; each has its outcome', async () => {
    let now = Date.parse('2026-11-01T12:00:00Z')
    const env = { ...nodeEnv(), clock: { ...nodeEnv().clock, now: () => new Date((now += 1)) } }
    const { folder, hf, id: first } = await shop({}, { env })
    now += 3 * 86_400_000
    const { id: second } = resultOf(await hf.backup())
    now += 86_400_000
    const { id: third } = resultOf(await hf.backup())
    change(folder, second, (manifest) => (manifest.schemaHash = 'another'))
    const of = async (request: DrillRequest) =>
      (await hf.drill(request)).results.map(({ id, ok }) => [id, ok] as const)
    expect(await of({})).toEqual([[third, true]])
    expect(await of({ backups: [first.slice(0, 12)] })).toEqual([[first, true]])
    expect(await of({ all: true, since: new Date(now - 2 * 86_400_000) })).toEqual([
      [third, true],
      [second, false],
    ])
    await expect(hf.drill({ since: new Date(now + 1) })).rejects.toMatchObject({
      code: 'usage.backup-not-found',
    })
    writeFileSync(join(folder, `backups/shop/${first}.manifest.json`), '{')
    expect(await of({ all: true, since: new Date(now - 3_600_000) })).toEqual([
      [`shop/${first}.manifest.json`, false],
      [third, true],
    ])
  })

  it('one that cannot be tried here is not said to have failed', async () => {
    const encrypt = { passphrase: 'correct horse' } as const
    const { hf } = await shop({ encrypt: { age: encrypt } })
    const { ok, error, proof, keys } = await oneDrill(hf)
    expect([ok, error?.code, proof, keys]).toEqual([false, 'key.missing', undefined, []])
    expect((await hf.show()).lastDrill).toBeUndefined()
  })

  it('without a place for its report it has proved nothing to anybody later', async () => {
    const { folder } = await shop()
    const storages = { main: { driver: 'local', path: './backups', readOnly: true } }
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./shop.sqlite3' }, storages })
    const { ok, error, proof } = await oneDrill(hf)
    expect([ok, proof?.result, error?.exit]).toEqual([false, 'passed', 6])
    expect(error?.message).toContain('the report of the drill was not written')
  })
})
