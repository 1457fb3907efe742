import type { DumpRequest } from '../../engine/connector.js'
import { orAllowMissing, selectTables } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import { listed, type Relation, type ServerOverview } from './catalog.js'
import { namePattern } from './quoting.js'
import type { PostgresSession } from './session.js'

/** What a request leaves out, for pg_dump and for people. */
export interface Exclusion {
  readonly args: readonly string[]
  readonly warnings: readonly string[]
  /** What it holds the rows of. */
  readonly filled: readonly Relation[]
}

/** What has rows in a dump, or a definition that fills it. */
const withRows: readonly Relation['kind'][] = [
  'table',
  'partitioned table',
  'materialized view',
  'foreign table',
]

/**
 * The patterns of a request as names that are there, so that pg_dump leaves out these and nothing else.
 * @throws usage.pattern-unmatched; database.denied where this user's dump would lack rows or fail
 */
export async function planExclusion(
  platform: NodeJS.Platform,
  session: PostgresSession,
  overview: ServerOverview,
  relations: readonly Relation[],
  request: DumpRequest,
): Promise<Exclusion> {
  const { allowMissing } = request
  const candidates = relations.filter(({ kind }) => kind !== 'type')
  const excluded = withFamily(
    selectRelations(request.exclude, candidates, 'exclude', allowMissing),
    relations,
  )
  const withData = candidates.filter(({ kind }) => withRows.includes(kind))
  const emptied = withPartitions(
    selectRelations(request.excludeData, withData, 'excludeData', allowMissing),
    relations,
  )
  await checkSchemas(session, request)
  const [out, empty] = [new Set(excluded), new Set(emptied)]
  const kept = candidates.filter(
    (relation) =>
      !out.has(relation) && (request.schemas.length === 0 || request.schemas.includes(relation.schema)),
  )
  const filled = kept.filter((relation) => !empty.has(relation))
  refuseHidden(overview, kept, filled)
  const standbyArgs =
    overview.standby && filled.some(({ unlogged }) => unlogged) ? ['--no-unlogged-table-data'] : []
  return {
    args: [
      ...namingArguments(platform, '--exclude-table', excluded),
      ...namingArguments(platform, '--exclude-table-data', emptied),
      ...request.schemas.map((schema) => `--schema=${namePattern([schema])}`),
      ...(request.schemas.length === 0 ? await routingArgs(session) : []),
      ...standbyArgs,
    ],
    warnings: [
      ...familyWarnings(excluded, candidates, request),
      ...(await dependencyWarnings(session, excluded, emptied)),
      ...schemaWarnings(request),
    ],
    filled,
  }
}

function selectRelations(
  patternsOf: readonly string[],
  relations: readonly Relation[],
  setting: 'exclude' | 'excludeData',
  allowMissing: boolean,
): readonly Relation[] {
  const selected = new Set<unknown>(selectTables(patternsOf, relations, setting, allowMissing))
  return relations.filter((relation) => selected.has(relation))
}

/** A table goes with what inherits from it and cannot be made without it, and with the sequences that belong to it. */
function withFamily(chosen: readonly Relation[], all: readonly Relation[]): readonly Relation[] {
  const family = closure(chosen, all, (relation) => [...relation.children, ...relation.ownedSequences])
  return all.filter(({ oid }) => family.has(oid))
}

/** The rows of a partitioned table lie in its partitions. */
function withPartitions(chosen: readonly Relation[], all: readonly Relation[]): readonly Relation[] {
  const family = closure(chosen, all, ({ kind, children }) => (kind === 'partitioned table' ? children : []))
  return all.filter(({ oid }) => family.has(oid))
}

function closure(
  chosen: readonly Relation[],
  all: readonly Relation[],
  next: (relation: Relation) => readonly number[],
): ReadonlySet<number> {
  if (chosen.length === 0) return new Set()
  const byOid = new Map(all.map((relation) => [relation.oid, relation]))
  const found = new Set<number>()
  const open = chosen.map(({ oid }) => oid)
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    const relation = byOid.get(oid)
    if (relation === undefined || found.has(oid)) continue
    found.add(oid)
    open.push(...next(relation))
  }
  return found
}

async function checkSchemas(session: PostgresSession, { schemas, allowMissing }: DumpRequest): Promise<void> {
  if (schemas.length === 0 || allowMissing) return
  const found = await session.rows<{ readonly name: string }>(
    'SELECT nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[])',
    [schemas],
  )
  const missing = schemas.filter((schema) => !found.some(({ name }) => name === schema))
  if (missing.length === 0) return
  throw new HoldfastError(
    'usage.pattern-unmatched',
    `schemas names what is not there: ${missing.join(', ')}`,
    { hint: orAllowMissing, details: { setting: 'schemas', patterns: missing } },
  )
}

