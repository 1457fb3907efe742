import { isUtf8 } from 'node:buffer'
import { hasTable, listTables, type Table } from './catalog.js'
import { repairText } from '../sql-text.js'
import { quoteText } from '../quoting.js'
import { openDatabase, type Database } from './database.js'
import { leaveProof } from './fingerprint.js'
import { write, sayWarning } from './output.js'
import type { DumpInput } from './protocol.js'
import { insertLines, type Encoding, type RowsWanted } from './insert-sql.js'

const chunkBytes = 1024 * 1024

/** What a dump has of a table: all, its definition alone, or nothing. */
type Share = 'all' | 'definition' | 'nothing'

/**
 * Writes SQL that makes the database anew, as the shell's `.dump` does: tables with their rows, AUTOINCREMENT
 * counters, then views, triggers, indexes and statistics. Virtual tables are written into the schema as they are, and their
 * shadow tables as tables: so their content is exact, and no module is needed. All is read from one snapshot.
 */
export async function dumpSql({ path, exclude, excludeData, proof }: DumpInput): Promise<void> {
  const database = await openDatabase(path, 'read')
  database.execute('BEGIN')
  const tables = listTables(database)
  const shares = shareOut(tables, new Set(exclude), new Set(excludeData))
  const share = (table: string): Share => shares.get(table) ?? 'all'
  const out = new ChunkedOutput()
  await out.line(head(database))
  const encoding = encodingOf(database)
  if (tables.some(({ kind }) => kind === 'virtual')) await out.line('PRAGMA writable_schema=ON;')
  for (const table of tables) {
    if (share(table.name) === 'nothing') continue
    await out.line(definition(database, table, share(table.name)))
    if (share(table.name) === 'all' && table.kind !== 'virtual') {
      await out.rows(database, { table: table.name, encoding, keepRowid: !table.withoutRowid })
    }
    warnOfReferences(database, table, share)
  }
  await dumpSequences(database, share, out)
  for (const sql of laterDefinitions(database, share)) await out.line(sql)
  await dumpStatistics(database, share, out)
  if (tables.some(({ kind }) => kind === 'virtual')) await out.line('PRAGMA writable_schema=OFF;')
  await out.line(
    `PRAGMA user_version=${database.number('PRAGMA user_version')};\nPRAGMA application_id=${database.number('PRAGMA application_id')};\nCOMMIT;`,
  )
  await out.flush()
  await leaveProof(database, proof, { wanted: (name) => share(name) === 'all', whole: exclude.length === 0 })
}

function encodingOf(database: Database): Encoding {
  return database.text('PRAGMA encoding') as Encoding
}

/** What only holds for a new file stands before the transaction. */
function head(database: Database): string {
  return [
    '-- SQLite database, written by Holdfast',
    'PRAGMA foreign_keys=OFF;',
    `PRAGMA page_size=${database.number('PRAGMA page_size')};`,
    `PRAGMA encoding=${quoteText(database.text('PRAGMA encoding'))};`,
    `PRAGMA auto_vacuum=${database.number('PRAGMA auto_vacuum')};`,
    'BEGIN TRANSACTION;',
  ].join('\n')
}

/**
 * Shadow tables (`docs_data` of `docs`) share the lot of their virtual table. Where its rows are left out, the virtual table is
 * created for real, and makes its own, empty shadow tables.
 */
function shareOut(
  tables: readonly Table[],
  excluded: ReadonlySet<string>,
  dataless: ReadonlySet<string>,
): Map<string, Share> {
  const shareOf = (name: string): Share =>
    excluded.has(name) ? 'nothing' : dataless.has(name) ? 'definition' : 'all'
  const virtual = tables.filter(({ kind }) => kind === 'virtual')
  return new Map(
    tables.map((table) => {
      if (table.kind !== 'shadow') return [table.name, shareOf(table.name)]
      const owner = virtual
        .filter(({ name }) => table.name.toLowerCase().startsWith(`${name.toLowerCase()}_`))
        .reduce<Table | undefined>(
          (best, each) => (best === undefined || each.name.length > best.name.length ? each : best),
          undefined,
        )
      return [table.name, owner === undefined || shareOf(owner.name) === 'all' ? 'all' : 'nothing']
    }),
  )
}

