import type { Context } from '../../env/context.js'
import type { ServerFacts, TableFacts } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'
import { readMigrations } from './applied-migrations.js'
import { definitionLines, schemaHash } from './schema-hash.js'
import type { PostgresSession } from './session.js'
import { isUnverified } from './tls.js'
import { parseVersion, type Version } from './version.js'

/** What is asked first of every server. */
export interface ServerOverview {
  readonly product: string
  readonly version: Version
  readonly database: string
  readonly encoding: string
  /** A standby: it cannot read unlogged tables. */
  readonly standby: boolean
  readonly user: string
}

/** The first version whose catalogs are read here; its tools and theirs are older than any that is maintained. */
const oldestMajor = 10

/** @throws usage.not-supported for a server that is too old */
export async function readOverview(session: PostgresSession): Promise<ServerOverview> {
  const [found] = await session.rows<{
    readonly product: string
    readonly version: string
    readonly database: string
    readonly encoding: string
    readonly standby: boolean
    readonly user: string
  }>(`
    SELECT pg_catalog.split_part(pg_catalog.version(), ' ', 1) AS product,
           pg_catalog.current_setting('server_version') AS version, d.datname::text AS database,
           pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
           pg_catalog.pg_is_in_recovery() AS standby, current_user::text AS user
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`)
  if (found === undefined) throw new TypeError('a database knows itself')
  const version = parseVersion(found.version)
  if (version.major < oldestMajor) {
    throw new HoldfastError(
      'usage.not-supported',
      `the server is ${found.product} ${version.text}; Holdfast works with PostgreSQL ${oldestMajor} and later`,
    )
  }
  return { ...found, version }
}

/** Apart from the rest, since the server looks at each of its files: 0.1 s for 5 000 tables. */
async function readSize(session: PostgresSession): Promise<number> {
  const [found] = await session.rows<{ readonly size: string }>(
    'SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS size',
  )
  return Number(found?.size)
}

export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'sequence' | 'foreign table' | 'type'

/** Something with a name in a schema that holds or shows rows. */
export interface Relation extends TableFacts {
  readonly oid: number
  readonly kind: RelationKind
  readonly schema: string
  readonly unlogged: boolean
  /** Row-level security hides rows of it from this user. */
  readonly rowsHidden: boolean
  /** This user may read it. */
  readonly readable: boolean
  /** Tables that inherit from it, partitions among them. */
  readonly children: readonly number[]
  /** Sequences of its serial columns. */
  readonly ownedSequences: readonly number[]
}

/** Schemas of the user's own: names that begin with `pg_` are PostgreSQL's. */
export const userSchema = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

/** Not made by CREATE EXTENSION, which also restores it. */
export function notOfExtension(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass
            AND x.objid = ${oid} AND x.deptype = 'e')`
}

const relationKinds = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'type' END`

/** Everything of the user's in pg_class that pg_dump makes by itself, in order of schema and name. */
export async function readRelations(session: PostgresSession): Promise<readonly Relation[]> {
  // As one value: of thousands of rows the driver would take longer than the server. Names sort by their bytes.
  const [row] = await session.rows<{ readonly relations: readonly Relation[] | null }>(`
    SELECT pg_catalog.json_strip_nulls(pg_catalog.json_agg(r)) AS relations FROM (
    SELECT c.oid::bigint, ${relationKinds} AS kind, n.nspname AS schema, c.relname AS name,
           -- Rows and pages as of the last VACUUM or ANALYZE: asking for the size itself waits for locks.
           CASE WHEN c.reltuples > 0 THEN round(c.reltuples::float8) END AS "estimatedRows",
           nullif((greatest(c.relpages, 0)::bigint + coalesce(t.relpages, 0)) * pg_catalog.current_setting('block_size')::bigint, 0) AS bytes,
           c.relpersistence = 'u' AS unlogged,
           c.relkind = 'r' AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AS "rowsHidden",
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
           CASE WHEN c.relhassubclass THEN ARRAY(SELECT i.inhrelid::bigint FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
             ELSE '{}' END AS children,
           coalesce(owned.sequences, '{}') AS "ownedSequences"
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
    LEFT JOIN (SELECT d.refobjid, pg_catalog.array_agg(d.objid::bigint) AS sequences FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.deptype = 'a' AND d.refobjsubid > 0 GROUP BY d.refobjid) AS owned ON owned.refobjid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND c.relpersistence <> 't' AND ${userSchema}
      AND ${notOfExtension('pg_class', 'c.oid')}
      -- Of a composite type the extension has the type.
      AND ${notOfExtension('pg_type', 'c.reltype')}
      -- Sequences of identity columns are made with their tables.
      AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend x
        WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'i'))
    ORDER BY n.nspname, c.relname) AS r`)
  return row?.relations ?? []
}

