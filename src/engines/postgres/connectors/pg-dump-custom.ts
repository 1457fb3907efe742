import type { Duplex } from 'node:stream'
import type {
  ConnectorCapabilities,
  ConnectorFactory,
  ConnectorSettings,
  RestoreRequest,
  RestoreSource,
} from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { feedTool, filterTool } from '../../../process/run.js'
import { connect } from '../../../streams/connect.js'
import { dumpDatabase, inspectDatabase } from '../dump.js'
import { customFormat } from '../format-custom.js'
import { CheckedDump, openDump } from '../opened-dump.js'
import { archiveWithoutDrops } from '../partition-drops.js'
import { needsPsql, psqlArguments, psqlInput } from '../psql-input.js'
import { ArchiveContents, type DumpContents } from '../restore-contents.js'
import { prepareRestore, restoreDatabase, type FeedRun, type RestoreFormat } from '../restore.js'
import { configuredCommand, databaseCall, offlineCall } from '../tool-call.js'
import { chooseClient, psqlClient, type Client } from '../tools.js'
import { engineName } from '../url.js'
import type { Version } from '../version.js'

const name = 'pg-dump-custom'
const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: true,
  transactionalRestore: true,
  clean: ['none', 'objects', 'database'],
}

/** pg_dump's custom format, restored by pg_restore. Compression is left to Holdfast's own stages. */
export const pgDumpCustom: ConnectorFactory = {
  name,
  engine: engineName,
  extension: 'dump',
  capabilities,
  format: customFormat,
  create: (settings) => ({
    name,
    engine: engineName,
    capabilities,
    inspect: (cx) => inspectDatabase(cx, settings),
    dump: (cx, request) => dumpDatabase(cx, settings, request, () => ['--format=custom', '--compress=0']),
    prepareRestore: (cx, source, request) => prepareRestore(cx, archiveRestore, settings, source, request),
    restore: (cx, source, request) => restoreDatabase(cx, archiveRestore, settings, source, request),
  }),
}

const archiveRestore: RestoreFormat = {
  open: openArchive,
  drops: ({ options }, _contents, { clean }) =>
    clean === 'database' || (clean === 'objects' && options.drop !== false),
  refuse: () => undefined,
  async clients(cx, settings, contents, target) {
    const client = await archiveClient(cx, settings, contents, target)
    return needsPsql(client.version, target) ? [client, await psqlClient(cx, settings, target)] : [client]
  },
  async feed(cx, settings, request, run) {
    const { clients, head, inherited = [] } = run
    const [client, psql] = clients
    const args = ['--format=custom', ...archiveArguments(settings, request, run)]
    const archive = new CheckedDump(customFormat.checker(), archiveWithoutDrops(head, inherited))
    return psql === undefined
      ? feedDirectly(cx, settings, run, client, args, archive)
      : feedThroughPsql(cx, settings, run, client, psql, args, archive)
  },
}

/** pg_restore must know the archive; beyond that one of the target's own version speaks its language best. */
function archiveClient(
  cx: Context,
  { tools }: ConnectorSettings,
  { readableFrom, dumpVersion }: DumpContents,
  target: Version,
): Promise<Client> {
  const because =
    readableFrom > target.major
      ? `an archive of pg_dump ${dumpVersion}`
      : `a PostgreSQL ${target.text} server`
  const wanted = { atLeast: readableFrom, prefer: target.major, because }
  return chooseClient(cx, 'pg_restore', wanted, {
    tools,
    phase: 'restore',
    command: configuredCommand(tools, 'pg_restore'),
  })
}

function archiveArguments(
  { options }: ConnectorSettings,
  { clean, schemas }: RestoreRequest,
  { inherited }: FeedRun,
): readonly string[] {
  const dropping = inherited !== undefined && clean === 'objects' && options.drop !== false
  return [
    ...(dropping ? ['--clean'] : []),
    ...(dropping && options.ifExists !== false ? ['--if-exists'] : []),
    ...(options.noOwner === true ? ['--no-owner'] : []),
    ...(options.noPrivileges === true ? ['--no-privileges'] : []),
    ...schemas.map((schema) => `--schema=${schema}`),
  ]
}

async function feedDirectly(
  cx: Context,
  { tools }: ConnectorSettings,
  { rest, connection, passwordFile, oneTransaction }: FeedRun,
  client: Client,
  args: readonly string[],
  archive: Duplex,
): Promise<readonly string[]> {
  // Without --exit-on-error pg_restore goes on after an error and counts "errors ignored".
  const strict = ['--exit-on-error', ...(oneTransaction ? ['--single-transaction'] : [])]
  const call = { client, tools, phase: 'restore' as const, args: [...strict, ...args] }
  const { stdin, finished } = feedTool(cx, databaseCall(cx.env, connection, passwordFile, call))
  await connect([rest, archive, stdin], cx.signal)
  return (await finished).messages
}

/** A newer pg_restore than the server makes the SQL, and psql restores it without what the server does not understand. */
async function feedThroughPsql(
  cx: Context,
  { tools }: ConnectorSettings,
  { rest, connection, passwordFile, oneTransaction, target, inherited = [] }: FeedRun,
  client: Client,
  psql: Client,
  args: readonly string[],
  archive: Duplex,
): Promise<readonly string[]> {
  const phase = 'restore' as const
  const script = filterTool(cx, offlineCall(cx.env, { client, tools, phase, args: [...args, '--file=-'] }))
  // The suffix is of pg_restore's arguments.
  const psqlCall = { client: psql, tools: { ...tools, restoreSuffix: [] }, phase, args: psqlArguments }
  const { stdin, finished } = feedTool(cx, databaseCall(cx.env, connection, passwordFile, psqlCall))
  const through = psqlInput(cx, { client: psql.version, target, oneTransaction, inherited })
  await together([
    connect([rest, archive, script.stdin], cx.signal),
    connect([script.stdout, ...through, stdin], cx.signal),
  ])
  return [...(await script.finished).messages, ...(await finished).messages]
}

/** Waits for all; where some fail, the first to do so is the cause of the others. */
async function together(works: readonly Promise<void>[]): Promise<void> {
  const failures: unknown[] = []
  await Promise.all(works.map((work) => work.catch((error: unknown) => void failures.push(error))))
  if (failures.length > 0) throw failures[0]
}

async function openArchive(cx: Context, source: RestoreSource, { schemas }: RestoreRequest) {
  const reading = new ArchiveContents(schemas)
  const opened = await openDump(cx, source, (chunk) => reading.push(chunk))
  const contents = reading.result()
  if (contents === undefined) {
    throw new HoldfastError('integrity.truncated', 'the archive ends inside its table of contents')
  }
  const missing = schemas.filter((schema) => contents.schemas?.has(schema) !== true)
  if (missing.length > 0) {
    opened.rest.destroy()
    throw new HoldfastError('usage.pattern-unmatched', `the dump has no schema ${missing.join(', ')}`)
  }
  return { ...opened, contents }
}
