import { rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { tableMatcher } from '../../../engine/selection.js'
import { HoldfastError } from '../../../errors.js'
import { quoteName, quoteText } from '../quoting.js'
import { hasTable } from './catalog.js'
import { openDatabase, type Database } from './database.js'
import { checkBackup } from './install.js'
import { sayWarning } from './output.js'
import type { InstallPartInput } from './protocol.js'

interface Stored {
  readonly type: string
  readonly name: string
  readonly sql: string
}

/**
 * Makes some tables and views of the target those of a whole database beside it, in one transaction: with their indexes, triggers and
 * counters. What else is there stays.
 * @throws usage.pattern-unmatched, refused.not-empty, database.*, integrity.format: with the target as it was
 */
export async function installPart(input: InstallPartInput): Promise<null> {
  const { from, target, schemaOnly, dataOnly } = input
  if (!input.checked) await checkBackup(from)
  const database = await openDatabase(target, 'write')
  const location = pathToFileURL(from)
  location.search = 'mode=ro&immutable=1'
  database.execute(`ATTACH ${quoteText(location.href)} AS backup`)
  database.execute('BEGIN IMMEDIATE')
  const chosen = chooseObjects(database, input)
  const tables = chosen.filter(({ type }) => type === 'table')
  if (dataOnly) for (const { name } of tables) replaceRows(database, name, input)
  else {
    for (const object of chosen) makeRoom(database, object, input)
    for (const { sql } of chosen) database.execute(sql)
    if (!schemaOnly) for (const { name } of tables) copyRows(database, name)
    for (const { sql } of belongings(database, chosen)) database.execute(sql)
  }
  if (!schemaOnly) for (const { name } of tables) tellOrphans(database, name)
  database.execute('COMMIT')
  database.execute('DETACH backup')
  database.close()
  await rm(from, { force: true })
  return null
}

/** Tables before views. */
function chooseObjects(database: Database, { tables, dataOnly }: InstallPartInput): readonly Stored[] {
  const all = stored(
    database.rows(
      `SELECT type, name, sql FROM backup.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY type, name`,
    ),
  )
  const matchers = tables.map((pattern) => ({ pattern, matches: tableMatcher(pattern) }))
  const unmatched = matchers.filter(({ matches }) => !all.some(matches))
  if (unmatched.length > 0) {
    const patterns = unmatched.map(({ pattern }) => pattern)
    throw new HoldfastError('usage.pattern-unmatched', `the backup has no table ${patterns.join(', ')}`)
  }
  const chosen = all.filter(
    (object) =>
      (tables.length === 0 || matchers.some(({ matches }) => matches(object))) &&
      !(dataOnly && object.type === 'view'),
  )
  const apart = database
    .rows("SELECT name FROM pragma_table_list WHERE schema = 'backup' AND type IN ('virtual', 'shadow')")
    .map(({ name }) => String(name))
  const virtual = chosen.find(({ name }) => apart.includes(name))
  if (virtual !== undefined) {
    throw new HoldfastError(
      'usage.not-supported',
      `${virtual.name} is a virtual table, or belongs to one: it is restored with the whole database alone`,
    )
  }
  return chosen
}

function stored(rows: readonly Readonly<Record<string, unknown>>[]): readonly Stored[] {
  return rows.map(({ type, name, sql }) => ({ type: String(type), name: String(name), sql: String(sql) }))
}

function makeRoom(database: Database, { name }: Stored, { replace, target }: InstallPartInput): void {
  const there = database.row('SELECT type FROM main.sqlite_schema WHERE name = ? COLLATE NOCASE', name)
  if (there === undefined) return
  if (!replace) throw new HoldfastError('refused.not-empty', `${target} has ${name} already`)
  database.execute(`DROP ${String(there['type'])} main.${quoteName(name)}`)
}

/** Indexes and triggers, after the rows. */
function belongings(database: Database, chosen: readonly Stored[]): readonly Stored[] {
  return chosen.flatMap(({ name }) =>
    stored(
      database.rows(
        `SELECT type, name, sql FROM backup.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL
         AND tbl_name = ? COLLATE NOCASE ORDER BY type, name`,
        name,
      ),
    ),
  )
}

/** Triggers are for changes, and this is none. */
function replaceRows(database: Database, table: string, { replace, target }: InstallPartInput): void {
  const there = database.row("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?", table)
  if (there === undefined) {
    throw new HoldfastError(
      'database.requirement-missing',
      `${target} has no table ${table}, and dataOnly restores rows alone`,
    )
  }
  const triggers = stored(
    database.rows(
      "SELECT type, name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
      table,
    ),
  )
  for (const { name } of triggers) database.execute(`DROP TRIGGER main.${quoteName(name)}`)
  if (replace) database.execute(`DELETE FROM main.${quoteName(table)}`)
  copyRows(database, table)
  for (const { sql } of triggers) database.execute(sql)
}

function copyRows(database: Database, table: string): void {
  const columns = columnsOf(database, table).map(quoteName).join(', ')
  const name = quoteName(table)
  database.execute(`INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM backup.${name}`)
  if (database.row("SELECT 1 FROM backup.sqlite_schema WHERE name = 'sqlite_sequence'") === undefined) return
  const counter = database.row('SELECT seq FROM backup.sqlite_sequence WHERE name = ?', table)
  if (counter === undefined || !hasTable(database, 'sqlite_sequence')) return
  const own = quoteText(table)
  database.execute(`DELETE FROM main.sqlite_sequence WHERE name = ${own}`)
  database.execute(
    `INSERT INTO main.sqlite_sequence SELECT name, seq FROM backup.sqlite_sequence WHERE name = ${own}`,
  )
}

/** Without generated ones; with the rowid, where a table has one of its own that a column does not stand for. */
function columnsOf(database: Database, table: string): readonly string[] {
  const columns = database.rows(
    "SELECT name, type, pk FROM pragma_table_xinfo(?, 'backup') WHERE hidden = 0",
    table,
  )
  const names = columns.map(({ name }) => String(name))
  const list = database.row("SELECT wr FROM pragma_table_list(?) WHERE schema = 'backup'", table)
  const keys = columns.filter(({ pk }) => Number(pk) > 0)
  const isRowid = keys.length === 1 && String(keys[0]?.['type']).toUpperCase() === 'INTEGER'
  const taken = new Set(names.map((name) => name.toLowerCase()))
  const rowid = ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name))
  return Number(list?.['wr']) === 1 || isRowid || rowid === undefined ? names : [rowid, ...names]
}

/** Rows that refer to what is not restored with them. */
function tellOrphans(database: Database, table: string): void {
  const found = database.rows(
    "SELECT parent, count(*) AS rows FROM pragma_foreign_key_check(?, 'main') GROUP BY parent",
    table,
  )
  for (const { parent, rows } of found)
    sayWarning(`${String(rows)} rows of ${table} refer to rows of ${String(parent)} that are not there`)
}
