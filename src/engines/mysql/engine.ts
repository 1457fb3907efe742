import type { Engine } from '../../engine/engine.js'
import { mysqlParallel } from './connectors/mysql-parallel.js'
import { mysqldump } from './connectors/mysqldump.js'
import { mysqlDevServer } from './dev-server.js'
import { mysqlDrillDatabases } from './drill-databases.js'
import { mysqlFingerprinter } from './fingerprint.js'
import type { Product } from './identity.js'
import { mysqlRows } from './rows.js'
import { ServerSession } from './session.js'
import { mysqlStandIns } from './stand-ins.js'
import { mysqlSwapper } from './swap.js'
import { parseUrl } from './url.js'

/**
 * MySQL and MariaDB, one home for both: they speak one protocol and are configured under either name, often the wrong one.
 * The name stands in manifests as it was configured; which family a server is of, it says itself.
 */
export const mysql = serverEngine('mysql', ['mysql2'], 'MySQL')
export const mariadb = serverEngine('mariadb', [], 'MariaDB')

function serverEngine(name: string, aliases: readonly string[], product: Product): Engine {
  return {
    name,
    aliases,
    capabilities: { server: true, schemas: false, transactionalRestore: false },
    parse: (url, baseDirectory) => parseUrl(name, url, baseDirectory),
    open: (cx, settings) => ServerSession.open(cx, settings),
    drillDatabases: mysqlDrillDatabases,
    standIns: mysqlStandIns,
    connectors: { mysqldump: mysqldump(name), 'mysql-parallel': mysqlParallel(name) },
    defaultConnector: 'mysqldump',
    fingerprint: mysqlFingerprinter,
    devServer: mysqlDevServer(name, product),
    rows: mysqlRows,
    swap: mysqlSwapper,
  }
}
