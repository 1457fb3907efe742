import { migrationTables, type MigrationState, type MigrationTable } from '../../engine/migrations.js'
import { userSchema } from './catalog.js'
import { identifier, qualifiedName } from './quoting.js'
import type { PostgresSession } from './session.js'

interface FoundTable {
  readonly schema: string
  readonly name: string
  readonly readable: boolean
  /** Name and type of each column. */
  readonly columns: Readonly<Record<string, string>>
}

/** What migration tools have applied, from the tables they keep; one that cannot be read is a warning. */
export async function readMigrations(
  session: PostgresSession,
): Promise<{ readonly migrations: readonly MigrationState[]; readonly warnings: readonly string[] }> {
  const migrations: MigrationState[] = []
  const warnings: string[] = []
  for (const table of await candidates(session)) {
    const kind = migrationTables.find((known) => isOf(known, table))
    if (kind === undefined) continue
    const name = `${table.schema}.${table.name}`
    if (table.readable)
      migrations.push({ tool: kind.tool, table: name, applied: await applied(session, kind, table) })
    else warnings.push(`the migrations in ${name} cannot be read: this user lacks SELECT`)
  }
  return { migrations, warnings }
}

async function candidates(session: PostgresSession): Promise<readonly FoundTable[]> {
  const names = [...new Set(migrationTables.map(({ table }) => table))]
  return session.rows<FoundTable>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
            (SELECT pg_catalog.json_object_agg(a.attname, pg_catalog.format_type(a.atttypid, NULL)) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND ${userSchema} AND c.relname = ANY ($1::text[])
     ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"`,
    [names],
  )
}

function isOf(known: MigrationTable, { schema, name, columns }: FoundTable): boolean {
  return (
    known.table === name &&
    (known.schema === undefined || known.schema === schema) &&
    known.columns.every((column) => columns[column] !== undefined)
  )
}

async function applied(
  session: PostgresSession,
  { column, columns, applied: condition }: MigrationTable,
  table: FoundTable,
): Promise<readonly string[]> {
  // Django counts migrations within an app.
  const name = columns.includes('app') ? `app || '.' || ${identifier(column)}` : `${identifier(column)}::text`
  const found = await session.rows<{ readonly name: string }>(
    `SELECT ${name} AS name FROM ${qualifiedName(table.schema, table.name)}
     ${condition === undefined ? '' : `WHERE ${condition}`} ORDER BY ${orderOf(table, column)}`,
  )
  return found.map((row) => row.name)
}

/** The order of application: a counting id, else a time, else the name. */
function orderOf({ columns }: FoundTable, column: string): string {
  const counting = ['id'].filter((name) => /int|serial|numeric/u.test(columns[name] ?? ''))
  const timed = ['started_at', 'executed_at', 'created_at', 'applied', 'timestamp'].filter(
    (name) => name in columns,
  )
  return [...counting, ...timed, column].map(identifier).join(', ')
}
