import type { Engine } from '../../engine/engine.js'
import { mongodbDriver } from './connectors/mongodb-driver.js'
import { mongodump } from './connectors/mongodump.js'
import { mongodbDevServer } from './dev-server.js'
import { mongodbDrillDatabases } from './drill-databases.js'
import { mongodbFingerprinter } from './fingerprint.js'
import { mongodbRows } from './rows.js'
import { MongoSession } from './session.js'
import { assertExists } from './catalog.js'
import { parseUrl } from './url.js'

/** MongoDB, and servers that speak its protocol. */
export const mongodb: Engine = {
  name: 'mongodb',
  aliases: ['mongodb+srv', 'mongo'],
  capabilities: { server: true, schemas: false, transactionalRestore: false },
  parse: parseUrl,
  async open(cx, settings) {
    const session = await MongoSession.open(cx, settings)
    try {
      await assertExists(session)
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  },
  rows: mongodbRows,
  drillDatabases: mongodbDrillDatabases,
  connectors: { mongodump, 'mongodb-driver': mongodbDriver },
  defaultConnector: 'mongodump',
  fingerprint: mongodbFingerprinter,
  devServer: mongodbDevServer,
}
