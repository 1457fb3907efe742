import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { Secret } from '../../env/secret.js'
import { dumpRequest } from '../../testing/connector-contract.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { childRunning, largeTable, onLinux, startedDump, withoutProc } from './test-running-tools.js'
import { factories } from './test-restore.js'
import {
  connectedClient,
  connectorSettings,
  dumpBytes,
  execute,
  TestDatabase,
  testContext,
} from './test-fixture.js'

const server = needsServer('postgresql')

server.describe('a dump that cannot be whole is an error', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await new TestDatabase(server.server()).make()
  })
  afterEach(() => database.drop())

  for (const factory of factories) {
    it.skipIf(withoutProc)(onLinux(`FAILURES 1: pg_dump is killed midway (${factory.name})`), async () => {
      await database.execute(largeTable)
      const { drain } = await startedDump(factory, connectorSettings(database.connection))
      process.kill(await childRunning('pg_dump'), 'SIGKILL')
      await expect(drain()).rejects.toMatchObject({ code: 'tool.failed', details: { signal: 'SIGKILL' } })
    })

    it(`FAILURES 25: the server ends the connection midway (${factory.name})`, async () => {
      await database.execute(largeTable)
      const { drain } = await startedDump(factory, connectorSettings(database.connection))
      const terminate = `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
        WHERE datname = $1 AND application_name = 'holdfast' AND query LIKE '%COPY%'`
      while ((await execute(server.server(), 'postgres', terminate, [database.name])).length === 0);
      await expect(drain()).rejects.toMatchObject({
        code: 'tool.failed',
        message: expect.stringMatching(/terminating connection|server closed the connection/u) as string,
      })
    })
  }

  it('FAILURES 24: a table that somebody else keeps locked is named', async () => {
    await database.execute('CREATE TABLE "held table" (i int)')
    const holder = await connectedClient(server.server(), database.name)
    try {
      await holder.query('BEGIN; LOCK TABLE "held table"')
      const { drain } = await startedDump(
        pgDumpCustom,
        connectorSettings(database.connection, { options: { toolArgs: ['--lock-wait-timeout=300'] } }),
      )
      await expect(drain()).rejects.toMatchObject({
        code: 'tool.failed',
        message: expect.stringContaining('"held table"') as string,
        hint: expect.stringContaining('another session holds a lock') as string,
      })
    } finally {
      await holder.end()
    }
  })

  it('FAILURES 4: what pg_dump warns of is in the facts', async () => {
    await database.execute('CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self)')
    const { warnings } = await dumpBytes(
      connectorSettings(database.connection, { options: { toolArgs: ['--data-only'] } }),
      pgDumpCustom,
    )
    expect(warnings.join('\n')).toMatch(/pg_dump: warning: there are circular foreign-key constraints/u)
  })

  it('FAILURES 38: a client older than the server is refused before anything starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dump-test-'))
    try {
      const old = join(folder, 'pg_dump')
      await writeFile(
        old,
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 9.6.24" || touch "$0.ran"\n',
      )
      await chmod(old, 0o755)
      const connector = pgDumpCustom.create(
        connectorSettings(database.connection, { tools: { dumpCommand: [old] } }),
      )
      const tooOld = {
        code: 'tool.too-old',
        message: expect.stringMatching(/server needs pg_dump \d+ or newer; installed: 9\.6\.24/u) as string,
      }
      await expect(connector.inspect(testContext())).rejects.toMatchObject(tooOld)
      await expect(connector.dump(testContext(), dumpRequest())).rejects.toMatchObject(tooOld)
      await expect(readFile(`${old}.ran`)).rejects.toMatchObject({ code: 'ENOENT' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

server.describe('a role that may not see everything', () => {
  const role = `r_${randomBytes(4).toString('hex')}`
  let database: TestDatabase
  const asRole = () => ({ ...database.connection, user: role, password: new Secret('role password') })

  beforeAll(async () => {
    database = await new TestDatabase(server.server()).make()
    await execute(server.server(), 'postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'role password'`)
    await database.execute(`
      CREATE TABLE guarded (i int); INSERT INTO guarded VALUES (1), (2);
      ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
      CREATE POLICY one ON guarded USING (i = 1);
      CREATE TABLE closed (i int);
      CREATE TABLE open (i int);
      GRANT SELECT ON guarded, open TO ${role}`)
  })
  afterAll(async () => {
    await database.drop()
    await execute(server.server(), 'postgres', `DROP ROLE ${role}`)
  })

  it('FAILURES 32: row-level security is an error, not fewer rows', async () => {
    const dump = (changes: object) =>
      dumpBytes(connectorSettings(asRole()), pgDumpCustom, { exclude: ['closed'], ...changes })
    await expect(dump({})).rejects.toMatchObject({
      code: 'database.denied',
      message: expect.stringContaining('row-level security would hide rows of public.guarded') as string,
      hint: expect.stringContaining('BYPASSRLS') as string,
    })
    expect((await dump({ excludeData: ['guarded'] })).bytes.length).toBeGreaterThan(0)
    expect((await dump({ exclude: ['closed', 'guarded'] })).bytes.length).toBeGreaterThan(0)
  })

  it('a table without SELECT is named before anything starts', async () => {
    const dump = dumpBytes(connectorSettings(asRole()), pgDumpCustom, { excludeData: ['guarded'] })
    await expect(dump).rejects.toMatchObject({
      code: 'database.denied',
      message: `${role} may not read public.closed; nothing was dumped`,
    })
  })

  it('inspect warns of both', async () => {
    const { server: facts } = await pgDumpCustom.create(connectorSettings(asRole())).inspect(testContext())
    expect(facts.warnings).toEqual([
      expect.stringContaining(`row-level security hides rows of public.guarded from ${role}`),
      expect.stringContaining(`${role} may not read public.closed`),
    ])
  })
})

describe('without a server', () => {
  it.each(['inspect', 'dump'] as const)('%s says that it cannot be reached', async (method) => {
    const connection = {
      engine: 'postgresql',
      name: 'd',
      host: '127.0.0.1',
      port: 1,
      user: 'u',
      parameters: {},
    }
    const connector = pgDumpCustom.create(connectorSettings(connection))
    const asked =
      method === 'inspect' ? connector.inspect(testContext()) : connector.dump(testContext(), dumpRequest())
    await expect(asked).rejects.toMatchObject({
      code: 'database.unreachable',
      message: expect.stringMatching(/^postgresql:\/\/127\.0\.0\.1:1\/d cannot be reached: /u) as string,
    })
  })
})
