import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { identifier } from './quoting.js'
import { change, contentOf, factories, rawDump, restore, RestoreBench } from './test-restore.js'
import {
  connectedClient,
  connectorSettings,
  execute,
  testContext,
  type TestDatabase,
} from './test-fixture.js'

const server = needsServer('postgresql')
const bench = new RestoreBench(server)

for (const factory of factories) {
  server.describe(`clean (${factory.name})`, () => {
    it('FAILURES 66: none refuses what would mix, naming it', async () => {
      const { bytes, target, old } = await bench.prepared(factory)
      const connector = factory.create(connectorSettings(target.connection))
      const refused = connector.prepareRestore(
        testContext(),
        restoreSource(bytes),
        restoreRequest({ clean: 'none' }),
      )
      await expect(refused).rejects.toMatchObject({
        code: 'refused.not-empty',
        message: expect.stringContaining('public.parent') as string,
      })
      expect(await contentOf(target)).toEqual(old)
    })

    it('database replaces everything, and keeps owner, privileges, settings, limit and comment', async () => {
      const { bytes, target } = await bench.prepared(factory)
      const role = `r_${randomBytes(4).toString('hex')}`
      const name = identifier(target.name)
      await execute(server.server(), 'postgres', `CREATE ROLE ${role}`)
      try {
        for (const statement of [
          `ALTER DATABASE ${name} OWNER TO ${role}`,
          `ALTER DATABASE ${name} CONNECTION LIMIT 17`,
          `ALTER DATABASE ${name} SET search_path TO "$user", 'odd name', public`,
          `ALTER DATABASE ${name} SET work_mem TO '5MB'`,
          `ALTER DATABASE ${name} SET my.setting TO 'it''s, a "value"'`,
          `ALTER ROLE ${role} IN DATABASE ${name} SET statement_timeout TO '1min'`,
          `REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`,
          `GRANT CREATE ON DATABASE ${name} TO ${role} WITH GRANT OPTION`,
          `COMMENT ON DATABASE ${name} IS 'it''s kept'`,
        ]) {
          await execute(server.server(), 'postgres', statement)
        }
        await target.execute('CREATE TABLE only_here (i int)')
        const before = await properties(target)
        await restore(factory, target, bytes, { clean: 'database' })
        expect(await properties(target)).toEqual(before)
        expect(await contentOf(target)).toEqual(await contentOf(bench.original))
      } finally {
        await target.drop()
        await execute(server.server(), 'postgres', `DROP ROLE ${role}`)
      }
    })

    it('database refuses while others use it, and ends their sessions with disconnect', async () => {
      const { bytes, target, old } = await bench.prepared(factory)
      const connector = factory.create(connectorSettings(target.connection))
      const request = restoreRequest({ clean: 'database' })
      let other: Client | undefined = await connectedClient(target.server, target.name)
      try {
        const busy = { code: 'database.busy', message: expect.stringContaining('holdfast') as string }
        await expect(
          connector.prepareRestore(testContext(), restoreSource(bytes), request),
        ).rejects.toMatchObject(busy)
        await expect(connector.restore(testContext(), restoreSource(bytes), request)).rejects.toMatchObject(
          busy,
        )
        expect((await contentOf(target)).rows).toEqual(old.rows)
        const plan = await connector.prepareRestore(testContext(), restoreSource(bytes), {
          ...request,
          disconnect: true,
        })
        expect(plan.warnings.join()).toMatch(/1 other sessions? will be ended/u)
        expect(plan.losses).toEqual([expect.stringMatching(/is dropped with \d+ objects?: public\.child/u)])
        await connector.restore(testContext(), restoreSource(bytes), { ...request, disconnect: true })
        expect(await contentOf(target)).toEqual(await contentOf(bench.original))
        await expect(other.query('SELECT 1')).rejects.toThrow()
        other = undefined
      } finally {
        await other?.end()
      }
    })
  })

  server.describe(`dumps that were made elsewhere (${factory.name})`, () => {
    const format = factory === pgDump ? ['--format=plain'] : ['--format=custom']

    it('restore into an empty database; where their tables are, they fail and change nothing', async () => {
      const bytes = await rawDump(bench.original, ...format)
      const target = await bench.empty()
      await restore(factory, target, bytes)
      expect(await contentOf(target)).toEqual(await contentOf(bench.original))
      await target.execute(change)
      const old = await contentOf(target)
      const options = { drop: false }
      await expect(restore(factory, target, bytes, {}, { options })).rejects.toMatchObject({
        code: 'tool.failed',
        message: expect.stringContaining('already exists') as string,
      })
      expect(await contentOf(target)).toEqual(old)
    })

    it('add to what is there with clean none, where nothing is in the way', async () => {
      const bytes = await rawDump(bench.original, ...format)
      const target = await bench.empty()
      await target.execute('CREATE TABLE other (i int); INSERT INTO other VALUES (1)')
      await restore(factory, target, bytes, { clean: 'none' })
      expect(await target.tables()).toEqual(['child', 'other', 'parent', 'script'])
    })
  })
}

async function properties(database: TestDatabase): Promise<unknown> {
  return execute(
    database.server,
    'postgres',
    `SELECT pg_get_userbyid(datdba)::text AS owner, encoding, datcollate, datctype, datconnlimit,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a) AS acl, shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT json_agg(json_build_array(setrole::regrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings
     FROM pg_database d WHERE datname = $1`,
    [database.name],
  )
}
