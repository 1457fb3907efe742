import { createHash } from 'node:crypto'
import type { ServerFacts, TableFacts } from '../../../engine/engine.js'
import { migrationTables, type MigrationState, type MigrationTable } from '../../../engine/migrations.js'
import { quoteName } from '../quoting.js'
import type { Database } from './database.js'

/** A table as the dump sees it. */
export interface Table {
  readonly name: string
  readonly kind: 'table' | 'virtual' | 'shadow'
  readonly withoutRowid: boolean
}

/** What is in a database, read from one snapshot. Runs in the SQLite program. @throws database.* */
export function inspectDatabase(database: Database): ServerFacts {
  database.execute('BEGIN')
  const tables = listTables(database)
  const facts: ServerFacts = {
    product: 'SQLite',
    version: database.text('SELECT sqlite_version()'),
    database: database.path,
    sizeBytes: database.number('PRAGMA page_count') * database.number('PRAGMA page_size'),
    encoding: database.text('PRAGMA encoding'),
    tables: describeTables(database, userTables(tables)),
    objectCount: database.number(`SELECT count(*) FROM sqlite_schema WHERE ${ownObject}`),
    migrations: readMigrations(database, tables),
    schemaHash: hashSchema(database),
    warnings: [],
  }
  database.execute('COMMIT')
  return facts
}

/** Names that begin so are SQLite's own, and nobody else can make one. */
const ownObject = `name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`

/** In the order they were made. */
export function listTables(database: Database): Table[] {
  const rows = database.rows(
    `SELECT s.name, l.type, l.wr FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.name = s.name
     WHERE s.type = 'table' AND l.schema = 'main' AND s.${ownObject} ORDER BY s.rowid`,
  )
  return rows.map(({ name, type, wr }) => ({
    name: String(name),
    kind: type === 'virtual' || type === 'shadow' ? type : 'table',
    withoutRowid: Number(wr) === 1,
  }))
}

/** Shadow tables belong to their virtual table, and go with it. */
export function userTables(tables: readonly Table[]): Table[] {
  return tables.filter(({ kind }) => kind !== 'shadow')
}

function describeTables(database: Database, tables: readonly Table[]): TableFacts[] {
  const estimates = readEstimates(database)
  return tables.map(({ name }) => {
    const estimatedRows = estimates.get(name)
    return { name, ...(estimatedRows === undefined ? {} : { estimatedRows }) }
  })
}

/** What ANALYZE has counted: the first number of any line of a table. */
function readEstimates(database: Database): Map<string, number> {
  if (!hasTable(database, 'sqlite_stat1')) return new Map()
  const rows = database.rows(
    'SELECT tbl, max(CAST(stat AS INTEGER)) AS estimate FROM sqlite_stat1 GROUP BY tbl',
  )
  return new Map(rows.map(({ tbl, estimate }) => [String(tbl), Number(estimate)]))
}

export function hasTable(database: Database, name: string): boolean {
  return database.row(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`, name) !== undefined
}

/** Every definition as it was written, in an order that does not depend on when it was. */
function hashSchema(database: Database): string {
  const hash = createHash('sha256')
  const rows = database.rows(
    `SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND ${ownObject} ORDER BY type, name`,
  )
  for (const { type, name, tbl_name: table, sql } of rows)
    hash.update(JSON.stringify([type, name, table, sql]))
  return hash.digest('hex')
}

function readMigrations(database: Database, tables: readonly Table[]): MigrationState[] {
  const states: MigrationState[] = []
  for (const known of migrationTables) {
    if (known.schema !== undefined || !tables.some(({ name }) => name === known.table)) continue
    const columns = new Set(
      database.rows('SELECT name FROM pragma_table_info(?)', known.table).map(({ name }) => name),
    )
    if (known.columns.every((column) => columns.has(column))) states.push(readMigrationTable(database, known))
  }
  return states
}

function readMigrationTable(
  database: Database,
  { tool, table, column, applied }: MigrationTable,
): MigrationState {
  const name = tool === 'django' ? `app || '.' || ${quoteName(column)}` : quoteName(column)
  const condition = applied === undefined ? '' : ` WHERE ${applied}`
  const rows = database.rows(`SELECT ${name} AS name FROM ${quoteName(table)}${condition}`)
  return { tool, table, applied: rows.map((row) => String(row['name'])) }
}
