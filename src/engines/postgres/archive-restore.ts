import type { Duplex } from 'node:stream'
import type { ConnectorSettings, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { feedTool, filterTool } from '../../process/run.js'
import { connect } from '../../streams/connect.js'
import { editedArchive, type EditEntry } from './archive-edit.js'
import { onlyEntries } from './archive-selection.js'
import { aroundRows, nothingAround } from './data-load.js'
import { checkExtensions, withExtensions } from './extensions.js'
import { checkPart, refuseContradictions } from './partial-restore.js'
import { customFormat } from './format-custom.js'
import { CheckedDump, openDump } from './opened-dump.js'
import { withoutDrops } from './partition-drops.js'
import { needsPsql, psqlArguments, psqlInput } from './psql-input.js'
import { ArchiveContents, type DumpContents } from './restore-contents.js'
import type { FeedRun, RestoreFormat } from './restore.js'
import { withSession } from './session.js'
import { configuredCommand, databaseCall, offlineCall } from './tool-call.js'
import { chooseClient, psqlClient, type Client } from './tools.js'
import type { Version } from './version.js'

/** pg_restore of an archive in pg_dump's custom format. */
export const archiveRestore: RestoreFormat = {
  open: openArchive,
  drops: ({ options }, _contents, { clean, dataOnly }) =>
    clean === 'database' || (clean === 'objects' && options.drop !== false && dataOnly !== true),
  refuse: refuseContradictions,
  check: (_cx, work, session, exists) => checkPart(work, session, exists),
  async clients(cx, settings, contents, target, { dataOnly }) {
    const client = await archiveClient(cx, settings, contents, target)
    return dataOnly === true || needsPsql(client.version, target)
      ? [client, await psqlClient(cx, settings, target)]
      : [client]
  },
  feed: (cx, settings, request, run) => feedArchive(cx, settings, request, run, []),
}

/** The same with the extensions made before, by the admin account, and never dropped. */
export const archiveRestoreWithExtensions: RestoreFormat = {
  ...archiveRestore,
  check: async (cx, work, session, exists) => [
    ...(await checkPart(work, session, exists)),
    ...(await checkExtensions(cx, work, session, exists)),
  ],
  feed: (cx, settings, request, run) => {
    const work = { settings, request, contents: run.contents }
    return withExtensions(cx, work, run.connection, (edit) => feedArchive(cx, settings, request, run, [edit]))
  },
}

/** Lets pg_restore restore an archive, or what the edits leave of it. */
export function feedArchive(
  cx: Context,
  settings: ConnectorSettings,
  request: RestoreRequest,
  run: FeedRun,
  edits: readonly EditEntry[],
): Promise<readonly string[]> {
  const { clients, head, inherited = [] } = run
  const { tables = [] } = request
  const [client, psql] = clients
  const args = ['--format=custom', ...archiveArguments(settings, request, run)]
  const all = [
    ...(inherited.length === 0 ? [] : [withoutDrops(inherited)]),
    ...(tables.length === 0 ? [] : [onlyEntries(head, tables)]),
    ...edits,
  ]
  const archive = new CheckedDump(customFormat.checker(), head, editedArchive(head, all))
  return psql === undefined
    ? feedDirectly(cx, settings, run, client, args, archive)
    : feedThroughPsql(cx, settings, request, run, { client, psql, args, archive })
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
  request: RestoreRequest,
  { inherited }: FeedRun,
): readonly string[] {
  const { clean, schemas, schemaOnly, dataOnly } = request
  const dropping =
    inherited !== undefined && clean === 'objects' && options.drop !== false && dataOnly !== true
  return [
    ...(dropping ? ['--clean'] : []),
    ...(dropping && options.ifExists !== false ? ['--if-exists'] : []),
    ...(options.noOwner === true ? ['--no-owner'] : []),
    ...(options.noPrivileges === true ? ['--no-privileges'] : []),
    ...(schemaOnly === true ? ['--schema-only'] : []),
    ...(dataOnly === true ? ['--data-only'] : []),
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

interface ThroughPsql {
  readonly client: Client
  readonly psql: Client
  readonly args: readonly string[]
  readonly archive: Duplex
}

/** A newer pg_restore than the server makes the SQL, and psql restores it without what the server does not understand; also for what stands around rows alone. */
async function feedThroughPsql(
  cx: Context,
  { tools }: ConnectorSettings,
  request: RestoreRequest,
  { rest, head, contents, connection, passwordFile, oneTransaction, target, inherited = [] }: FeedRun,
  { client, psql, args, archive }: ThroughPsql,
): Promise<readonly string[]> {
  const around =
    request.dataOnly === true
      ? await withSession(cx, connection, (session) =>
          session.snapshot(() => aroundRows(session, contents, head, request)),
        )
      : nothingAround
  const phase = 'restore' as const
  const script = filterTool(cx, offlineCall(cx.env, { client, tools, phase, args: [...args, '--file=-'] }))
  // The suffix is of pg_restore's arguments.
  const psqlCall = { client: psql, tools: { ...tools, restoreSuffix: [] }, phase, args: psqlArguments }
  const { stdin, finished } = feedTool(cx, databaseCall(cx.env, connection, passwordFile, psqlCall))
  const through = psqlInput(cx, { client: psql.version, target, oneTransaction, inherited, around })
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

export async function openArchive(cx: Context, source: RestoreSource, { schemas, tables }: RestoreRequest) {
  const reading = new ArchiveContents(schemas, tables)
  const opened = await openDump(cx, source, (chunk) => reading.push(chunk))
  const contents = await Promise.resolve()
    .then(() => reading.result())
    .catch((error: unknown) => {
      opened.rest.destroy()
      throw error
    })
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
