import type { CleanMode, ConnectorSettings, RestoreRequest } from '../../engine/connector.js'
import type { ServerFacts } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { countObjects, listed, readOverview, readRelations, type Relation } from './catalog.js'
import { adminAccount, placeOf, resolveConnection, type Connection } from './connection.js'
import { otherSessions, subscriptions } from './database-options.js'
import { inheritedConstraints, type InheritedConstraint } from './partition-drops.js'
import { collisionWarnings, refuseDependents, stayingWarnings } from './restore-conflicts.js'
import type { DumpContents } from './restore-contents.js'
import { connectSession, withSession, type PostgresSession } from './session.js'
import { parseVersion, type Version } from './version.js'
import { counted } from '../../env/counted.js'

/** The database a restore goes to, looked at before anything is changed. */
export interface Target {
  readonly connection: Connection
  /** Where databases are made and dropped, if one will be: another of the same server, as the admin where there is one. */
  readonly maintenance?: Connection
  readonly exists: boolean
  readonly version: Version
  readonly server?: ServerFacts
  readonly objectCount: number
  /** Constraints whose drop statements PostgreSQL would refuse. */
  readonly inherited: readonly InheritedConstraint[]
  /** See {@link RestoreTarget.clean}. */
  readonly clean?: CleanMode
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
}

/** How a connector restores. */
export type RestoreWay = 'in place' | 'into a new database' | 'beside, then swap'

export function wayOf({ exists }: { readonly exists: boolean }, { clean }: RestoreRequest): RestoreWay {
  if (!exists) return 'into a new database'
  return clean === 'database' ? 'beside, then swap' : 'in place'
}

/**
 * Everything about a target that can be checked without changing it.
 * @throws database.*, refused.not-empty
 */
export async function examineTarget(
  cx: Context,
  settings: ConnectorSettings,
  contents: DumpContents,
  request: RestoreRequest,
  shown: Shown,
): Promise<Target> {
  const connection = await resolveConnection(cx.env, settings.connection)
  const session = await openTarget(cx, connection, request)
  if (session === undefined) return examineServer(cx, settings, connection, contents, shown)
  try {
    const found = await session.snapshot(async () => {
      const facts = await examineDatabase(session, settings, contents, request, shown)
      return { ...facts, losses: [...facts.losses, ...((await shown.check?.(session, true)) ?? [])] }
    })
    const target = shown.facts ? { ...found, server: await session.facts() } : found
    if (request.clean !== 'database') return target
    const maintenance = await maintenanceConnection(cx, connection, settings)
    await withSession(cx, maintenance, checkMayCreate)
    return { ...target, maintenance }
  } finally {
    await session.close()
  }
}

export interface Shown {
  /** Objects of the dump are dropped at the target. */
  readonly drops: boolean
  /** Also what takes longer and is only shown. */
  readonly facts: boolean
  /**
   * What else the format needs of the target, or, where that does not exist, of its server; gives what else is lost.
   * @throws database.*
   */
  readonly check?: (session: PostgresSession, exists: boolean) => Promise<readonly string[]>
}

/** The database is yet to be made. */
async function examineServer(
  cx: Context,
  settings: ConnectorSettings,
  connection: Connection,
  contents: DumpContents,
  { check }: Shown,
): Promise<Target> {
  const maintenance = await maintenanceConnection(cx, connection, settings)
  return withSession(cx, maintenance, (session) =>
    session.snapshot(async () => {
      const { version } = await readOverview(session)
      await checkRequirements(session, contents, settings)
      await checkMayCreate(session)
      await check?.(session, false)
      const none = { exists: false, objectCount: 0, inherited: [], losses: [] }
      return { connection, maintenance, version, ...none, warnings: ageWarnings(contents, version) }
    }),
  )
}

