import { afterAll, beforeAll, it } from 'vitest'
import { needsAll, needsPostgis, needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { plainTools } from '../../../testing/plain-tools.js'
import { contractFixture } from '../test-fixture.js'
import { ownReferenceSystem, placesSql, PostgisAccount, type OrdinaryDatabase } from '../test-postgis.js'
import { pgDumpGis } from './pg-dump-gis.js'

const postgresql = needsServer('postgresql')
const postgis = needsAll(postgresql, needsPostgis())

/** As an ordinary user with an admin account: databases with PostGIS, and geometry beside the sample of every connector. */
postgis.describe('pg-dump-gis keeps the promises of a connector', () => {
  if (postgis.missing !== undefined) return
  const account = new PostgisAccount(postgresql.server())
  beforeAll(() => account.make())
  afterAll(() => account.drop())
  const plain = contractFixture(account.server, pgDumpGis)
  const checks = connectorContract({
    ...plain,
    settings: () => ({ tools: plainTools, admin: account.admin }),
    createDatabase: () => account.empty(true),
    missingDatabase: () => Promise.resolve(account.database()),
    async fill(database) {
      await plain.fill(database)
      await (database as OrdinaryDatabase).executeAsAdmin(ownReferenceSystem)
      await database.execute(placesSql)
    },
  })
  for (const { name, run } of checks) it(name, run)
})
