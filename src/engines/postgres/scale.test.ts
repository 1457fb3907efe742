import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { startPostgresql } from '../../../test/servers/postgresql.js'
import type { ServerAddress, StartedServer } from '../../../test/servers/server.js'
import type { RestoreFacts } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { connectorSettings, dumpBytes, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')
const timeoutMs = 240_000

server.describe('very many objects', () => {
  // Of its own: the locks of so many objects would leave none for the tests beside.
  let own: StartedServer | undefined
  beforeAll(async () => {
    own = await startPostgresql()
  })
  afterAll(() => own?.stop())
  const address = (): ServerAddress => {
    if (own === undefined) throw new Error('the server has not started')
    return own.address
  }

  async function roundTrip(fill: readonly string[], summary: string): Promise<void> {
    const original = await new TestDatabase(address()).make()
    const copy = new TestDatabase(address())
    try {
      for (const sql of fill) await original.execute(sql)
      const { bytes } = await dumpBytes(connectorSettings(original.connection), pgDumpCustom)
      const checker = pgDumpCustom.format.checker()
      checker.push(bytes)
      checker.end()
      const connector = pgDumpCustom.create(connectorSettings(copy.connection))
      await connector.restore(testContext(), restoreSource(bytes), restoreRequest({ create: true }))
      const expected = await original.rows(summary)
      expect(await copy.rows(summary)).toEqual(expected)
      // Over itself, in one transaction: done, or, where the server's lock table is too small for that, nothing changed.
      const again: unknown = await connector
        .restore(testContext(), restoreSource(bytes), restoreRequest())
        .catch((error: unknown) => error)
      expect(again).toSatisfy(
        (outcome: RestoreFacts | HoldfastError) =>
          !(outcome instanceof HoldfastError) ||
          (/out of shared memory/u.test(outcome.message) &&
            /max_locks_per_transaction.*--clean database/u.test(outcome.hint)),
      )
      expect(await copy.rows(summary)).toEqual(expected)
    } finally {
      await copy.drop()
      await original.drop()
    }
  }

  it(
    'FAILURES 40: 5 000 tables',
    async () => {
      // In several transactions, for the sake of the same lock table; each has its key.
      const fill = Array.from(
        { length: 25 },
        (_, part) => `DO $$ BEGIN FOR i IN 1..200 LOOP
          EXECUTE format('CREATE TABLE t_%s (i int PRIMARY KEY)', ${part} * 200 + i);
          EXECUTE format('INSERT INTO t_%s VALUES (1)', ${part} * 200 + i); END LOOP; END $$`,
      )
      await roundTrip(
        fill,
        `SELECT count(*) AS tables, md5(string_agg(tablename, ',' ORDER BY tablename)) AS names FROM pg_tables WHERE schemaname = 'public'`,
      )
    },
    timeoutMs,
  )

  it(
    'FAILURES 35: 20 000 large objects',
    async () => {
      const fill = Array.from(
        { length: 20 },
        (_, part) =>
          `SELECT lo_from_bytea(${20_000 + part * 1000} + i, decode(md5(i::text), 'hex')) FROM generate_series(1, 1000) i`,
      )
      await roundTrip(
        fill,
        `SELECT count(*) AS objects, md5(string_agg(loid || encode(data, 'hex'), ',' ORDER BY loid)) AS content FROM pg_largeobject`,
      )
    },
    timeoutMs,
  )
})
