import { HoldfastError } from '../../errors.js'
import { placeOf } from './connection.js'
import { identifier } from './quoting.js'
import type { DumpedExtension } from './restore-contents.js'
import type { PostgresSession } from './session.js'

/** A table or sequence of an extension whose rows pg_dump keeps: those that users have added. */
export interface ExtensionTable {
  readonly kind: 'table' | 'sequence'
  readonly extension: string
  readonly schema: string
  readonly name: string
  /** `WHERE …`, which leaves the extension's own rows out; may be empty. */
  readonly condition: string
  /** Privileges that a user needs to restore its rows, and has not. */
  readonly lacking: readonly string[]
  /** It has rows that users have added, as far as this session may see them. */
  readonly ownRows: boolean
}

/**
 * Those of some extensions that a database has not.
 * @throws database.requirement-missing where it has one in another schema, since what uses it names its schema
 */
export async function absentExtensions(
  session: PostgresSession,
  wanted: readonly DumpedExtension[],
): Promise<readonly DumpedExtension[]> {
  const found = await session.rows<{ readonly name: string; readonly schema: string }>(
    `SELECT e.extname::text AS name, n.nspname::text AS schema FROM pg_catalog.pg_extension e
     JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace`,
  )
  const schemas = new Map(found.map(({ name, schema }) => [name, schema]))
  for (const { name, schema } of wanted) {
    const there = schemas.get(name)
    if (there === undefined || schema === undefined || there === schema) continue
    throw new HoldfastError(
      'database.requirement-missing',
      `${placeOf(session.connection)} has the extension ${name} in the schema ${there}, and the dump wants it in ${schema}`,
      { hint: 'restore with --clean database, or into a new database' },
    )
  }
  return wanted.filter(({ name }) => !schemas.has(name))
}

/** The roles that make extensions at hosters, where nobody is a superuser. */
const hosterRoles = ['rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin']

/**
 * @param anew the database does not exist yet, and will be the user's own
 * @throws database.denied, naming the extensions and what to do
 */
export async function checkMayMake(
  session: PostgresSession,
  extensions: readonly DumpedExtension[],
  anew: boolean,
): Promise<void> {
  const [server] = await session.rows<{ readonly version: number }>(
    `SELECT pg_catalog.current_setting('server_version_num')::int AS version`,
  )
  const trusted = (server?.version ?? 0) >= 130_000 ? 'v.trusted' : 'false'
  const denied = await session.rows<{ readonly name: string; readonly who: string }>(
    `SELECT wanted.name, current_user::text AS who FROM unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = current_user AND r.rolsuper)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = ANY ($2::text[])
                       AND pg_catalog.pg_has_role(r.oid, 'USAGE'))
       AND NOT (($3 OR pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))
         AND EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions v
                     JOIN pg_catalog.pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
                     WHERE v.name = wanted.name AND (NOT v.superuser OR ${trusted})))`,
    [extensions.map(({ name }) => name), hosterRoles, anew],
  )
  const [first] = denied
  if (first === undefined) return
  const names = denied.map(({ name }) => name)
  throw new HoldfastError(
    'database.denied',
    `${first.who} may not create the extension${names.length === 1 ? '' : 's'} ${names.join(', ')}`,
    {
      hint:
        'configure adminUser and adminPassword of an account that may, or have an administrator run ' +
        `${names.map((name) => `CREATE EXTENSION ${identifier(name)}`).join('; ')} in the target`,
    },
  )
}

/** What extensions have registered with pg_extension_config_dump. */
export async function extensionTables(
  session: PostgresSession,
  extensions: readonly string[],
  user: string,
): Promise<readonly ExtensionTable[]> {
  const found = await session.rows<Omit<ExtensionTable, 'ownRows'> & { readonly readable: boolean }>(
    `SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, e.extname::text AS extension,
            n.nspname::text AS schema, c.relname::text AS name, coalesce(x.condition, '') AS condition,
            ARRAY(SELECT p FROM unnest(CASE c.relkind WHEN 'S' THEN ARRAY['UPDATE'] ELSE ARRAY['SELECT', 'INSERT', 'DELETE'] END) p
                  WHERE NOT pg_catalog.has_table_privilege($2, c.oid, p)) AS lacking,
            c.relkind <> 'S' AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
     FROM pg_catalog.pg_extension e
     CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS x(relation, condition)
     JOIN pg_catalog.pg_class c ON c.oid = x.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE e.extname = ANY ($1::text[]) ORDER BY 3, 4`,
    [extensions, user],
  )
  const tables: ExtensionTable[] = []
  for (const { readable, ...table } of found) {
    const from = `${identifier(table.schema)}.${identifier(table.name)}`
    const [row] = readable ? await session.rows(`SELECT FROM ONLY ${from} ${table.condition} LIMIT 1`) : []
    tables.push({ ...table, ownRows: row !== undefined })
  }
  return tables
}
