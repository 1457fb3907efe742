import type {
  ConnectorSettings,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../../engine/connector.js'
import type { ServerFacts } from '../../engine/engine.js'
import { isPart, refuseContradictions } from '../../engine/restored-part.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import { dumpHeadOf, isToolDump } from './dump-head.js'
import { namesInBoth, readDumpedNames, type DumpedNames } from './dumped-names.js'
import { mysqlSql } from './format-sql.js'
import { readGrants } from './grants.js'
import { olderSeries, type ServerIdentity } from './identity.js'
import { objectCount, readInventory, type Inventory } from './inventory.js'
import { listNames } from './quoting.js'
import { RestoreGuard } from './restore-guard.js'
import { choosePart, type ChosenPart } from './restore-part.js'
import { ServerSession } from './session.js'
import { checkLogin } from './tool-calls.js'
import { findTool, type Tool } from './tools.js'
import { assertTakesRows } from './rows-alone.js'
import { counted } from '../../env/counted.js'

/** A target that a restore may begin with. */
export interface CheckedTarget {
  readonly target: RestoreTarget
  readonly server: ServerIdentity
  readonly client: Tool
  /** Absent where the database does not exist. */
  readonly inventory?: Inventory
  /** Absent where all of the dump is restored. */
  readonly part?: ChosenPart
}

/**
 * Everything that can be known before the first change.
 * @param source the parts that define what there will be
 * @param whole all parts
 * @throws usage.*, database.*, tool.*, refused.not-empty, integrity.empty, integrity.format
 */
export async function checkTarget(
  cx: Context,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
  whole = source,
): Promise<CheckedTarget> {
  const { connection } = settings
  refuseContradictions(request, 'rows need tables that are there')
  if (request.schemas.length > 0) {
    throw new HoldfastError('usage.not-supported', 'databases of MySQL and MariaDB hold no schemas')
  }
  const session = await ServerSession.open(cx, connection, { withoutDatabase: true })
  try {
    const server = session.identity
    const existing = await lookInto(session, request)
    const client = await findTool(cx, 'client', server, settings.tools)
    await checkLogin(cx, settings, client)
    const head = await readHead(source)
    await assertMay(session, head)
    const part = isPart(request) ? await choosePart(whole, request, head) : undefined
    if (existing !== undefined) await assertFree(session, existing.inventory, source, request, part)
    if (existing !== undefined && request.dataOnly === true && part !== undefined)
      await assertTakesRows(session, existing.inventory, part, request)
    const others = existing === undefined ? 0 : await otherSessions(session)
    if (others > 0 && request.clean === 'database' && !request.disconnect) {
      throw new HoldfastError('database.busy', `${placeOf(connection)}: ${sessions(others)} the database`)
    }
    const guard = new RestoreGuard(guardSettings(connection.name, server, request, existing?.inventory))
    guard.push(head)
    return {
      server,
      client,
      ...(existing === undefined ? {} : { inventory: existing.inventory }),
      ...(part === undefined ? {} : { part }),
      target: {
        place: placeOf(connection),
        exists: existing !== undefined,
        ...(existing === undefined ? {} : { server: existing.facts }),
        tools: [client.facts],
        losses: existing === undefined ? [] : lossesOf(connection.name, existing.inventory, request, part),
        warnings: [
          ...client.warnings,
          ...differences(head, server),
          ...missingBeside(part),
          ...(others > 0 && request.clean !== 'database'
            ? [`${sessions(others)} the database while it is restored`]
            : []),
        ],
      },
    }
  } finally {
    await session.close()
  }
}

export function guardSettings(
  target: string,
  server: ServerIdentity,
  { clean, tables = [], dataOnly }: RestoreRequest,
  inventory: Inventory | undefined,
) {
  return {
    target,
    server,
    // The defaults of the dumped database are not those of one table's.
    setsDefaults: clean !== 'none' && tables.length === 0 && dataOnly !== true,
    ownsDatabase: clean === 'database' || inventory === undefined,
  }
}

/** @throws database.not-found; refused.not-empty where a new database was asked for */
async function lookInto(
  session: ServerSession,
  { create }: RestoreRequest,
): Promise<{ readonly inventory: Inventory; readonly facts: ServerFacts } | undefined> {
  if (!(await session.exists())) {
    if (create) return undefined
    throw new HoldfastError('database.not-found', `${placeOf(session.settings)}: there is no such database`)
  }
  await session.enter()
  const inventory = await readInventory(session)
  if (create && objectCount(inventory) > 0) {
    throw new HoldfastError(
      'refused.not-empty',
      `${placeOf(session.settings)} is there already and is not empty`,
      {
        hint: 'leave --create out to restore into it, or choose another name',
      },
    )
  }
  return { inventory, facts: await session.facts() }
}

/** The beginning of the dump, at least 4 KiB where there is as much. @throws integrity.empty, integrity.format */
async function readHead(source: RestoreSource): Promise<Buffer> {
  const [part] = source.parts
  if (part === undefined) throw new HoldfastError('integrity.format', 'the backup has no part')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of await source.open(part)) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes >= 4_096) break
  }
  const head = Buffer.concat(chunks)
  if (head.length === 0) throw new HoldfastError('integrity.empty', 'the dump is empty')
  if (!mysqlSql.recognises(head))
    throw new HoldfastError('integrity.format', 'this is no SQL of MySQL or MariaDB')
  return head
}

