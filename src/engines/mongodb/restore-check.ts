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
import { factsOf, objectCount } from './catalog.js'
import { listCollections, type CollectionList } from './collections.js'
import { placeOf } from './connection.js'
import { assertNoSchemas } from './dump-plan.js'
import { olderSeries } from './identity.js'
import { chosen, missingBehindViews } from './restore-part.js'
import { databaseOf, readPrelude, type ArchivedDatabase } from './restore-source.js'
import type { MongoSession } from './session.js'
import type { Tool } from './tools.js'
import { counted } from '../../env/counted.js'

/** A target that a restore may begin with. */
export interface CheckedTarget {
  readonly target: RestoreTarget
  readonly archived: ArchivedDatabase
  /** Absent where the database does not exist. */
  readonly list?: CollectionList
}

/**
 * Everything that can be known before the first change.
 * @throws usage.not-supported, database.*, refused.not-empty, integrity.*
 */
export async function checkTarget(
  { signal }: Context,
  session: MongoSession,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
  tool: Tool | undefined,
): Promise<CheckedTarget> {
  assertNoSchemas(request.schemas)
  refuseContradictions(request, 'documents need collections that are there')
  const place = placeOf(session.settings)
  const existing = await lookInto(session, request)
  const prelude = await readPrelude(source, signal)
  const archived = chosen(databaseOf(prelude, session.settings.name), request)
  const there = new Set(existing?.list.collections.map(({ name }) => name))
  if (request.dataOnly === true) assertThere(place, there, archived)
  else if (existing !== undefined && !drops(settings, request) && request.clean !== 'database')
    assertFree(place, existing.list, archived)
  const { identity } = session
  return {
    archived,
    ...(existing === undefined ? {} : { list: existing.list }),
    target: {
      place,
      exists: existing !== undefined,
      ...(existing === undefined ? {} : { server: existing.facts }),
      tools: tool === undefined ? [] : [tool.facts],
      losses:
        existing === undefined
          ? []
          : lossesOf(session.settings.name, existing.list, archived, settings, request),
      warnings: [
        ...(olderSeries(identity.protocolVersion, prelude.serverVersion)
          ? [
              `the dump is from MongoDB ${prelude.serverVersion}, the target is older: ${identity.protocolVersion}`,
            ]
          : []),
        ...(await missingBehindViews(archived, request.clean === 'database' ? new Set() : there)),
        ...(archived.others.length === 0
          ? []
          : [
              `of the archive's databases only ${archived.name} is restored, not ${archived.others.join(', ')}`,
            ]),
      ],
    },
  }
}

/** Whether collections of the target make place for those of the backup. */
export function drops({ options }: ConnectorSettings, { clean }: RestoreRequest): boolean {
  return clean === 'objects' && (options.drop ?? true)
}

/** @throws database.not-found; refused.not-empty where a new database was asked for */
async function lookInto(
  session: MongoSession,
  { create }: RestoreRequest,
): Promise<{ readonly list: CollectionList; readonly facts: ServerFacts } | undefined> {
  const place = placeOf(session.settings)
  if (!(await session.exists())) {
    if (create) return undefined
    throw new HoldfastError('database.not-found', `${place}: there is no such database`)
  }
  const list = await listCollections(session)
  if (create && objectCount(list) > 0) {
    throw new HoldfastError('refused.not-empty', `${place} is there already and is not empty`, {
      hint: 'leave --create out to restore into it, or choose another name',
    })
  }
  return { list, facts: await factsOf(session, list) }
}

/** Documents are added to no collection that is there: half of them could be there already. @throws refused.not-empty */
function assertFree(place: string, { collections }: CollectionList, archived: ArchivedDatabase): void {
  const there = new Set(collections.map(({ name }) => name))
  const both = archived.collections.map(({ name }) => name).filter((name) => there.has(name))
  if (both.length === 0) return
  throw new HoldfastError(
    'refused.not-empty',
    `${place} holds what the backup holds: ${both.slice(0, 5).join(', ')}${more(both)}`,
  )
}

function more({ length }: readonly string[]): string {
  return length > 5 ? `, and ${length - 5} more` : ''
}

/** @throws database.requirement-missing */
function assertThere(place: string, there: ReadonlySet<string>, { collections }: ArchivedDatabase): void {
  const missing = collections.map(({ name }) => name).filter((name) => !there.has(name))
  if (missing.length === 0) return
  throw new HoldfastError(
    'database.requirement-missing',
    `${place} has no collection ${missing.slice(0, 5).join(', ')}, and dataOnly restores documents alone`,
  )
}

function lossesOf(
  name: string,
  { collections }: CollectionList,
  archived: ArchivedDatabase,
  settings: ConnectorSettings,
  request: RestoreRequest,
): readonly string[] {
  if (collections.length === 0) return []
  if (isPart(request) && request.clean !== 'database') {
    const there = new Set(collections.map((each) => each.name))
    const replaced = archived.collections.map((each) => each.name).filter((each) => there.has(each))
    if (!drops(settings, request) || replaced.length === 0) return []
    const what = request.dataOnly === true ? 'the documents of ' : ''
    return [`${what}${replaced.slice(0, 5).join(', ')}${more(replaced)} are replaced`]
  }
  const held = counted(collections.length, 'collection or view', 'collections and views')
  if (request.clean === 'database') return [`the database ${name} is dropped and made anew (${held})`]
  return drops(settings, request) ? [`what the backup holds is replaced in ${name} (${held})`] : []
}
