import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { faultyStorage, type StorageFaults } from '../../testing/faulty-storage.js'
import { needsAll, needsServer, needsTool } from '../../../test/servers/needs.js'
import { filesBelow, holdfastIn, listener, resultOf, testFolder } from '../../../test/flows/workbench.js'
import { HoldfastError } from '../../errors.js'
import type { DumpPart, RestoreRequest } from '../../engine/connector.js'
import { localDriver } from '../../storages/local/driver.js'
import type { StorageDriver } from '../../storages/storage.js'
import { dumpRequest, restoreRequest } from '../../testing/connector-contract.js'
import { partsSource, readAll, type ReadPart } from '../../testing/connector-workbench.js'
import { parallelConnector } from './connectors/pg-parallel.js'
import {
  connectedClient,
  connectorSettings,
  dumpedSource,
  TestDatabase,
  testContext,
} from './test-fixture.js'

const server = needsServer('postgresql')
/** As docs/format.md says it. */
function recoverByHand(
  folder: string,
  { name, server: { binDirectory, host, port, user, password } }: TestDatabase,
) {
  const format = readFileSync(fileURLToPath(new URL('../../../docs/format.md', import.meta.url)), 'utf8')
  const commands = /^ {4}zstd -dc < schema(?:.|\n {4})*/mu.exec(format)?.[0]
  const variables = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: name,
  }
  execFileSync('bash', ['-euc', commands ?? 'exit 1'], {
    cwd: folder,
    env: { ...process.env, ...variables, PATH: `${binDirectory}:${process.env['PATH']}` },
  })
}

const inPieces = parallelConnector({ tableBytes: 100_000, pieceBytes: 200_000 })

