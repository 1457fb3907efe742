import type { MigrationState, MigrationTable } from '../../engine/migrations.js'
import { migrationTables } from '../../engine/migrations.js'
import { HoldfastError } from '../../errors.js'
import type { Inventory } from './inventory.js'
import { quoteName } from './quoting.js'
import type { ServerSession } from './session.js'

/**
 * Columns that say when a migration was applied, the surest first; what a tool's table does not have is left out. Prisma's
 * `id` is a random one, and TypeORM's and Drizzle's times are those of the migration's making: hence the order.
 */
const orderColumns = [
  'finished_at',
  'executed_at',
  'migration_time',
  'id',
  'applied',
  'timestamp',
  'created_at',
]

/** What migration tools have applied to the database. */
export async function appliedMigrations(
  session: ServerSession,
  { tables }: Inventory,
): Promise<readonly MigrationState[]> {
  // A schema of its own is PostgreSQL's: here a tool's table stands among the others.
  const candidates = migrationTables.filter(
    ({ table, schema }) => schema === undefined && tables.some(({ name }) => name === table),
  )
  const states: MigrationState[] = []
  for (const candidate of candidates) {
    const state = await stateOf(session, candidate)
    if (state !== undefined) states.push(state)
  }
  return states
}

async function stateOf(session: ServerSession, known: MigrationTable): Promise<MigrationState | undefined> {
  const rows = await session.query<{ name: string }>(
    `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`,
    [session.settings.name, known.table],
  )
  const present = new Set(rows.map(({ name }) => name))
  if (!known.columns.every((column) => present.has(column))) return undefined
  const name = quoteName(known.column)
  const selected = known.tool === 'django' ? `CONCAT(app, '.', ${name})` : name
  const order = [...orderColumns.filter((column) => present.has(column)), known.column]
    .map(quoteName)
    .join(', ')
  const where = known.applied === undefined ? '' : `WHERE ${known.applied}`
  try {
    const applied = await session.query<{ name: string }>(
      `SELECT CAST(${selected} AS CHAR) AS name FROM ${quoteName(known.table)} ${where} ORDER BY ${order}`,
    )
    return { tool: known.tool, table: known.table, applied: applied.map((row) => row.name) }
  } catch (error) {
    // Not readable for this account: the dump will say so, if it is to hold the table.
    if (error instanceof HoldfastError && error.code === 'database.denied') return undefined
    throw error
  }
}