/** What the tools' dumps do to a database. */
const neededPrivileges = ['CREATE', 'DROP', 'ALTER', 'INSERT', 'SELECT', 'LOCK TABLES']

/** @throws database.denied */
async function assertMay(session: ServerSession, head: Buffer): Promise<void> {
  if (!isToolDump(head.toString('utf8', 0, 4_096))) return
  const grants = await readGrants(session)
  const missing = neededPrivileges.filter((privilege) => !grants.onDatabase(privilege))
  if (missing.length === 0) return
  throw new HoldfastError(
    'database.denied',
    `${placeOf(session.settings)}: the account lacks ${missing.join(', ')}, without which a dump cannot be restored`,
  )
}

/** @throws refused.not-empty */
async function assertFree(
  session: ServerSession,
  inventory: Inventory,
  source: RestoreSource,
  { clean, dataOnly }: RestoreRequest,
  part: ChosenPart | undefined,
): Promise<void> {
  if (clean !== 'none' || dataOnly === true || objectCount(inventory) === 0) return
  const dumped = await readDumpedNames(source)
  const both = namesInBoth(part === undefined ? dumped : ofPart(dumped, part), inventory)
  if (both.length === 0) return
  throw new HoldfastError(
    'refused.not-empty',
    `${placeOf(session.settings)} holds what the backup holds: ${listNames(both)}`,
  )
}

/** A part by tables has no routines and events. */
function ofPart(dumped: DumpedNames, { made, keeps }: ChosenPart): DumpedNames {
  return {
    relations: new Set(made),
    routines: keeps({ kind: 'routines' }) ? dumped.routines : new Set(),
    events: keeps({ kind: 'events' }) ? dumped.events : new Set(),
  }
}

async function otherSessions(session: ServerSession): Promise<number> {
  return (await otherSessionIds(session)).length
}

/** Sessions that are in the database; without the privilege PROCESS only those of the same account. */
export async function otherSessionIds(session: ServerSession): Promise<readonly number[]> {
  const rows = await session.query<{ id: string }>(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()`,
    [session.settings.name],
  )
  return rows.map(({ id }) => Number(id))
}

function sessions(count: number): string {
  return count === 1 ? 'another session uses' : `${count} other sessions use`
}

function lossesOf(
  name: string,
  inventory: Inventory,
  { clean, tables = [], dataOnly }: RestoreRequest,
  part: ChosenPart | undefined,
): readonly string[] {
  const objects = objectCount(inventory)
  if (objects === 0 || clean === 'none') return []
  if (part !== undefined && dataOnly === true)
    return part.filled.length === 0
      ? []
      : [`the rows of ${counted(part.filled.length, 'table')} are replaced: ${listNames(part.filled)}`]
  if (part !== undefined && tables.length > 0) {
    const relations = {
      relations: new Set(part.made),
      routines: new Set<string>(),
      events: new Set<string>(),
    }
    const both = namesInBoth(relations, inventory)
    return both.length === 0 ? [] : [`replaced in ${name}, with all that is in them: ${listNames(both)}`]
  }
  const held = `${counted(inventory.tables.length, 'table')}, ${counted(objects - inventory.tables.length, 'other object')}`
  return clean === 'database'
    ? [`the database ${name} is dropped and made anew (${held})`]
    : [`what the backup holds is replaced in ${name} (${held})`]
}

function missingBeside(part: ChosenPart | undefined): readonly string[] {
  const { needs = [] } = part ?? {}
  return needs.length === 0
    ? []
    : [`what is restored needs what is not restored with it, and the target has to have: ${listNames(needs)}`]
}

function differences(head: Buffer, server: ServerIdentity): readonly string[] {
  const dump = dumpHeadOf(head.toString('utf8', 0, 4_096))
  if (dump === undefined) return []
  if (dump.family !== server.product) {
    return [
      `the dump was made by ${dump.family}'s tool, the target is ${server.product} ${server.version}: collations, SQL modes and routines may not fit`,
    ]
  }
  return dump.serverVersion !== undefined && olderSeries(server.numbers, dump.serverVersion)
    ? [
        `the dump is from ${dump.family} ${dump.serverVersion.join('.')}, the target is older: ${server.version}`,
      ]
    : []
}