async function examineDatabase(
  session: PostgresSession,
  settings: ConnectorSettings,
  contents: DumpContents,
  request: RestoreRequest,
  { drops }: Shown,
): Promise<Target> {
  const { connection } = session
  const place = placeOf(connection)
  const { version } = await readOverview(session)
  const relations = await readRelations(session)
  const objectCount = await countObjects(session, relations)
  if (request.create && objectCount > 0 && request.clean !== 'database') {
    throw new HoldfastError(
      'refused.not-empty',
      `${place} exists and holds ${counted(objectCount, 'object')}`,
      {
        hint: 'leave --create out to restore into it, or choose another name',
      },
    )
  }
  await checkRequirements(session, contents, settings)
  const met = intersect(contents, relations)
  if (request.clean === 'none' && request.dataOnly !== true) refuseToMix(place, contents, met, relations)
  const part = (request.tables ?? []).length + request.schemas.length > 0
  if (part && drops && met !== undefined) await refuseDependents(session, place, met)
  const sessions = await otherSessions(session, connection.database)
  if (request.clean === 'database') {
    if (sessions.length > 0 && !request.disconnect) throw busy(place, sessions)
    await refuseSubscriber(session, place)
  }
  return {
    connection,
    version,
    exists: true,
    objectCount,
    inherited: drops ? await inheritedConstraints(session, version.major) : [],
    losses: lossesOf(place, request, drops, met, relations, objectCount),
    ...(drops || request.dataOnly === true ? {} : { clean: 'none' as const }),
    warnings: [
      ...ageWarnings(contents, version),
      ...(drops || met !== undefined ? [] : collisionWarnings(place, relations)),
      ...(part || request.clean === 'database' ? [] : stayingWarnings(place, met, relations)),
      ...sessionWarnings(request, sessions),
      ...(request.clean === 'database' ? [] : await defaultPrivilegesWarnings(session)),
    ],
  }
}

async function openTarget(
  cx: Context,
  connection: Connection,
  request: RestoreRequest,
): Promise<PostgresSession | undefined> {
  try {
    return await connectSession(cx, connection)
  } catch (error) {
    const absent = error instanceof HoldfastError && error.code === 'database.not-found'
    if (absent && request.create) return undefined
    throw error
  }
}

/** The usual databases for this: `postgres`, which may have been dropped, and `template1`, which may not. */
export async function maintenanceConnection(
  cx: Context,
  connection: Connection,
  settings: Pick<ConnectorSettings, 'admin'>,
): Promise<Connection> {
  const account = adminAccount(connection, settings)
  const usual = { ...account, database: connection.database === 'postgres' ? 'template1' : 'postgres' }
  try {
    await withSession(cx, usual, () => Promise.resolve())
    return usual
  } catch (error) {
    const closed =
      error instanceof HoldfastError && ['database.not-found', 'database.denied'].includes(error.code)
    if (!closed) throw error
    return { ...account, database: 'template1' }
  }
}

async function checkMayCreate(session: PostgresSession): Promise<void> {
  const [role] = await session.rows<{ readonly may: boolean; readonly name: string }>(
    'SELECT rolsuper OR rolcreatedb AS may, rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname = current_user',
  )
  if (role?.may === true) return
  throw new HoldfastError('database.denied', `${role?.name ?? 'the user'} may not create databases`, {
    hint: 'configure adminUser and adminPassword, or grant CREATEDB',
  })
}

/** In the details of an error: the names of roles. */
export const missingRoles = 'missingRoles'

/** What the dump needs of the server and does not bring. */
async function checkRequirements(
  session: PostgresSession,
  { extensions, owners, grantees, named }: DumpContents,
  { options }: ConnectorSettings,
): Promise<void> {
  const absent = async (sql: string, wanted: readonly string[]) =>
    (await session.rows<{ readonly name: string }>(sql, [wanted])).map(({ name }) => name)
  const without = await absent(
    `SELECT wanted.name FROM unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions e WHERE e.name = wanted.name)`,
    extensions,
  )
  if (without.length > 0) {
    throw new HoldfastError(
      'database.requirement-missing',
      `the server of the target does not have ${without.map((name) => `the extension ${name}`).join(', ')}`,
      { hint: 'install the packages of these extensions on the server' },
    )
  }
  const wanted = new Set([
    ...named,
    ...(options.noOwner === true ? [] : owners),
    ...(options.noPrivileges === true ? [] : grantees),
  ])
  const roles = await absent(
    `SELECT wanted.name FROM unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = wanted.name)`,
    [...wanted],
  )
  if (roles.length > 0) {
    throw new HoldfastError(
      'database.requirement-missing',
      `the server of the target does not have ${roles.map((name) => `the role ${name}`).join(', ')}`,
      {
        hint: roles.some((name) => named.has(name))
          ? 'create the roles: policies or user mappings name them'
          : 'create the roles, or restore with noOwner and noPrivileges',
        details: { [missingRoles]: roles },
      },
    )
  }
}