export function tablesOf(relations: readonly Relation[]): readonly Relation[] {
  return relations.filter(({ kind }) => kind === 'table' || kind === 'partitioned table')
}

/** How many objects of the user's there are; 0 means that a dump restores as into a new database. */
export async function countObjects(
  session: PostgresSession,
  relations: readonly Relation[],
): Promise<number> {
  const [found] = await session.rows<{ readonly others: number }>(`
    SELECT (
      (SELECT count(*) FROM pg_catalog.pg_namespace n WHERE ${userSchema} AND n.nspname <> 'public'
         AND ${notOfExtension('pg_namespace', 'n.oid')})
      + (SELECT count(*) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE ${userSchema} AND ${notOfExtension('pg_proc', 'p.oid')})
      + (SELECT count(*) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('d', 'e', 'r') AND ${userSchema} AND ${notOfExtension('pg_type', 't.oid')})
      + (SELECT count(*) FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal)
      + (SELECT count(*) FROM pg_catalog.pg_event_trigger e WHERE ${notOfExtension('pg_event_trigger', 'e.oid')})
      + (SELECT count(*) FROM pg_catalog.pg_publication)
      + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)
    )::float8 AS others`)
  return relations.length + (found?.others ?? 0)
}

/** @throws database.* */
export async function readFacts(cx: Context, session: PostgresSession): Promise<ServerFacts> {
  return session.snapshot(async () => {
    const { version, facts } = await readFactsButDefinitions(cx, session)
    return { ...facts, schemaHash: schemaHash(await definitionLines(session, version)) }
  })
}

/** Called in a snapshot. @throws database.* */
export async function readFactsButDefinitions(
  cx: Context,
  session: PostgresSession,
): Promise<ServerOverview & { readonly facts: Omit<ServerFacts, 'schemaHash'> }> {
  const overview = await readOverview(session)
  const relations = await readRelations(session)
  const { migrations, warnings } = await readMigrations(session)
  return {
    ...overview,
    facts: {
      product: overview.product,
      version: overview.version.text,
      database: overview.database,
      sizeBytes: await readSize(session),
      encoding: overview.encoding,
      tables: tablesOf(relations).map(({ schema, name, estimatedRows, bytes }) => ({
        schema,
        name,
        ...(estimatedRows === undefined ? {} : { estimatedRows }),
        ...(bytes === undefined ? {} : { bytes }),
      })),
      objectCount: await countObjects(session, relations),
      migrations,
      warnings: [
        ...warnings,
        ...(await connectionWarnings(cx, session)),
        ...dumpWarnings(overview, relations),
      ],
    },
  }
}

async function connectionWarnings(cx: Context, { connection }: PostgresSession): Promise<readonly string[]> {
  if (!(await isUnverified(cx.env, connection))) return []
  return [
    `sslmode=require encrypts the connection to ${connection.host} without checking who answers: use verify-full with sslrootcert`,
  ]
}

/** What this user's dump would lack or fail on. */
function dumpWarnings({ standby, user }: ServerOverview, relations: readonly Relation[]): readonly string[] {
  const warnings: string[] = []
  const hidden = relations.filter(({ rowsHidden }) => rowsHidden)
  if (hidden.length > 0) {
    warnings.push(
      `row-level security hides rows of ${listed(hidden)} from ${user}: a dump needs the owner or a role with BYPASSRLS`,
    )
  }
  const closed = relations.filter(({ readable, kind }) => !readable && kind !== 'type')
  if (closed.length > 0)
    warnings.push(`${user} may not read ${listed(closed)}: a dump needs SELECT on all it holds`)
  const unlogged = standby
    ? relations.filter((relation) => relation.unlogged && relation.kind === 'table')
    : []
  if (unlogged.length > 0)
    warnings.push(`a standby does not have the rows of unlogged tables: ${listed(unlogged)}`)
  return warnings
}

/** The first of some names, and how many more there are. */
export function listed(
  relations: readonly { readonly schema: string; readonly name: string }[],
  most = 10,
): string {
  const names = relations.slice(0, most).map(({ schema, name }) => `${schema}.${name}`)
  const more = relations.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
