import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { restoreRequest } from '../../testing/connector-contract.js'
import { parallelConnector } from './connectors/pg-parallel.js'
import { postgresql } from './engine.js'
import { identifier } from './quoting.js'
import { rareObjects, tortureObjects } from './test-torture.js'
import { connectorSettings, dumpedSource, execute, psql, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')

const suffix = randomBytes(4).toString('hex')
/** Roles belong to the whole server: of this test alone, with a name that must be quoted. */
const role = `-r"o%le 'x'\n${suffix}`

server.describe('everything PostgreSQL has comes back as it was', () => {
  const original = server.missing === undefined ? new TestDatabase(server.server()) : undefined

  beforeAll(async () => {
    if (original === undefined) return
    await execute(original.server, 'postgres', `CREATE ROLE ${identifier(role)}`)
    await original.make()
    await psql(original, tortureObjects(identifier(role), suffix))
    await psql(original, `SET client_min_messages = warning; ${rareObjects(identifier(role))}`)
  })

  afterAll(async () => {
    if (original === undefined) return
    await original.drop()
    await execute(original.server, 'postgres', `DROP ROLE ${identifier(role)}`)
  })

  async function contentOf(database: TestDatabase) {
    const session = await postgresql.open(testContext(), database.connection)
    try {
      const { schemaHash, objectCount } = await session.facts()
      return {
        dump: await database.pgDump(),
        digest: await database.digest(),
        largeObjects: await database.largeObjects(),
        schemaHash,
        objectCount,
        sequences: await database.rows(
          `SELECT schemaname, sequencename, last_value, start_value, increment_by FROM pg_sequences ORDER BY 1, 2`,
        ),
        views: await database.rows(
          'SELECT (SELECT n FROM counted), (SELECT n FROM a_counted_twice) AS twice',
        ),
      }
    } finally {
      await session.close()
    }
  }

  // Of pg-parallel a piece for each page of each table that it takes.
  const inPieces = parallelConnector({ tableBytes: 1, pieceBytes: 8192 })
  const others = Object.values(postgresql.connectors).filter(({ name }) => name !== inPieces.name)
  for (const factory of [...others, inPieces]) {
    describe(`through ${factory.name}`, () => {
      it('FAILURES 28, 29, 30, 31, 34, 35, 36, 37, 39: into a new database', async () => {
        if (original === undefined) throw new Error('no server')
        const copy = new TestDatabase(original.server, `-c"o%p'y=\n${suffix} ${factory.name}`)
        try {
          const source = await dumpedSource(connectorSettings(original.connection), factory)
          const connector = factory.create(connectorSettings(copy.connection))
          await connector.restore(testContext(), source, restoreRequest({ create: true }))
          expect(await contentOf(copy)).toEqual(await contentOf(original))
        } finally {
          await copy.drop()
        }
      })

      it.each(['objects', 'database'] as const)('over a changed copy of itself, clean %s', async (clean) => {
        if (original === undefined) throw new Error('no server')
        const copy = new TestDatabase(original.server)
        try {
          const source = await dumpedSource(connectorSettings(original.connection), factory)
          const connector = factory.create(connectorSettings(copy.connection))
          await connector.restore(testContext(), source, restoreRequest({ create: true }))
          await copy.execute(
            `UPDATE egg SET parent = NULL WHERE id < 25; DELETE FROM ranged; SELECT lo_unlink(424243); SELECT nextval('called_once')`,
          )
          if (clean === 'database') {
            const refused = connector.prepareRestore(testContext(), source, restoreRequest({ clean }))
            await expect(refused).rejects.toMatchObject({ code: 'usage.not-supported' })
            await copy.execute(`DROP SUBSCRIPTION some_${suffix}`)
          }
          await connector.restore(testContext(), source, restoreRequest({ clean }))
          expect(await contentOf(copy)).toEqual(await contentOf(original))
        } finally {
          await copy.drop()
        }
      })
    })
  }
})