server.describe('pg-parallel', () => {
  const original = server.missing === undefined ? new TestDatabase(server.server()) : undefined
  const made: TestDatabase[] = []

  beforeAll(async () => {
    await original?.make()
    await original?.execute(`
      CREATE TABLE parent (id int PRIMARY KEY, t text);
      CREATE TABLE big (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent, t text, doubled int GENERATED ALWAYS AS (id * 2) STORED);
      CREATE INDEX big_t ON big (t);
      CREATE TABLE other (id int PRIMARY KEY, t text);
      CREATE TABLE own (id int, p point, a text[], r regclass, m money, x xml, b bytea, n float8, t text);
      INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 100) i;
      INSERT INTO big SELECT i, i % 100 + 1, repeat(md5(i::text), 5) FROM generate_series(1, 8000) i;
      INSERT INTO other SELECT i, repeat(md5(i::text), 5) FROM generate_series(1, 2000) i;
      INSERT INTO own SELECT i, '(1,2)', '{a,b}', 'other', '-1234.56', 'text &amp; <a/>', '\\x5c0a', 0.1 + i, E'\\\\ \\t\\n' || repeat('x', 90)
        FROM generate_series(1, 2000) i;
      DELETE FROM big WHERE id > 6500;`)
  })
  afterAll(async () => {
    for (const database of [...made, ...(original === undefined ? [] : [original])]) await database.drop()
  })

  function source(): TestDatabase {
    if (original === undefined) throw new Error('there is no server')
    return original
  }

  const absent = () => {
    const database = new TestDatabase(source().server)
    made.push(database)
    return database
  }

  const connectorTo = (database: TestDatabase) => inPieces.create(connectorSettings(database.connection))

  async function restored(request: Partial<RestoreRequest>): Promise<TestDatabase> {
    const target = await absent().make()
    const from = await dumpedSource(connectorSettings(source().connection), inPieces)
    await connectorTo(target).restore(testContext(), from, restoreRequest(request))
    return target
  }

  server.it(
    'reads large tables in pieces, of which some have no rows, and leaves to pg_dump what is small',
    async () => {
      const from = await dumpedSource(connectorSettings(source().connection), inPieces)
      const tables = from.parts.map(({ role, table }) => table ?? role)
      expect(tables.slice(0, 2)).toEqual(['schema', 'schema'])
      expect(new Set(tables.slice(2))).toEqual(new Set(['public.big', 'public.other', 'public.own']))
      expect(tables.filter((table) => table === 'public.big').length).toBeGreaterThan(3)
      const bytes = from.parts.map(({ plainBytes }) => plainBytes)
      expect(bytes).toContain(0)
    },
  )

  server.it('FAILURES 24: a dump stops, naming the table, where somebody waits to change it', async () => {
    const dump = await connectorTo(source()).dump(testContext(), dumpRequest())
    const other = await connectedClient(source().server, source().name)
    const observer = await connectedClient(source().server, source().name)
    let change: Promise<unknown> = Promise.resolve()
    const read = async () => {
      for await (const part of dump.parts) {
        await readAll(part.bytes)
        if (part.name !== 'schema') continue
        change = other.query('ALTER TABLE big ADD COLUMN added int; ALTER TABLE big DROP COLUMN added')
        const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'big'::regclass`
        while ((await observer.query(waiting)).rowCount === 0);
      }
    }
    try {
      await expect(read()).rejects.toMatchObject({
        code: 'database.busy',
        message: expect.stringMatching(/lock on relation "\S*big"/u) as string,
      })
      // Nothing holds it up any more.
      await change
    } finally {
      await other.end()
      await observer.end()
    }
  })

  server.it('FAILURES 25: a connection that is ended fails the dump', async () => {
    const dump = await connectorTo(source()).dump(testContext(), dumpRequest())
    const read = async () => {
      for await (const part of dump.parts) {
        if (part.role === 'data')
          await source().execute(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'`,
          )
        await readAll(part.bytes)
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'database.unreachable' })
  })

  server.it('restores some tables, or definitions alone, and not rows alone', async () => {
    const some = await restored({ tables: ['other', 'own'] })
    expect(await some.tables()).toEqual(['other', 'own'])
    expect(await some.rowCount('other')).toBe(2000)
    const empty = await restored({ schemaOnly: true })
    expect(await empty.schemaText()).toBe(await source().schemaText())
    expect(await empty.rowCount('big')).toBe(0)
    await expect(restored({ dataOnly: true })).rejects.toMatchObject({ code: 'usage.not-supported' })
  })

  server.it(
    'says what is left where a restore in place fails, and leaves nothing of a new database',
    async () => {
      const from = await dumpedSource(connectorSettings(source().connection), inPieces)
      const parts: ReadPart[] = await Promise.all(
        from.parts.map(async (part) => ({ ...part, bytes: await readAll(await from.open(part)) })),
      )
      const broken = (part: DumpPart | ReadPart) => part.role === 'data' && part.table === 'public.other'
      const source2 = partsSource(
        parts.map((part) =>
          broken(part) ? { ...part, bytes: Buffer.from(part.bytes.fill(0xee, 40, 60)) } : part,
        ),
      )
      const target = await absent().make()
      const inPlace = connectorTo(target).restore(testContext(), source2, restoreRequest())
      await expect(inPlace).rejects.toMatchObject({
        code: 'restore.incomplete',
        message: expect.stringMatching(/half restored.*COPY other, line 1/su) as string,
      })
      const missing = absent()
      const anew = connectorTo(missing).restore(testContext(), source2, restoreRequest({ create: true }))
      await expect(anew).rejects.toMatchObject({ code: 'database.query-failed' })
      expect(await missing.exists()).toBe(false)
      // Once more over what is left: the way out that the error names.
      await connectorTo(target).restore(testContext(), from, restoreRequest())
      expect(await target.digest()).toEqual(await source().digest())
    },
  )

  async function holdfast(faults: StorageFaults = {}) {
    const folder = await testFolder()
    const driver: StorageDriver = {
      driver: 'faulty',
      open: async (settings, where) => faultyStorage(await localDriver.open(settings, where), faults),
    }
    const { host, port, user, password } = source().server
    const { emit, progress } = listener()
    const hf = await holdfastIn(
      folder,
      {
        databases: {
          shop: {
            engine: 'postgresql',
            name: source().name,
            host,
            port,
            user,
            password,
            connector: inPieces,
          },
        },
        storageDrivers: [driver],
        storages: { main: './main', offsite: { driver: 'faulty', path: './offsite' } },
      },
      { emit },
    )
    return { folder, hf, progress }
  }

  needsAll(server, needsTool('zstd', 'jq')).it(
    'goes through storages in several artifacts, which verify, restore, and recover by hand',
    async () => {
      const { folder, hf, progress } = await holdfast()
      const { id } = resultOf(await hf.backup())
      expect(progress).toEqual(progress.toSorted((a, b) => a - b))
      expect((await hf.verify()).results.map(({ ok }) => ok)).toEqual([true, true])
      const target = absent()
      await hf.restore({ backup: id, to: target.name, create: true, confirm: true })
      expect(await target.digest()).toEqual(await source().digest())
      expect(await target.schemaText()).toBe(await source().schemaText())
      expect(filesBelow(join(folder, 'main'))).toEqual(filesBelow(join(folder, 'offsite')))
      const manual = await absent().make()
      const [archive = ''] = filesBelow(join(folder, 'main')).filter((name) => name.endsWith('/schema'))
      recoverByHand(join(folder, 'main', archive, '..'), manual)
      expect(await manual.digest()).toEqual(await source().digest())
      expect(await manual.schemaText()).toBe(await source().schemaText())
    },
  )

  server.it('a storage that fails midway is left behind with nothing of the backup in it', async () => {
    const error = new HoldfastError('storage.full', 'no space')
    const faults: StorageFaults = {
      matches: (key) => key.includes('/00003-'),
      failPut: { afterBytes: 100, error },
    }
    const { folder, hf } = await holdfast(faults)
    const [outcome] = await hf.backup()
    expect(outcome).toMatchObject({ ok: false, error: { code: 'backup.partial' } })
    expect(filesBelow(join(folder, 'offsite'))).toEqual([])
    expect((await hf.verify()).results.map(({ ok }) => ok)).toEqual([true])
    const [alone] = await hf.backup({ storages: ['offsite'] })
    expect(alone).toMatchObject({ ok: false, error: { code: 'storage.full' } })
    expect(filesBelow(join(folder, 'offsite'))).toEqual([])
  })
})