/** pg_dump fails on these, too, but only when it comes to them; and a hidden row must never be a missing row. */
function refuseHidden(
  { user }: ServerOverview,
  kept: readonly Relation[],
  filled: readonly Relation[],
): void {
  const hidden = filled.filter(({ rowsHidden }) => rowsHidden)
  if (hidden.length > 0) {
    throw new HoldfastError(
      'database.denied',
      `row-level security would hide rows of ${listed(hidden)} from ${user}; nothing was dumped`,
      {
        hint: 'dump as the owner of the tables or as a role with BYPASSRLS, or leave their rows out with excludeData',
      },
    )
  }
  const closed = kept.filter(
    ({ readable, kind }) => !readable && !['view', 'materialized view'].includes(kind),
  )
  if (closed.length > 0) {
    throw new HoldfastError('database.denied', `${user} may not read ${listed(closed)}; nothing was dumped`, {
      hint: 'grant SELECT on them (on PostgreSQL 14 and later: the role pg_read_all_data), or leave them out with exclude',
    })
  }
}

/** What all arguments together may have, well below the system's limit: 2 MB with the environment on Linux, 32 KB on Windows. */
const longestArguments = { win32: 16_000, other: 500_000 }
/** One argument may have 128 KB on Linux. */
const namesTogether = 100

/**
 * A pattern for each name, which pg_dump looks up in an index; where these are too long for a command line, many names in one,
 * which it compares with every table (2 300 names of 5 000 tables: 0.1 s against 8 s).
 */
export function namingArguments(
  platform: NodeJS.Platform,
  option: string,
  relations: readonly Pick<Relation, 'schema' | 'name'>[],
): readonly string[] {
  const single = relations.map(
    ({ schema, name }) => `${option}=${namePattern([schema])}.${namePattern([name])}`,
  )
  const length = single.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 1, 0)
  if (length <= (platform === 'win32' ? longestArguments.win32 : longestArguments.other)) return single
  const bySchema = new Map<string, string[]>()
  for (const { schema, name } of relations) bySchema.set(schema, [...(bySchema.get(schema) ?? []), name])
  return [...bySchema].flatMap(([schema, names]) => {
    const chunks = Math.ceil(names.length / namesTogether)
    return Array.from({ length: chunks }, (_, chunk) => {
      const some = names.slice(chunk * namesTogether, (chunk + 1) * namesTogether)
      return `${option}=${namePattern([schema])}.${namePattern(some)}`
    })
  })
}

/**
 * Where rows belong can depend on the machine: hashes on its byte order, text on its collations. Rows of such tables are then
 * restored through the root of their partitions, which sorts them anew.
 */
async function routingArgs(session: PostgresSession): Promise<readonly string[]> {
  const [found] = await session.rows<{ readonly depends: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p
      WHERE p.partstrat = 'h' OR EXISTS (SELECT FROM unnest(p.partcollation::oid[]) c WHERE c <> 0)) AS depends`)
  return found?.depends === true ? ['--load-via-partition-root'] : []
}

function familyWarnings(
  excluded: readonly Relation[],
  candidates: readonly Relation[],
  { exclude }: DumpRequest,
): readonly string[] {
  const named = new Set<unknown>(selectRelations(exclude, candidates, 'exclude', true))
  const others = excluded.filter((relation) => !named.has(relation) && relation.kind !== 'sequence')
  return others.length === 0 ? [] : [`left out with the tables they inherit from: ${listed(others)}`]
}

/** What will stand in the way of a restore: objects of the dump that need what it does not hold. */
async function dependencyWarnings(
  session: PostgresSession,
  excluded: readonly Relation[],
  emptied: readonly Relation[],
): Promise<readonly string[]> {
  const outs = excluded.map(({ oid }) => oid)
  const empties = emptied.map(({ oid }) => oid)
  if (outs.length + empties.length === 0) return []
  const keys = await session.rows<{ readonly key: string; readonly from: string; readonly to: string }>(
    `SELECT k.conname::text AS key, f.relname::text AS from, t.relname::text AS to
     FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class f ON f.oid = k.conrelid
     JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
     WHERE k.contype = 'f' AND k.conislocal AND (k.confrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($2::oid[]))
       AND k.conrelid <> ALL ($1::oid[]) AND k.conrelid <> ALL ($2::oid[]) ORDER BY 1, 2`,
    [outs, empties],
  )
  const views = await session.rows<{ readonly view: string; readonly of: string }>(
    `SELECT DISTINCT v.relname::text AS view, t.relname::text AS of
     FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
     JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
     WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND v.relkind IN ('v', 'm') AND d.refobjid = ANY ($1::oid[]) AND v.oid <> ALL ($1::oid[]) ORDER BY 1, 2`,
    [outs],
  )
  return [
    ...keys.map(
      ({ key, from, to }) =>
        `foreign key ${key} of ${from} refers to ${to}, which is left out: the dump restores only where ${to} and its rows are`,
    ),
    ...views.map(
      ({ view, of }) => `view ${view} shows ${of}, which is left out: the dump restores only where ${of} is`,
    ),
  ]
}

function schemaWarnings({ schemas }: DumpRequest): readonly string[] {
  if (schemas.length === 0) return []
  return [
    `the dump holds ${schemas.join(', ')} alone: no other schema, extension, large object or publication`,
  ]
}