function definition(database: Database, table: Table, share: Share): string {
  const sql = String(
    database.row(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, table.name)?.['sql'],
  )
  if (table.kind !== 'virtual' || share === 'definition') return ended(sql)
  const [name, text] = [quoteText(table.name), quoteText(sql)]
  return `INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table',${name},${name},0,${text});`
}

/** A comment at the end of a definition must not swallow the semicolon. */
function ended(sql: string): string {
  return sql.slice(sql.lastIndexOf('\n') + 1).includes('--') ? `${sql}\n;` : `${sql};`
}

function warnOfReferences(database: Database, { name }: Table, share: (table: string) => Share): void {
  for (const { parent } of database.rows(
    'SELECT DISTINCT "table" AS parent FROM pragma_foreign_key_list(?)',
    name,
  )) {
    if (share(String(parent)) !== 'all')
      sayWarning(`table ${name} refers to ${String(parent)}, whose rows are left out`)
  }
}

/** The rows of a table that SQLite keeps for itself, but for those about tables whose rows are left out. */
async function dumpInternalTable(
  database: Database,
  table: string,
  column: string,
  share: (table: string) => Share,
  out: ChunkedOutput,
) {
  const names = database.rows('SELECT name FROM sqlite_schema').map(({ name }) => String(name))
  const left = names.filter((name) => share(name) !== 'all').map(quoteText)
  const condition = left.length === 0 ? '' : ` WHERE ${column} NOT IN (${left.join(',')})`
  await out.rows(database, { table, encoding: encodingOf(database), keepRowid: false, condition })
}

/** Counters of AUTOINCREMENT: the table is there once a table needs it. */
async function dumpSequences(
  database: Database,
  share: (table: string) => Share,
  out: ChunkedOutput,
): Promise<void> {
  if (!hasTable(database, 'sqlite_sequence')) return
  await out.line('DELETE FROM sqlite_sequence;')
  await dumpInternalTable(database, 'sqlite_sequence', 'name', share, out)
}

/** What ANALYZE has found out; after the indexes, since to drop an index drops what is known of it. */
async function dumpStatistics(
  database: Database,
  share: (table: string) => Share,
  out: ChunkedOutput,
): Promise<void> {
  const tables = ['sqlite_stat1', 'sqlite_stat4'].filter((name) => hasTable(database, name))
  if (tables.length > 0) await out.line('ANALYZE sqlite_schema;')
  for (const table of tables) await dumpInternalTable(database, table, 'tbl', share, out)
}

/** Views before triggers, since a trigger may stand on a view. */
function laterDefinitions(database: Database, share: (table: string) => Share): string[] {
  const rows = database.rows(
    `SELECT tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('view', 'trigger', 'index')
     ORDER BY type DESC, rowid`,
  )
  return rows
    .filter((row) => share(String(row['tbl_name'])) !== 'nothing')
    .map(({ sql }) => ended(String(sql)))
}

/** Gathers what is written into chunks of 1 MiB; a longer row is a chunk of its own. */
class ChunkedOutput {
  #chunk = Buffer.allocUnsafe(chunkBytes)
  #filled = 0

  async line(sql: string): Promise<void> {
    await this.#put(Buffer.from(`${sql}\n`))
  }

  async rows(database: Database, wanted: RowsWanted): Promise<void> {
    for (const lines of insertLines(database, wanted)) await this.#put(asUtf8(lines, wanted.encoding))
  }

  async flush(): Promise<void> {
    const chunk = this.#chunk.subarray(0, this.#filled)
    this.#chunk = Buffer.allocUnsafe(chunkBytes)
    this.#filled = 0
    if (chunk.length > 0) await write(isUtf8(chunk) ? chunk : repairText(chunk))
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#filled + bytes.length > chunkBytes) await this.flush()
    if (bytes.length > chunkBytes) {
      await write(isUtf8(bytes) ? bytes : repairText(Buffer.from(bytes)))
      return
    }
    this.#chunk.set(bytes, this.#filled)
    this.#filled += bytes.length
  }
}

function asUtf8(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'UTF-8') return bytes
  const text = Buffer.from(bytes)
  return Buffer.from((encoding === 'UTF-16be' ? text.swap16() : text).toString('utf16le'))
}
