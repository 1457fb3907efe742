import type {
  ConnectorSettings,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { listCollections, unfinishedMark } from './collections.js'
import { placeOf } from './connection.js'
import { buildIndexes } from './indexes.js'
import { checkTarget, type CheckedTarget } from './restore-check.js'
import type { ArchivedDatabase } from './restore-source.js'
import { MongoSession } from './session.js'
import type { Tool } from './tools.js'

/** How far a restore has come: what an error means for the target depends on it. */
export interface RestoreProgress {
  /** A database was made that was not there before: dropping it leaves all as it was. */
  created: boolean
  /** Something that was there is gone, or something of the dump has come in. */
  changed: boolean
}

/** One way to get an archive into a database; it says when it changes something. */
export type Loader = (
  session: MongoSession,
  checked: CheckedTarget,
  progress: RestoreProgress,
) => Promise<readonly string[]>

/** For putting things right after an interruption, when the signal of the call has aborted already. */
const tidyingMs = 30_000

/**
 * The life of a restore, whoever loads the archive.
 * @throws what {@link checkTarget} throws, and tool.failed, integrity.*: the target is as it was
 * @throws restore.incomplete: it is not, and bears the mark of it
 */
export async function runRestore(
  cx: Context,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
  tool: Tool | undefined,
  load: Loader,
): Promise<RestoreFacts> {
  const session = await MongoSession.open(cx, settings.connection)
  try {
    const checked = await checkTarget(cx, session, settings, source, request, tool)
    const progress: RestoreProgress = { created: false, changed: false }
    try {
      await makeReady(cx, session, checked, request, progress)
      const messages = await load(session, checked, progress)
      if (request.dataOnly !== true) {
        await buildIndexes(session, checked.archived)
        await assertRestored(session, checked.archived)
      }
      await session.ask((database) => database.dropCollection(unfinishedMark))
      return { warnings: [...checked.target.warnings, ...messages] }
    } catch (error) {
      throw await outcome(cx, settings, asHoldfastError(error, 'database.query-failed'), progress)
    }
  } finally {
    await session.close()
  }
}

/** The database as the dump needs it, with the mark in it. */
async function makeReady(
  { env }: Context,
  session: MongoSession,
  { list }: CheckedTarget,
  { clean }: RestoreRequest,
  progress: RestoreProgress,
): Promise<void> {
  if (clean === 'database' && list !== undefined) {
    progress.changed = true
    await session.ask((database) => database.dropDatabase())
  }
  await session.ask(async (database) => {
    const mark = database.collection(unfinishedMark)
    // An interrupted restore may have left one.
    await mark.updateOne({}, { $set: { began: env.clock.now().toISOString() } }, { upsert: true })
  })
  progress.created = list === undefined
}

/**
 * The tools drop options that the server does not know, and a server may take a definition and not keep it.
 * @throws restore.incomplete
 */
async function assertRestored(session: MongoSession, { collections }: ArchivedDatabase): Promise<void> {
  const found = new Map((await listCollections(session)).collections.map((each) => [each.name, each]))
  const missing = collections.flatMap(({ name, metadata }) => {
    const there = found.get(name)
    if (there === undefined) return [name]
    const indexes = new Set(there.indexes.map((index) => index.name))
    return indexNames(metadata)
      .filter((index) => !indexes.has(index))
      .map((index) => `${name}, index ${index}`)
  })
  if (missing.length === 0) return
  throw new HoldfastError(
    'database.query-failed',
    `the server did not keep what was restored: ${missing.slice(0, 5).join('; ')}`,
  )
}

function indexNames(metadata: string): readonly string[] {
  if (metadata === '') return []
  const { indexes = [] } = JSON.parse(metadata) as { indexes?: readonly { readonly name?: string }[] | null }
  return (indexes ?? []).map(({ name }) => name).filter((name) => name !== undefined)
}

/** Puts things right as far as it can be done, and says how they are. */
async function outcome(
  cx: Context,
  { connection }: ConnectorSettings,
  error: HoldfastError,
  progress: RestoreProgress,
): Promise<HoldfastError> {
  if (progress.created || !progress.changed) {
    try {
      await undo({ ...cx, signal: AbortSignal.timeout(tidyingMs) }, connection, progress.created)
      return error
    } catch {
      // What could not be undone is incomplete.
    }
  }
  return new HoldfastError(
    'restore.incomplete',
    `${placeOf(connection)} was restored in part: ${error.message}`,
    { cause: error, details: { ...error.details, code: error.code } },
  )
}

async function undo(
  cx: Context,
  connection: ConnectorSettings['connection'],
  created: boolean,
): Promise<void> {
  const session = await MongoSession.open(cx, connection)
  try {
    await session.ask(async (database) => {
      if (created) await database.dropDatabase()
      else await database.dropCollection(unfinishedMark)
    })
  } finally {
    await session.close()
  }
}
