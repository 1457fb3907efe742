import { createHash } from 'node:crypto'
import {
  countersBetween,
  type CounterFingerprint,
  type DatabaseFingerprint,
  type Fingerprint,
  type Fingerprinter,
  type FingerprintLevel,
  type TableFingerprint,
} from '../../engine/fingerprinter.js'
import { readInventory, type Inventory, type TableEntry } from './inventory.js'
import { quoteName } from './quoting.js'
import { definitionsOf } from './schema-hash.js'
import { ServerSession } from './session.js'

export const fingerprintMethod = 'mysql-1'

/** One for both engines: which family a server is of makes no difference to its rows. */
export const mysqlFingerprinter: Fingerprinter = {
  method: fingerprintMethod,
  defaultLevel: 'counts',
  async take(cx, connection, { level, tables }): Promise<DatabaseFingerprint> {
    const session = await ServerSession.open(cx, connection)
    try {
      await beginSnapshot(session)
      const inventory = await readInventory(session)
      const wanted = tables === undefined ? undefined : new Set(tables.map(({ name }) => name))
      const chosen = inventory.tables.filter(({ name }) => wanted === undefined || wanted.has(name))
      const counters = await readCounters(session, inventory)
      const found = await readFingerprint(session, { level, tables: chosen, inventory, counters })
      return {
        product: session.identity.product,
        version: session.identity.version,
        encoding: inventory.charset,
        fingerprint: { ...found, definitions: await readDefinitions(session, inventory) },
      }
    } finally {
      await session.close()
    }
  },
}

/** Opens a transaction that reads one state of all tables whose engine has transactions. */
export async function beginSnapshot(session: ServerSession): Promise<void> {
  await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')
}

export interface FingerprintPlan {
  readonly level: FingerprintLevel
  /** Those whose rows are wanted. */
  readonly tables: readonly TableEntry[]
  readonly inventory: Inventory
  /** As they were before anybody else read them. */
  readonly counters: readonly CounterFingerprint[]
  /** Storage engines whose tables the snapshot holds; all where absent, since nobody writes. */
  readonly transactional?: ReadonlySet<string>
}

/** Rows and counters, in the session's snapshot. Without definitions. @throws database.* */
export async function readFingerprint(
  session: ServerSession,
  { level, tables, inventory, counters, transactional }: FingerprintPlan,
): Promise<Fingerprint> {
  const found: TableFingerprint[] = []
  const columns = level === 'content' ? await readColumns(session) : undefined
  for (const { name, engine } of tables) {
    if (engine === undefined || transactional?.has(engine) === false)
      found.push({ name, unproven: `its storage engine, ${engine ?? 'which is gone'}, has no snapshots` })
    else found.push(await readTable(session, name, columns?.get(name)))
  }
  return {
    level,
    method: fingerprintMethod,
    tables: found,
    counters: countersBetween(counters, await readCounters(session, inventory)),
    definitions: {},
  }
}

async function readTable(
  session: ServerSession,
  name: string,
  columns: readonly string[] | undefined,
): Promise<TableFingerprint> {
  const counted = 'COUNT(*) AS counted'
  if (columns === undefined) {
    const [row] = await session.query<{ counted: string }>(`SELECT ${counted} FROM ${quoteName(name)}`)
    return { name, rows: Number(row?.counted) }
  }
  const hash = hashOf(session)(`CONCAT_WS(',', ${columns.join(', ')})`)
  const [row] = await session.query<{ counted: string; hashed: string; digest: string }>(
    `SELECT ${counted}, COUNT(h) AS hashed,
        CAST(COALESCE(SUM(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), 0) AS CHAR) AS digest
      FROM (SELECT ${hash} AS h FROM ${quoteName(name)}) AS hashes`,
  )
  const rows = Number(row?.counted)
  if (row?.counted === row?.hashed) return { name, rows, digest: String(row?.digest) }
  return { name, rows, unproven: 'the server could not compute the digest of every row' }
}

const textTypes = ['char', 'varchar', 'enum', 'set']
const longTextTypes = ['tinytext', 'text', 'mediumtext', 'longtext', 'json']
const numberTypes = [
  ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double'],
  ['date', 'time', 'datetime', 'timestamp', 'year'],
].flat()

