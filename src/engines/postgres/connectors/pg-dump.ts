import type {
  ConnectorCapabilities,
  ConnectorFactory,
  ConnectorSettings,
  RestoreSource,
} from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { feedTool } from '../../../process/run.js'
import { connect } from '../../../streams/connect.js'
import { ofMongodbAlone } from '../../mongodb-settings.js'
import { dumpDatabase, inspectDatabase, type PgDumpFormat } from '../dump.js'
import { sqlFormat } from '../format-sql.js'
import { openDump } from '../opened-dump.js'
import { psqlArguments, psqlInput } from '../psql-input.js'
import { sqlContents } from '../restore-contents.js'
import { prepareRestore, restoreDatabase, type RestoreFormat } from '../restore.js'
import { databaseCall } from '../tool-call.js'
import { psqlClient } from '../tools.js'
import { engineName } from '../url.js'

const name = 'pg-dump'
const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: true,
  restoreSchemas: false,
  transactionalRestore: true,
  fingerprint: true,
  restoresBeside: true,
  clean: ['none', 'objects', 'database'],
  unused: ofMongodbAlone,
}
/** The statements that drop objects come first; whether there are any shows well within this. */
const headBytes = 64 * 1024

/** pg_dump's plain SQL, restored by psql. What pg_restore would leave out has to be left out of the dump here. */
export const pgDump: ConnectorFactory = {
  name,
  engine: engineName,
  extension: 'sql',
  capabilities,
  format: sqlFormat,
  create: (settings) => ({
    name,
    engine: engineName,
    capabilities,
    inspect: (cx, wanted) => inspectDatabase(cx, settings, plainSql, wanted),
    dump: (cx, request) => dumpDatabase(cx, settings, request, plainSql),
    prepareRestore: (cx, source, request) => prepareRestore(cx, sqlRestore, settings, source, request),
    restore: (cx, source, request) => restoreDatabase(cx, sqlRestore, settings, source, request),
  }),
}

function plainArguments({ options }: ConnectorSettings): readonly string[] {
  return [
    '--format=plain',
    ...(options.drop === false ? [] : ['--clean']),
    ...(options.drop === false || options.ifExists === false ? [] : ['--if-exists']),
    ...(options.noOwner === true ? ['--no-owner'] : []),
    ...(options.noPrivileges === true ? ['--no-privileges'] : []),
  ]
}

const plainSql: PgDumpFormat = { plain: true, arguments: plainArguments }

const sqlRestore: RestoreFormat = {
  open: openSql,
  drops: (_settings, { drops }, { clean }) => drops || clean === 'database',
  refuse({ schemas, tables = [], schemaOnly, dataOnly }) {
    const asked = [
      ...(schemas.length > 0 ? ['schemas'] : []),
      ...(tables.length > 0 ? ['tables'] : []),
      ...(schemaOnly === true ? ['schemaOnly'] : []),
      ...(dataOnly === true ? ['dataOnly'] : []),
    ]
    if (asked.length === 0) return
    throw new HoldfastError(
      'usage.not-supported',
      `a plain SQL dump is restored as a whole: ${asked.join(', ')} cannot be picked`,
      { hint: 'use the connector pg-dump-custom for backups of which parts are to be restored' },
    )
  },
  clients: async (cx, settings, _contents, target) => [await psqlClient(cx, settings, target)],
  async feed(
    cx,
    { tools },
    _request,
    { clients: [client], connection, passwordFile, head, rest, target, ...run },
  ) {
    const call = databaseCall(cx.env, connection, passwordFile, {
      client,
      tools,
      phase: 'restore',
      args: psqlArguments,
    })
    const { oneTransaction, inherited = [] } = run
    const through = psqlInput(cx, { client: client.version, target, oneTransaction, inherited }, head)
    const { stdin, finished } = feedTool(cx, call)
    await connect([rest, ...through, stdin], cx.signal)
    return (await finished).messages
  },
}

async function openSql(cx: Context, source: RestoreSource) {
  let bytes = 0
  const opened = await openDump(cx, source, (chunk) => (bytes += chunk.length) >= headBytes)
  if (!sqlFormat.recognises(opened.head)) {
    opened.rest.destroy()
    const code = opened.head.length < 512 ? 'integrity.truncated' : 'integrity.format'
    throw new HoldfastError(code, 'this is not a plain dump of pg_dump')
  }
  return { ...opened, contents: sqlContents(opened.head) }
}
