import type { Readable } from 'node:stream'
import type {
  ConnectorSettings,
  RestoreFacts,
  RestorePart,
  RestoreRequest,
  RestoreSource,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { feedTool } from '../../process/run.js'
import { connect } from '../../streams/connect.js'
import { placeOf } from './database-error.js'
import { unknownDefiners } from './definers.js'
import { mysqlSql } from './format-sql.js'
import type { ServerIdentity } from './identity.js'
import { unfinishedMark } from './inventory.js'
import { listNames, quoteName } from './quoting.js'
import { checkTarget, guardSettings, otherSessionIds, type CheckedTarget } from './restore-check.js'
import { guarding, RestoreGuard } from './restore-guard.js'
import { pickingOut, type ChosenPart } from './restore-part.js'
import { emptyTables } from './rows-alone.js'
import { ServerSession } from './session.js'
import { clientCall, withOptionFile } from './tool-calls.js'

/** How far a restore has come: what an error means for the target depends on it. */
interface Progress {
  /** A database was made that was not there before: dropping it leaves all as it was. */
  created: boolean
  /** Something that was there is gone, or something of the dump has come in. */
  changed: boolean
}

const mark = quoteName(unfinishedMark)
/** For putting things right after an interruption, when the signal of the call has aborted already. */
const tidyingMs = 30_000

/** In which order the parts of a dump are restored. */
export interface RestoreOrder {
  /** Of a dump, the parts that define what there will be; the first of them is restored first. @throws integrity.* */
  defining(source: RestoreSource): RestoreSource
  /** What comes after it. @returns what the client said */
  rest(cx: Context, restore: RestorePartly): Promise<readonly string[]>
}

/** What restores one part after the other, or several at once. */
export interface RestorePartly {
  readonly server: ServerIdentity
  readonly source: RestoreSource
  /** Absent where all is restored. */
  readonly chosen: ChosenPart | undefined
  /**
   * @param variables of the session, beside those that every restore sets: `unique_checks = 0`
   * @returns what the client said
   */
  part(cx: Context, part: RestorePart, variables?: string): Promise<readonly string[]>
}

/**
 * @throws what {@link checkTarget} throws, and tool.failed, integrity.*: the target is as it was
 * @throws restore.incomplete: it is not, and bears the mark of it
 */
export async function runRestore(
  cx: Context,
  settings: ConnectorSettings,
  order: RestoreOrder,
  source: RestoreSource,
  request: RestoreRequest,
): Promise<RestoreFacts> {
  const defining = order.defining(source)
  const checked = await checkTarget(cx, settings, defining, request, source)
  const progress: Progress = { created: false, changed: false }
  const guards: RestoreGuard[] = []
  const stream = await openFirst(defining)
  const feeding = async (partCx: Context, bytes: Readable, variables?: string) => {
    const guard = new RestoreGuard(
      guardSettings(settings.connection.name, checked.server, request, checked.inventory),
    )
    guards.push(guard)
    return feed(partCx, settings, checked, { bytes, guard, progress, variables })
  }
  try {
    await makeReady(cx, settings, checked, request, progress)
    const messages = [
      ...(await feeding(cx, stream)),
      ...(await order.rest(cx, {
        server: checked.server,
        source,
        chosen: checked.part,
        part: async (partCx, part, variables) => feeding(partCx, await source.open(part), variables),
      })),
    ]
    const owners = await finish(cx, settings, new Set(guards.flatMap((guard) => [...guard.definers])))
    return { warnings: [...new Set([...messages, ...guards.flatMap((guard) => guard.warnings)]), ...owners] }
  } catch (error) {
    throw await outcome(cx, settings, asHoldfastError(error, 'tool.failed'), progress)
  } finally {
    stream.destroy()
  }
}

async function openFirst(source: RestoreSource): Promise<Readable> {
  const [part] = source.parts
  if (part === undefined) throw new HoldfastError('integrity.format', 'the backup has no part')
  const stream = await source.open(part)
  // Until it is read, an error of the source has nobody else to hear it; the pipeline gets it all the same.
  stream.on('error', () => undefined)
  return stream
}

/** The database as the dump needs it, with the mark in it. */
async function makeReady(
  cx: Context,
  { connection }: ConnectorSettings,
  { inventory, part }: CheckedTarget,
  { clean, disconnect, dataOnly }: RestoreRequest,
  progress: Progress,
): Promise<void> {
  const session = await ServerSession.open(cx, connection, { withoutDatabase: true })
  const database = quoteName(connection.name)
  try {
    await session.query('SET SESSION lock_wait_timeout = 60')
    if (inventory === undefined) {
      await session.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`)
      progress.created = true
    } else if (clean === 'database') {
      if (disconnect) await endOthers(session)
      await session.query(`DROP DATABASE ${database}`)
      progress.changed = true
      await session.query(
        `CREATE DATABASE ${database} CHARACTER SET ${inventory.charset} COLLATE ${inventory.collation}`,
      )
    }
    await session.enter()
    await session.query(`CREATE TABLE IF NOT EXISTS ${mark} (began DATETIME NOT NULL)`)
    if (dataOnly === true && clean === 'objects' && part !== undefined) {
      progress.changed = true
      await emptyTables(session, inventory, part)
    }
  } finally {
    await session.close()
  }
}

/** Ends the other sessions of the database. */
export async function endOthers(session: ServerSession): Promise<void> {
  for (const id of await otherSessionIds(session)) {
    await session.query(`KILL ${id}`).catch((error: unknown) => {
      // 1094: it has ended by itself meanwhile.
      if ((asHoldfastError(error).cause as { errno?: number } | undefined)?.errno !== 1094) throw error
    })
  }
}

interface Fed {
  readonly bytes: Readable
  readonly guard: RestoreGuard
  readonly progress: Progress
  readonly variables: string | undefined
}

async function feed(
  cx: Context,
  settings: ConnectorSettings,
  { client, part }: CheckedTarget,
  { bytes, guard, progress, variables }: Fed,
): Promise<readonly string[]> {
  return withOptionFile(cx, settings, client, async (optionFile) => {
    const checker = mysqlSql.checker()
    const watch = guarding(
      guard,
      (chunk) => (chunk === undefined ? checker.end() : checker.push(chunk)),
      () => {
        progress.changed = true
      },
    )
    const call = clientCall(settings, client, optionFile, settings.connection.name, variables)
    const input = feedTool(cx, call)
    const picked = part === undefined ? [] : [pickingOut(part)]
    await connect([bytes, ...picked, watch, input.stdin], cx.signal)
    return (await input.finished).messages
  })
}

/** Takes the mark away, and tells whose objects have no owner here. */
async function finish(
  cx: Context,
  { connection }: ConnectorSettings,
  definers: ReadonlySet<string>,
): Promise<readonly string[]> {
  const session = await ServerSession.open(cx, connection)
  try {
    await session.query(`DROP TABLE IF EXISTS ${mark}`)
    const unknown = await unknownDefiners(session, definers)
    return unknown.length === 0
      ? []
      : [
          `views, triggers, routines or events belong to accounts that this server does not have: ${listNames(unknown)}`,
        ]
  } finally {
    await session.close()
  }
}

/** Puts things right as far as it can be done, and says how they are. */
async function outcome(
  cx: Context,
  { connection }: ConnectorSettings,
  error: HoldfastError,
  progress: Progress,
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
    {
      cause: error,
      details: { ...error.details, code: error.code },
      ...hintFor(error.message),
    },
  )
}

async function undo(
  cx: Context,
  connection: ConnectorSettings['connection'],
  created: boolean,
): Promise<void> {
  const session = await ServerSession.open(cx, connection, { withoutDatabase: true })
  try {
    const database = quoteName(connection.name)
    await session.query(
      created ? `DROP DATABASE IF EXISTS ${database}` : `DROP TABLE IF EXISTS ${database}.${mark}`,
    )
  } finally {
    await session.close()
  }
}

function hintFor(message: string): { readonly hint?: string } {
  if (/max_allowed_packet|gone away|Lost connection/iu.test(message)) {
    return { hint: 'raise max_allowed_packet at the server (up to 1 GiB), then run the restore again' }
  }
  if (/\b(?:1227|1419)\b/u.test(message)) {
    return {
      hint: 'the dump holds objects of other accounts: restore with one that may set definers (SET USER, SET_ANY_DEFINER or SUPER)',
    }
  }
  return {}
}
