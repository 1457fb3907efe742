import type { ConnectorCapabilities, ConnectorFactory } from '../../engine/connector.js'
import { ofMongodbAlone } from '../mongodb-settings.js'
import { dumpDatabase, inspectDatabase, type PgDumpFormat } from './dump.js'
import { customFormat } from './format-custom.js'
import { prepareRestore, restoreDatabase, type RestoreFormat } from './restore.js'
import { engineName } from './url.js'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: true,
  transactionalRestore: true,
  restoresBeside: true,
  partialRestore: true,
  fingerprint: true,
  clean: ['none', 'objects', 'database'],
  unused: ofMongodbAlone,
}

export const archive: PgDumpFormat = { plain: false, arguments: () => ['--format=custom', '--compress=0'] }

/** A connector for pg_dump's custom format. Compression is left to Holdfast's own stages. */
export function archiveConnector(name: string, format: RestoreFormat): ConnectorFactory {
  return {
    name,
    engine: engineName,
    extension: 'dump',
    capabilities,
    format: customFormat,
    create: (settings) => ({
      name,
      engine: engineName,
      capabilities,
      inspect: (cx, wanted) => inspectDatabase(cx, settings, archive, wanted),
      dump: (cx, request) => dumpDatabase(cx, settings, request, archive),
      prepareRestore: (cx, source, request) => prepareRestore(cx, format, settings, source, request),
      restore: (cx, source, request) => restoreDatabase(cx, format, settings, source, request),
    }),
  }
}