/**
 * Per table what stands for each column in its order; docs/format.md gives the rule. Long values go in as digests of their own,
 * so that no row is longer than max_allowed_packet lets a function's result be.
 */
async function readColumns(session: ServerSession): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await session.query<{ tab: string; name: string; type: string }>(
    `SELECT TABLE_NAME AS tab, COLUMN_NAME AS name, LOWER(DATA_TYPE) AS type FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    [session.settings.name],
  )
  const columns = new Map<string, string[]>()
  for (const { tab, name, type } of rows) {
    const list = columns.get(tab) ?? []
    columns.set(tab, list)
    list.push(columnExpression(quoteName(name), type, hashOf(session)))
  }
  return columns
}

/** MySQL has no MD5 any more since 9.6. */
function hashOf({ identity }: ServerSession): (value: string) => string {
  return identity.product === 'MySQL' ? (value) => `SHA2(${value}, 256)` : (value) => `MD5(${value})`
}

function columnExpression(column: string, type: string, hash: (value: string) => string): string {
  if (numberTypes.includes(type)) return `IFNULL(${column}, 'NULL')`
  // QUOTE of NULL is the word without quotes.
  if (textTypes.includes(type)) return `QUOTE(CONVERT(${column} USING utf8mb4))`
  if (longTextTypes.includes(type)) return `IFNULL(${hash(`CONVERT(${column} USING utf8mb4)`)}, 'NULL')`
  if (type === 'bit') return `IFNULL(${column} + 0, 'NULL')`
  if (type === 'binary' || type === 'varbinary') return `IFNULL(HEX(${column}), 'NULL')`
  return `IFNULL(${hash(column)}, 'NULL')`
}

/** The next number of every table that counts, and the next value of every sequence. */
export async function readCounters(
  session: ServerSession,
  { sequences }: Pick<Inventory, 'sequences'>,
): Promise<readonly CounterFingerprint[]> {
  if (session.identity.product === 'MySQL' && session.identity.numbers[0] >= 8) {
    // Else the server answers what it knew a day ago.
    await session.query('SET SESSION information_schema_stats_expiry = 0')
  }
  const counting = await session.query<{ name: string; next: string }>(
    `SELECT TABLE_NAME AS name, CAST(AUTO_INCREMENT AS CHAR) AS next FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND AUTO_INCREMENT IS NOT NULL ORDER BY TABLE_NAME`,
    [session.settings.name],
  )
  const counters = counting.map(({ name, next }) => ({ name, next }))
  for (const name of sequences) {
    const [row] = await session.query<{ next: string }>(
      `SELECT CAST(next_not_cached_value AS CHAR) AS next FROM ${quoteName(name)}`,
    )
    if (row !== undefined) counters.push({ name, next: row.next })
  }
  return counters
}

/** A digest of each definition by kind and name. */
export async function readDefinitions(
  session: ServerSession,
  inventory: Inventory,
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const [kind, name, definition] of await definitionsOf(session, inventory)) {
    for (const [part, text] of kind === 'table'
      ? tableParts(name, definition)
      : [[`${kind} ${name}`, definition]]) {
      const hash = createHash('sha256').update(JSON.stringify(text))
      found[String(part)] = hash.digest('hex').slice(0, 16)
    }
  }
  return found
}

/** Indexes by their own names, as an index is what goes missing alone. */
function tableParts(table: string, definition: unknown): readonly (readonly [string, unknown])[] {
  if (typeof definition !== 'string') return [[`table ${table}`, definition]]
  const indexes: [string, string][] = []
  const rest: string[] = []
  for (const line of definition.split('\n')) {
    const name = /^ {2}(?:UNIQUE |FULLTEXT |SPATIAL )?KEY `((?:[^`]|``)+)`/u.exec(line)?.[1]
    const kept = line.replace(/,$/u, '')
    if (name === undefined) rest.push(kept)
    else indexes.push([`index ${table}.${name.replaceAll('``', '`')}`, kept])
  }
  return [[`table ${table}`, rest], ...indexes]
}
