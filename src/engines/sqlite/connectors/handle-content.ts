import { constants } from 'node:buffer'
import { HoldfastError } from '../../../errors.js'
import { quoteName } from '../quoting.js'

/** What a SQLite driver's open database has to know. */
export interface SqliteHandle {
  /** Runs statements. */
  exec(sql: string): unknown
  prepare(sql: string): { all(): unknown[] }
}

const begin = 'BEGIN TRANSACTION;\n'

/**
 * Replaces all that a database holds by what a dump of ours makes, in one transaction.
 * @throws database.query-failed with the content as it was; usage.not-supported for a dump longer than a string can be
 */
export function replaceContent(handle: SqliteHandle, dump: Buffer): void {
  if (dump.length > constants.MAX_STRING_LENGTH) {
    throw new HoldfastError(
      'usage.not-supported',
      `the SQL of this backup has ${dump.length} bytes, more than an open handle can be given at once`,
      { hint: 'restore into a file' },
    )
  }
  const text = dump.toString('utf8')
  const foreignKeys = Number(valuesOf(handle.prepare('PRAGMA foreign_keys').all()[0])[0])
  try {
    handle.exec('PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE')
    for (const drop of dropsOf(handle)) handle.exec(drop)
    // What stands before the dump's own BEGIN is for a new file.
    handle.exec(text.slice(text.indexOf(begin) + begin.length))
  } catch (thrown) {
    takeBack(handle)
    throw new HoldfastError(
      'database.query-failed',
      `the open database refused the backup: ${String(thrown)}`,
      { cause: thrown },
    )
  } finally {
    // Reads the schema again: virtual tables were written into it.
    handle.exec(`PRAGMA writable_schema = RESET; PRAGMA foreign_keys = ${foreignKeys === 1 ? 'ON' : 'OFF'}`)
  }
}

function takeBack(handle: SqliteHandle): void {
  try {
    handle.exec('ROLLBACK')
  } catch {
    // The transaction had not begun, or SQLite has taken it back itself.
  }
}

/** Virtual tables first: their shadow tables go with them. Indexes and triggers go with their tables. */
function dropsOf(handle: SqliteHandle): string[] {
  const rows = handle
    .prepare(
      `SELECT s.type AS type, s.name AS name FROM sqlite_schema AS s
       LEFT JOIN pragma_table_list AS l ON l.name = s.name AND l.schema = 'main'
       WHERE s.type IN ('view', 'table') AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY s.type = 'view' DESC, l.type = 'virtual' DESC`,
    )
    .all()
  return rows.map((row) => {
    const [type, name] = valuesOf(row)
    return `DROP ${type === 'view' ? 'VIEW' : 'TABLE'} IF EXISTS ${quoteName(String(name))}`
  })
}

/** Rows come as objects or as arrays. */
function valuesOf(row: unknown): unknown[] {
  return Object.values(row as object)
}
