import type { Engine } from '../../engine/engine.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { pgDumpGis } from './connectors/pg-dump-gis.js'
import { pgParallel } from './connectors/pg-parallel.js'
import { postgisDevServer, postgresqlDevServer } from './dev-server.js'
import { postgresDrillDatabases } from './drill-databases.js'
import { postgresFingerprinter } from './fingerprint.js'
import { postgresRows } from './rows.js'
import { clusterDump } from './format-sql.js'
import { openSession } from './session.js'
import { postgresStandIns } from './stand-ins.js'
import { postgresSwapper } from './swap.js'
import { engineName, parseUrl } from './url.js'

/** Connectors of databases that are configured under another name of the engine, where it is not the default one. */
export interface AliasConnectors {
  readonly aliasConnectors: Readonly<Record<string, string>>
}

/** PostgreSQL, with or without PostGIS. */
export const postgresql: Engine & AliasConnectors = {
  name: engineName,
  aliases: ['postgres', 'pg', 'postgis'],
  capabilities: { server: true, schemas: true, transactionalRestore: true },
  parse: parseUrl,
  open: openSession,
  drillDatabases: postgresDrillDatabases,
  standIns: postgresStandIns,
  otherDump: clusterDump,
  connectors: {
    [pgDumpCustom.name]: pgDumpCustom,
    [pgDump.name]: pgDump,
    [pgDumpGis.name]: pgDumpGis,
    [pgParallel.name]: pgParallel,
  },
  defaultConnector: pgDumpCustom.name,
  rows: postgresRows,
  swap: postgresSwapper,
  aliasConnectors: { postgis: pgDumpGis.name },
  devServer: postgresqlDevServer,
  aliasDevServers: { postgis: postgisDevServer },
  fingerprint: postgresFingerprinter,
}
