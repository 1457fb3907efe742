import { hash } from 'node:crypto'
import type {
  CounterFingerprint,
  DatabaseFingerprint,
  Fingerprint,
  Fingerprinter,
  FingerprintLevel,
  TableFingerprint,
} from '../../engine/fingerprinter.js'
import { countersBetween } from '../../engine/fingerprinter.js'
import {
  notOfExtension,
  readOverview,
  readRelations,
  userSchema,
  type Relation,
  type ServerOverview,
} from './catalog.js'
import { definitionLines } from './schema-hash.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { openSession, type PostgresSession } from './session.js'

export const fingerprintMethod = 'postgresql-1'

/** The first version that has `hash_record_extended`. */
const oldestWithDigests = 14
/** Tables that one statement asks for: some 5 000 small ones are then a matter of a second. */
const tablesAtOnce = 25

export const postgresFingerprinter: Fingerprinter = {
  method: fingerprintMethod,
  defaultLevel: 'counts',
  async take(cx, connection, { level, tables }): Promise<DatabaseFingerprint> {
    const session = await openSession(cx, connection)
    try {
      return await session.snapshot(async () => {
        const overview = await readOverview(session)
        const wanted =
          tables === undefined ? undefined : new Set(tables.map(({ schema, name }) => `${schema}.${name}`))
        const relations = (await readRelations(session)).filter(
          ({ schema, name }) => wanted === undefined || wanted.has(`${schema}.${name}`),
        )
        const { product, version, encoding } = overview
        const counters = await readCounters(session)
        const fingerprint = await readFingerprint(session, overview, { level, filled: relations, counters })
        return {
          product,
          version: version.text,
          encoding,
          fingerprint: {
            ...fingerprint,
            definitions: definitionsIn(await definitionLines(session, overview.version)),
          },
        }
      })
    } finally {
      await session.close()
    }
  },
}

export interface FingerprintPlan {
  readonly level: FingerprintLevel
  /** Those whose rows are wanted. */
  readonly filled: readonly Relation[]
  /** As they were before anybody else read them. */
  readonly counters: readonly CounterFingerprint[]
  /** When somebody else has read them. Default: now. */
  readonly countersRead?: Promise<void>
}

/** Rows and counters, read in the session's open snapshot. Without definitions. @throws database.* */
export async function readFingerprint(
  session: PostgresSession,
  { version, standby }: ServerOverview,
  { level: asked, filled, counters, countersRead }: FingerprintPlan,
): Promise<Fingerprint> {
  const level = asked === 'content' && version.major < oldestWithDigests ? 'counts' : asked
  const tables = filled.filter(({ kind, unlogged }) => kind === 'table' && !(standby && unlogged))
  const columns = level === 'content' ? await readColumns(session) : undefined
  const found: TableFingerprint[] = []
  for (let start = 0; start < tables.length; start += tablesAtOnce) {
    found.push(...(await readTables(session, tables.slice(start, start + tablesAtOnce), columns)))
  }
  await countersRead
  return {
    level,
    method: fingerprintMethod,
    tables: found,
    counters: countersBetween(counters, await readCounters(session)),
    definitions: {},
    ...(level === asked
      ? {}
      : { unproven: `digests of rows take PostgreSQL ${oldestWithDigests}; the server is ${version.text}` }),
  }
}

async function readTables(
  session: PostgresSession,
  tables: readonly Relation[],
  columns: ReadonlyMap<number, readonly string[]> | undefined,
): Promise<readonly TableFingerprint[]> {
  const asked = tables.map(({ schema, name, oid }, at) => {
    const digest = columns === undefined ? 'NULL' : digestOf(columns.get(oid) ?? [])
    // Rows of what inherits from a table are counted there.
    return `SELECT ${at} AS at, count(*)::text AS rows, ${digest} AS digest FROM ONLY ${qualifiedName(schema, name)}`
  })
  const found = await session.rows<{
    readonly at: number
    readonly rows: string
    readonly digest: string | null
  }>(asked.join('\nUNION ALL\n'))
  const byPlace = new Map(found.map((row) => [row.at, row]))
  return tables.map(({ schema, name }, at) => {
    const { rows, digest } = byPlace.get(at) ?? { rows: '0', digest: null }
    return { schema, name, rows: Number(rows), ...(digest === null ? {} : { digest }) }
  })
}

/**
 * The sum of a hash of each row. The hash of a record is linear in those of its columns, so that values which have changed places
 * between two rows would leave its sum as it was: hashed once more it is not.
 */
function digestOf(columns: readonly string[]): string {
  const row = `hash_record_extended(ROW(${columns.join(', ')}), 0)`
  return `coalesce(sum(hashtextextended(${row}::text, 0)), 0)::text`
}

/** Types whose own hash depends on every bit of the value that a dump keeps. */
const hashedAsTheyAre = [
  ['bool', 'int2', 'int4', 'int8', 'uuid', 'bytea'],
  ['text', 'varchar', 'date', 'time', 'timestamp', 'timestamptz'],
].flat()

/**
 * Per table what stands for each column in its order; docs/format.md gives the rule. All but the plainest types go by their
 * text: their own hashes take 1.0 and 1.00 for one, or an enum's label by its place in this server's catalog.
 */
