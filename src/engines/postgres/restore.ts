import type {
  ConnectorSettings,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { placeOf, type Connection } from './connection.js'
import { createDatabase, databaseProperties, dropDatabase, dropSubscriptions } from './database-options.js'
import { swapDatabases, temporaryName } from './database-swap.js'
import { explainedFailure } from './failures.js'
import type { OpenedDump } from './opened-dump.js'
import type { InheritedConstraint } from './partition-drops.js'
import { writePasswordFile, type PasswordFile } from './passfile.js'
import type { DumpContents } from './restore-contents.js'
import { examineTarget, wayOf, type Shown, type Target } from './restore-target.js'
import { identifier } from './quoting.js'
import { withSession, type PostgresSession } from './session.js'
import type { Client } from './tools.js'
import type { Version } from './version.js'

/** What the two formats do differently. */
export interface RestoreFormat {
  /** Reads the head of a dump. @throws integrity.* */
  open(
    cx: Context,
    source: RestoreSource,
    request: RestoreRequest,
  ): Promise<OpenedDump & { readonly contents: DumpContents }>
  /** Whether objects of the dump are dropped at the target where it has them. */
  drops(settings: ConnectorSettings, contents: DumpContents, request: RestoreRequest): boolean
  /** @throws usage.not-supported, usage.invalid */
  refuse(request: RestoreRequest, settings: ConnectorSettings): void
  /** The programs it will run. @throws tool.missing, tool.too-old */
  clients(
    cx: Context,
    settings: ConnectorSettings,
    contents: DumpContents,
    target: Version,
    request: RestoreRequest,
  ): Promise<readonly [Client, ...Client[]]>
  /** What else it needs of a target; gives what else is lost. @throws database.* */
  check?(
    cx: Context,
    work: RestoreWork,
    session: PostgresSession,
    exists: boolean,
  ): Promise<readonly string[]>
  /** Writes the dump into a database. Gives what the programs said. @throws tool.failed, integrity.* */
  feed(
    cx: Context,
    settings: ConnectorSettings,
    request: RestoreRequest,
    run: FeedRun,
  ): Promise<readonly string[]>
}

/** What is to be restored, and how. */
export interface RestoreWork {
  readonly settings: ConnectorSettings
  readonly contents: DumpContents
  readonly request: RestoreRequest
}

export interface FeedRun extends OpenedDump {
  readonly source: RestoreSource
  readonly contents: DumpContents
  readonly clients: readonly [Client, ...Client[]]
  readonly connection: Connection
  readonly passwordFile: PasswordFile
  readonly target: Version
  /** All or nothing; where the database itself is thrown away on failure, nothing needs it. */
  readonly oneTransaction: boolean
  /** Constraints of the target that the dump must not drop; `undefined` where there is nothing to drop. */
  readonly inherited: readonly InheritedConstraint[] | undefined
}

/** Everything that can be checked without changing the target. */
export async function prepareRestore(
  cx: Context,
  format: RestoreFormat,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreTarget> {
  format.refuse(request, settings)
  const { contents, rest } = await format.open(cx, source, request)
  rest.destroy()
  const shown = shownOf(cx, format, { settings, contents, request }, true)
  const target = await examineTarget(cx, settings, contents, request, shown)
  const clients = await format.clients(cx, settings, contents, target.version, request)
  return {
    place: placeOf(target.connection),
    exists: target.exists,
    ...(target.server === undefined ? {} : { server: target.server }),
    tools: clients.map(({ facts }) => facts),
    ...(target.clean === undefined ? {} : { clean: target.clean }),
    losses: target.losses,
    warnings: [...target.warnings, ...(request.dataOnly === true ? [] : besideWarnings(contents))],
  }
}

/** The target may have them, and as they have to be; only the restore itself can tell. */
function besideWarnings({ neededBeside = [] }: DumpContents): readonly string[] {
  if (neededBeside.length === 0) return []
  const most = 10
  const more = neededBeside.length > most ? ` and ${neededBeside.length - most} more` : ''
  const named = neededBeside.slice(0, most).join(', ')
  return [`what is restored needs what is not restored with it, and the target has to have: ${named}${more}`]
}

function shownOf(cx: Context, format: RestoreFormat, work: RestoreWork, facts: boolean): Shown {
  return {
    drops: format.drops(work.settings, work.contents, work.request),
    facts,
    check: async (session, exists) => (await format.check?.(cx, work, session, exists)) ?? [],
  }
}

/** @throws tool.failed (the target is as it was), restore.incomplete (it is not), integrity.*, database.* */
export async function restoreDatabase(
  cx: Context,
  format: RestoreFormat,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreFacts> {
  format.refuse(request, settings)
  const { contents, head, rest } = await format.open(cx, source, request)
  try {
    const shown = shownOf(cx, format, { settings, contents, request }, false)
    const target = await examineTarget(cx, settings, contents, request, shown)
    const clients = await format.clients(cx, settings, contents, target.version, request)
    const way = wayOf(target, request)
    const inPlaceOnly = {
      oneTransaction: way === 'in place' && settings.options.singleTransaction !== false,
      inherited: way === 'in place' ? target.inherited : undefined,
    }
    const feed = (connection: Connection) =>
      withSchemas(cx, settings, contents, request, connection, async () => {
        const passwordFile = await writePasswordFile(cx, connection.password)
        const run = {
          source,
          clients,
          contents,
          connection,
          passwordFile,
          head,
          rest,
          target: target.version,
          ...inPlaceOnly,
        }
        return format
          .feed(cx, settings, request, run)
          .catch((error: unknown) => Promise.reject(explainedFailure(error)))
          .finally(() => passwordFile.remove())
      })
    if (way === 'in place') return { warnings: await inPlace(settings, target, feed) }
    return { warnings: await intoNewDatabase(cx, contents, request, target, feed) }
  } finally {
    rest.destroy()
  }
}

type Feed = (connection: Connection) => Promise<readonly string[]>

/**
 * pg_restore restores what is in a chosen schema, or a chosen table, and not the schema itself: those that are not there are made before, and
 * dropped again, being empty, when the restore fails.
 */
async function withSchemas(
  cx: Context,
  { options }: ConnectorSettings,
  { schemas, relations = [] }: DumpContents,
  request: RestoreRequest,
  connection: Connection,
  feed: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const tables = request.tables ?? []
  const wanted = tables.length === 0 ? request.schemas : [...new Set(relations.map(({ schema }) => schema))]
  if (wanted.length === 0) return feed()
  const made = await withSession(cx, connection, async (session) => {
    const absent = await session.rows<{ readonly name: string }>(
      `SELECT wanted.name FROM unnest($1::text[]) AS wanted(name)
       WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = wanted.name)`,
      [wanted],
    )
    for (const { name } of absent) {
      const owner = options.noOwner === true ? undefined : schemas?.get(name)
      const authorization = owner === undefined ? '' : ` AUTHORIZATION ${identifier(owner)}`
      await session.rows(`CREATE SCHEMA ${identifier(name)}${authorization}`)
    }
    return absent
  })
  try {
    return await feed()
  } catch (error) {
    const cleanUp = { ...cx, signal: new AbortController().signal }
    await withSession(cleanUp, connection, async (session) => {
      for (const { name } of made) await session.rows(`DROP SCHEMA ${identifier(name)}`)
    }).catch(() => undefined)
    throw error
  }
}

async function inPlace(
  { options }: ConnectorSettings,
  { connection }: Target,
  feed: Feed,
): Promise<readonly string[]> {
  try {
    return await feed(connection)
  } catch (thrown) {
    if (options.singleTransaction !== false) throw thrown
    const { message, details } = asHoldfastError(thrown)
    throw new HoldfastError(
      'restore.incomplete',
      `${placeOf(connection)} was left half restored (singleTransaction is off): ${message}`,
      { cause: thrown, details },
    )
  }
}

/**
 * Restores into a database made for it, which takes the old one's place, if any, only when it is whole. Making, swapping and
 * dropping databases is short and not interrupted, so that it is always known what there is.
 */
async function intoNewDatabase(
  cx: Context,
  contents: DumpContents,
  request: RestoreRequest,
  { connection, maintenance, exists, version }: Target,
  feed: Feed,
): Promise<readonly string[]> {
  if (maintenance === undefined) throw new TypeError('a target that is made anew has a place to make it from')
  const { major } = version
  const name = exists ? temporaryName(cx.env, connection.database) : connection.database
  const uninterrupted = { ...cx, signal: new AbortController().signal }
  const atServer = <Result>(work: (session: PostgresSession) => Promise<Result>) =>
    withSession(uninterrupted, maintenance, work)
  const old = exists
    ? await atServer((session) =>
        session.snapshot(() => databaseProperties(session, connection.database, major)),
      )
    : undefined
  const { owner, options } = old ?? { owner: connection.user, options: contents.databaseOptions }
  const made = await atServer((session) => createDatabase(session, name, owner, { major, options }))
  try {
    await atServer(async (session) => {
      for (const statement of old?.dress(name) ?? []) await session.rows(statement)
    })
    const said = await feed({ ...connection, database: name })
    const swap = { env: cx.env, from: name, to: connection.database, version, request }
    const swapped = exists ? await atServer((session) => swapDatabases(session, swap)) : []
    return [...made, ...said, ...swapped]
  } catch (error) {
    await withSession(uninterrupted, { ...maintenance, database: name }, dropSubscriptions).catch(
      () => undefined,
    )
    await atServer((session) => dropDatabase(session, name, major)).catch((failed: unknown) => {
      const message = `the half restored database ${name} could not be dropped: ${asHoldfastError(failed).message}`
      cx.emit({ type: 'notice', level: 'warning', message })
    })
    throw error
  }
}
