import { quoteName, quoteText } from '../quoting.js'
import type { Database } from './database.js'

export type Encoding = 'UTF-8' | 'UTF-16le' | 'UTF-16be'

export interface RowsWanted {
  readonly table: string
  readonly encoding: Encoding
  /** Write the rowid, too, where no column is it; false where there is none or where it means nothing. */
  readonly keepRowid: boolean
  /** ` WHERE …`; all rows without. */
  readonly condition?: string
}

/** Rows that are made into one piece of text, unless they are large: each call of the driver costs as much as a small row. */
const rowsAtOnce = 256
const bytesAtOnce = 1024 * 1024
const [smallestRowid, largestRowid] = [-(2n ** 63n), 2n ** 63n - 1n]

/**
 * The INSERTs that make the rows of a table again, a line each, in pieces of whole lines, in the database's own encoding.
 * SQLite makes the text: a driver would lose NUL bytes and what is not UTF-8.
 */
export function* insertLines(database: Database, wanted: RowsWanted): Generator<Uint8Array> {
  const { table, keepRowid, condition = '' } = wanted
  const columns = database
    .rows('SELECT name FROM pragma_table_info(?) ORDER BY cid', table)
    .map(({ name }) => String(name))
  const rowid = keepRowid ? rowidName(columns) : undefined
  const written = rowid === undefined || isRowidItself(database, table) ? undefined : rowid
  const line = insertText(wanted, columns, written)
  // NOT INDEXED: the table itself is read, not an index that might be damaged while the table is whole.
  const from = `FROM ${quoteName(table)} NOT INDEXED`
  if (rowid === undefined)
    yield* database.column(`SELECT CAST(${line} AS BLOB) ${from}${condition}`) as Iterable<Uint8Array>
  else yield* piecesByRowid(database, { rowid, columns, line, from })
}

interface Pieces {
  readonly rowid: string
  readonly columns: readonly string[]
  readonly line: string
  readonly from: string
}

function* piecesByRowid(database: Database, { rowid, columns, line, from }: Pieces): Generator<Uint8Array> {
  // Lengths are in the header of a row: large values are not read for them.
  const bytes = columns.map((column) => `ifnull(octet_length(${quoteName(column)}),0)`).join('+')
  const measure = database.prepare(
    `SELECT max(id) AS last, count(*) AS rows, sum(bytes) AS bytes
     FROM (SELECT ${rowid} AS id, ${bytes} AS bytes ${from} WHERE ${rowid} >= ? ORDER BY ${rowid} LIMIT ?)`,
  )
  const make = database.prepare(
    `SELECT CAST(group_concat(${line},'') AS BLOB) AS lines ${from} WHERE ${rowid} BETWEEN ? AND ?`,
  )
  let [start, limit] = [smallestRowid, rowsAtOnce]
  for (;;) {
    const {
      last,
      rows,
      bytes: size,
    } = measure(start, limit) as { last: bigint | null; rows: bigint; bytes: bigint }
    if (last === null) return
    if (rows > 1n && size > bytesAtOnce) {
      limit = Math.max(1, Math.floor(Number(rows) / 4))
      continue
    }
    yield make(start, last)?.['lines'] as Uint8Array
    if (last === largestRowid) return
    ;[start, limit] = [last + 1n, Math.min(rowsAtOnce, limit * 2)]
  }
}

/** An expression that gives one INSERT and a line feed. */
function insertText(
  { table, encoding }: RowsWanted,
  columns: readonly string[],
  rowid: string | undefined,
): string {
  const target = rowid === undefined ? '' : `(${[rowid, ...columns.map(quoteName)].join(',')})`
  const insert = quoteText(`INSERT INTO ${quoteName(table)}${target} VALUES(`)
  const values = columns.map((column) => literal(quoteName(column), encoding))
  return `${insert}||${[...(rowid === undefined ? [] : [rowid]), ...values].join(`||','||`)}||');'||char(10)`
}

/**
 * The value as a literal. quote() is exact but for three cases: text stops at NUL, minus zero loses its sign, and text
 * of a UTF-16 database may hold surrogates that UTF-8 cannot.
 */
function literal(column: string, encoding: Encoding): string {
  const odd =
    encoding === 'UTF-8'
      ? `instr(${column},char(0))`
      : `(instr(${column},char(0)) OR ${column} GLOB '*[^ -~]*')`
  return (
    `CASE typeof(${column})` +
    ` WHEN 'text' THEN iif(${odd},'CAST(x'''||hex(CAST(${column} AS BLOB))||''' AS TEXT)',quote(${column}))` +
    ` WHEN 'real' THEN iif(${column}=0.0 AND atan2(${column},-1.0)<0.0,'-0.0',quote(${column}))` +
    ` ELSE quote(${column}) END`
  )
}

/** A name of the rowid that no column has taken. */
function rowidName(columns: readonly string[]): string | undefined {
  const taken = new Set(columns.map((column) => column.toLowerCase()))
  return ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name))
}

/** Whether a column is the rowid: an INTEGER PRIMARY KEY without an index of its own, as INTEGER PRIMARY KEY DESC has. */
function isRowidItself(database: Database, table: string): boolean {
  const [key, ...more] = database.rows('SELECT type FROM pragma_table_info(?) WHERE pk > 0', table)
  const ownIndex = database.row(`SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'`, table)
  return (
    key !== undefined &&
    more.length === 0 &&
    ownIndex === undefined &&
    String(key['type']).toUpperCase() === 'INTEGER'
  )
}