async function readColumns(session: PostgresSession): Promise<ReadonlyMap<number, readonly string[]>> {
  const rows = await session.rows<{
    readonly oid: string
    readonly name: string
    readonly type: string | null
    readonly typmod: number
    readonly loose: boolean
  }>(`
    SELECT a.attrelid::text AS oid, a.attname::text AS name, CASE WHEN tn.nspname = 'pg_catalog' THEN t.typname::text END AS type,
           a.atttypmod AS typmod, coalesce(NOT ${await deterministic(session)}, false) AS loose
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' AND ${userSchema}
    ORDER BY a.attrelid, a.attnum`)
  const columns = new Map<number, string[]>()
  for (const { oid, name, type, typmod, loose } of rows) {
    const column = identifier(name)
    const list = columns.get(Number(oid)) ?? []
    columns.set(Number(oid), list)
    if (type === 'float4' || type === 'float8') list.push(`${type}send(${column})`)
    else if (type === 'numeric' && typmod !== -1) list.push(column)
    else if (type === null || !hashedAsTheyAre.includes(type)) list.push(`${column}::text`)
    else list.push(loose ? `${column} COLLATE "C"` : column)
  }
  return columns
}

/** Whether equal texts are the same bytes. */
async function deterministic(session: PostgresSession): Promise<string> {
  const [found] = await session.rows<{ readonly there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'pg_catalog.pg_collation'::pg_catalog.regclass
       AND attname = 'collisdeterministic') AS there`,
  )
  return found?.there === true ? 'co.collisdeterministic' : 'true'
}

/** The next value of every sequence of the user's, those of identity columns among them. */
export async function readCounters(session: PostgresSession): Promise<readonly CounterFingerprint[]> {
  const sequences = await session.rows<{
    readonly schema: string
    readonly name: string
    readonly step: string
    readonly next: string | null
  }>(`
    SELECT n.nspname::text AS schema, c.relname::text AS name,
           s.seqincrement::text AS step, (pg_catalog.pg_sequence_last_value(c.oid)::numeric + s.seqincrement)::text AS next
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema} AND c.relpersistence <> 't' AND ${notOfExtension('pg_class', 'c.oid')}
      AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2`)
  const unused = sequences.filter(({ next }) => next === null)
  const first = await readUnused(session, unused)
  return sequences.map(({ schema, name, next }) => ({
    name: `${schema}.${name}`,
    next: next ?? first.get(`${schema}.${name}`) ?? '',
  }))
}

/** Sequences that have given no number yet, which the server tells of none but one by one. */
async function readUnused(
  session: PostgresSession,
  sequences: readonly { readonly schema: string; readonly name: string; readonly step: string }[],
): Promise<ReadonlyMap<string, string>> {
  const found: CounterFingerprint[] = []
  const atOnce = 200
  for (let start = 0; start < sequences.length; start += atOnce) {
    const asked = sequences.slice(start, start + atOnce).map(
      ({ schema, name, step }) =>
        // One may have been used meanwhile.
        `SELECT ${literal(`${schema}.${name}`)}::text AS name, (last_value::numeric + CASE WHEN is_called THEN ${step} ELSE 0 END)::text AS next FROM ${qualifiedName(schema, name)}`,
    )
    found.push(...(await session.rows<CounterFingerprint>(asked.join('\nUNION ALL\n'))))
  }
  return new Map(found.map(({ name, next }) => [name, next]))
}

/** Kinds with as many parts of their names after the kind; all others are named by one. */
const namedBy: Readonly<Record<string, number>> = {
  constraint: 3,
  trigger: 3,
  rule: 3,
  policy: 3,
  sequence: 2,
  type: 2,
  statistics: 2,
}
const relationKinds: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  c: 'composite type',
}

/** A digest of each definition by kind and name. Columns are of their table or view. */
export function definitionsIn(definitions: readonly string[]): Readonly<Record<string, string>> {
  const lines = definitions.map((text) => ({
    text,
    words: (JSON.parse(text) as readonly unknown[]).map(String),
  }))
  const relations = new Map(
    lines.flatMap(({ words: [kind, schema, name, letter = ''] }) =>
      kind === 'relation' ? [[`${schema}.${name}`, relationKinds[letter] ?? kind]] : [],
    ),
  )
  const texts = new Map<string, string>()
  for (const { text, words } of lines) {
    const name = nameOf(words, relations)
    texts.set(name, `${texts.get(name) ?? ''}${text}\n`)
  }
  return Object.fromEntries(
    [...texts].map(([name, text]) => [name, hash('sha256', text, 'hex').slice(0, 16)]),
  )
}

function nameOf([kind = '', ...names]: readonly string[], relations: ReadonlyMap<string, string>): string {
  const [schema = '', first = '', second = ''] = names
  const qualified = `${schema}.${first}`
  if (kind === 'relation' || kind === 'column') return `${relations.get(qualified) ?? kind} ${qualified}`
  if (kind === 'routine') return `routine ${qualified}(${second})`
  // An index has a name of its own in its schema.
  if (kind === 'index') return `index ${schema}.${second}`
  return `${kind} ${names.slice(0, namedBy[kind] ?? 1).join('.')}`
}
