import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type {
  DatabaseFingerprint,
  Fingerprint,
  FingerprintLevel,
  TableFingerprint,
} from '../../../engine/fingerprinter.js'
import { HoldfastError } from '../../../errors.js'
import { fingerprintMethod } from '../fingerprint-method.js'
import { quoteName } from '../quoting.js'
import { hasTable, listTables } from './catalog.js'
import { openDatabase, type Database } from './database.js'
import type { FingerprintInput, ProofWanted } from './protocol.js'

/** The command `fingerprint`: of a database as it is. @throws database.* */
export async function takeFingerprint({
  path,
  level,
  tables,
}: FingerprintInput): Promise<DatabaseFingerprint> {
  const database = await openDatabase(path, 'read')
  database.execute('BEGIN')
  const wanted = tables === undefined ? undefined : new Set(tables)
  const fingerprint = readFingerprint(database, level, (name) => wanted?.has(name) ?? true)
  database.execute('COMMIT')
  return {
    product: 'SQLite',
    version: database.text('SELECT sqlite_version()'),
    encoding: database.text('PRAGMA encoding'),
    fingerprint: { ...fingerprint, definitions: readDefinitions(database) },
  }
}

/** Rows and counters, in the database's open transaction. Without definitions. @throws database.* */
export function readFingerprint(
  database: Database,
  level: FingerprintLevel,
  wanted: (table: string) => boolean,
): Fingerprint {
  // The rows of a virtual table are those of its shadow tables, for which no module is needed.
  const tables = listTables(database).filter(({ kind, name }) => kind !== 'virtual' && wanted(name))
  return {
    level,
    method: fingerprintMethod,
    tables: tables.map(({ name }) => readTable(database, name, level)),
    counters: readCounters(database).filter(({ name }) => wanted(name)),
    definitions: {},
  }
}

/** Writes the fingerprint of a dump to the file that the caller waits for. */
export async function leaveProof(
  database: Database,
  proof: ProofWanted | undefined,
  { wanted, whole }: { readonly wanted: (table: string) => boolean; readonly whole: boolean } = {
    wanted: () => true,
    whole: true,
  },
): Promise<void> {
  if (proof === undefined) return
  const found = readFingerprint(database, proof.level, wanted)
  const definitions = whole ? readDefinitions(database) : {}
  await writeFile(proof.file, JSON.stringify({ ...found, definitions }), { mode: 0o600 })
}

function readTable(database: Database, name: string, level: FingerprintLevel): TableFingerprint {
  try {
    if (level === 'content') return { name, ...digestRows(database, name) }
    return { name, rows: database.number(`SELECT count(*) FROM ${quoteName(name)}`) }
  } catch (error) {
    // An index may need a collation that only the application has.
    if (!(error instanceof HoldfastError) || error.code !== 'database.query-failed') throw error
    return { name, unproven: error.message }
  }
}

/** The sum of a hash of each row, modulo 2^64; docs/format.md gives the text of a row. */
function digestRows(database: Database, table: string): { readonly rows: number; readonly digest: string } {
  const columns = database
    .rows('SELECT name FROM pragma_table_info(?) ORDER BY cid', table)
    .map(({ name }) => valueText(quoteName(String(name))))
  const rows = database.column(`SELECT ${columns.join(` || ',' || `)} FROM ${quoteName(table)} NOT INDEXED`)
  let [count, sum] = [0, 0n]
  for (const row of rows) {
    count += 1
    sum += createHash('sha256').update(String(row)).digest().readBigUInt64BE(0)
  }
  return { rows: count, digest: BigInt.asUintN(64, sum).toString(16).padStart(16, '0') }
}

/** `quote` would end a text at its first NUL. */
function valueText(column: string): string {
  return `CASE typeof(${column}) WHEN 'text' THEN 't' || hex(${column}) WHEN 'blob' THEN 'b' || hex(${column}) ELSE quote(${column}) END`
}

/** The counters of AUTOINCREMENT. */
function readCounters(database: Database): Fingerprint['counters'] {
  if (!hasTable(database, 'sqlite_sequence')) return []
  return database
    .rows('SELECT name, CAST(seq + 1 AS TEXT) AS next FROM sqlite_sequence ORDER BY name')
    .map(({ name, next }) => ({ name: String(name), next: String(next) }))
}

export function readDefinitions(database: Database): Readonly<Record<string, string>> {
  const rows = database.rows(
    `SELECT type, name, tbl_name, sql FROM sqlite_schema
     WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`,
  )
  return Object.fromEntries(
    rows.map(({ type, name, tbl_name: table, sql }) => [
      `${String(type)} ${String(name)}`,
      createHash('sha256')
        .update(JSON.stringify([table, sql]))
        .digest('hex')
        .slice(0, 16),
    ]),
  )
}