/** What the dump makes and the target has already. */
function intersect(contents: DumpContents, relations: readonly Relation[]): readonly Relation[] | undefined {
  if (contents.relations === undefined) return undefined
  const made = new Set(contents.relations.map(({ schema, name }) => `${schema}\0${name}`))
  return relations.filter(({ schema, name }) => made.has(`${schema}\0${name}`))
}

function refuseToMix(
  place: string,
  { drops }: DumpContents,
  met: readonly Relation[] | undefined,
  relations: readonly Relation[],
): void {
  const inTheWay = met ?? (drops ? relations : [])
  if (inTheWay.length === 0) return
  const message =
    met === undefined
      ? `${place} is not empty, and the dump drops what it makes: ${listed(inTheWay)} could be lost`
      : `${place} already has ${listed(inTheWay)}, which the dump makes`
  throw new HoldfastError('refused.not-empty', message, {
    details: { objects: inTheWay.map(({ schema, name }) => `${schema}.${name}`) },
  })
}

/** PostgreSQL does not drop a database that receives publications, and its apply workers use it. */
async function refuseSubscriber(session: PostgresSession, place: string): Promise<void> {
  const names = await subscriptions(session)
  if (names.length === 0) return
  throw new HoldfastError(
    'usage.not-supported',
    `${place} has subscriptions and cannot be replaced: ${names.join(', ')}`,
    {
      hint: 'restore with --clean objects, or drop the subscriptions first',
    },
  )
}

export function busy(place: string, sessions: readonly string[]): HoldfastError {
  const counted = new Map<string, number>()
  for (const session of sessions) counted.set(session, (counted.get(session) ?? 0) + 1)
  const who = [...counted]
    .map(([session, count]) => (count === 1 ? session : `${count} × ${session}`))
    .join(', ')
  return new HoldfastError('database.busy', `other sessions use ${place}: ${who}`)
}

function lossesOf(
  place: string,
  { clean }: RestoreRequest,
  drops: boolean,
  met: readonly Relation[] | undefined,
  relations: readonly Relation[],
  objectCount: number,
): readonly string[] {
  if (objectCount === 0) return []
  if (clean === 'database')
    return [`${place} is dropped with ${counted(objectCount, 'object')}: ${listed(relations)}`]
  if (clean === 'none' || !drops) return []
  if (met === undefined) {
    return [
      `what the dump makes anew is dropped first, of the ${counted(objectCount, 'object')} of ${place}: ${listed(relations)}`,
    ]
  }
  return met.length === 0
    ? []
    : [
        `${counted(met.length, 'object')} of ${place} ${met.length === 1 ? 'is' : 'are'} dropped and made anew: ${listed(met)}`,
      ]
}

function ageWarnings({ serverVersion }: DumpContents, { major, text }: Version): readonly string[] {
  if (serverVersion === undefined || parseVersion(serverVersion).major <= major) return []
  return [
    `the dump is of PostgreSQL ${parseVersion(serverVersion).text} and the target is ${text}: an older server may not understand it`,
  ]
}

/** A dump says what differs from no default privileges, and takes none away. */
async function defaultPrivilegesWarnings(session: PostgresSession): Promise<readonly string[]> {
  const found = await session.rows(
    `SELECT FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
     WHERE r.rolname = current_user LIMIT 1`,
  )
  if (found.length === 0) return []
  return [
    `the database has default privileges for what ${session.connection.user} makes: the restored objects get them beside their own; --clean database avoids that`,
  ]
}

function sessionWarnings({ clean }: RestoreRequest, sessions: readonly string[]): readonly string[] {
  if (sessions.length === 0) return []
  return clean === 'database'
    ? [`${sessions.length} other sessions will be ended: ${sessions.slice(0, 5).join(', ')}`]
    : [
        `${sessions.length} other sessions use the database; the restore waits for their locks, and they for its`,
      ]
}
