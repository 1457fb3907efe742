import type { Engine } from '../../engine/engine.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { openSession } from './session.js'
import { engineName, parseUrl } from './url.js'

/** PostgreSQL, with or without PostGIS. */
export const postgresql: Engine = {
  name: engineName,
  aliases: ['postgres', 'pg', 'postgis'],
  capabilities: { server: true, schemas: true, transactionalRestore: true },
  parse: parseUrl,
  open: openSession,
  connectors: { [pgDumpCustom.name]: pgDumpCustom, [pgDump.name]: pgDump },
  defaultConnector: pgDumpCustom.name,
}
