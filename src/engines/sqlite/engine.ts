import type { Engine } from '../../engine/engine.js'
import { sqliteBackup } from './connectors/sqlite-backup.js'
import { sqliteCopy } from './connectors/sqlite-copy.js'
import { sqliteDump } from './connectors/sqlite-dump.js'
import { sqliteDevServer } from './dev-server.js'
import { sqliteFingerprinter } from './fingerprint.js'
import { sqliteRows } from './rows.js'
import { openSession } from './session.js'
import { sqliteSwapper } from './swap.js'
import { parseUrl, schemes } from './url.js'

export const sqliteEngine: Engine = {
  name: 'sqlite',
  aliases: schemes.filter((scheme) => scheme !== 'sqlite'),
  capabilities: { server: false, schemas: false, transactionalRestore: true },
  parse: parseUrl,
  open: openSession,
  connectors: Object.fromEntries(
    [sqliteBackup, sqliteDump, sqliteCopy].map((factory) => [factory.name, factory]),
  ),
  defaultConnector: sqliteBackup.name,
  fingerprint: sqliteFingerprinter,
  devServer: sqliteDevServer,
  rows: sqliteRows,
  swap: sqliteSwapper,
}
