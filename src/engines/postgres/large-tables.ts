import type { Relation, ServerOverview } from './catalog.js'
import type { ListedPiece } from './pieces.js'
import { identifier, qualifiedName } from './quoting.js'
import type { PostgresSession } from './session.js'

/** What is worth a connection of its own. */
export interface PieceSizes {
  /** Of a table, from which on it is read in pieces; what is smaller is left to pg_dump. */
  readonly tableBytes: number
  /** Of a piece, in the database. */
  readonly pieceBytes: number
}

export const usualSizes: PieceSizes = { tableBytes: 16 * 1024 * 1024, pieceBytes: 64 * 1024 * 1024 }
/** Each is an artifact, and named in the manifest: of large databases the pieces are larger. */
const mostPieces = 1000

/** A table whose rows are read by connections of our own. */
export interface LargeTable {
  readonly schema: string
  readonly name: string
  readonly pages: number
  readonly bytes: number
  /** In their order; generated ones are left out. */
  readonly columns: readonly string[]
  /** The root of its partitions, where its rows are restored through that. */
  readonly root: { readonly schema: string; readonly name: string } | undefined
}

export interface Piece extends ListedPiece {
  /** The table, quoted. */
  readonly from: string
  /** The statement that reads it. */
  readonly read: string
}

/**
 * Ordinary tables that are worth it, of a database in UTF-8, since that is what the driver speaks. The rest is left to pg_dump,
 * which knows all there is.
 */
export async function findLargeTables(
  session: PostgresSession,
  { encoding, standby, version }: ServerOverview,
  filled: readonly Relation[],
  { sizes, throughRoot }: { readonly sizes: PieceSizes; readonly throughRoot: boolean },
): Promise<readonly LargeTable[]> {
  // A standby does not have the rows of unlogged tables.
  const tables = filled.filter(({ kind, unlogged }) => kind === 'table' && !(standby && unlogged))
  if (encoding !== 'UTF8' || tables.length === 0) return []
  const ordinary =
    version.major >= 12 ? `(SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid = c.relam) = 'heap'` : 'true'
  const generated = version.major >= 12 ? `a.attgenerated <> ''` : 'false'
  const found = await session.rows<{
    readonly schema: string
    readonly name: string
    readonly pages: string
    readonly bytes: string
    readonly columns: readonly string[]
    readonly root: readonly [schema: string, name: string] | null
  }>(
    `WITH RECURSIVE sized AS (
       SELECT c.oid, c.relname, c.relnamespace, s.main / pg_catalog.current_setting('block_size')::bigint AS pages,
              s.main + CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE coalesce(pg_catalog.pg_relation_size(c.reltoastrelid), 0) END AS bytes
       FROM pg_catalog.pg_class c, LATERAL (SELECT pg_catalog.pg_relation_size(c.oid) AS main) s
       WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'r' AND ${ordinary}),
     roots(oid, root, depth) AS (
       SELECT oid, oid, 0 FROM sized WHERE bytes >= $2
       UNION ALL
       SELECT r.oid, i.inhparent, r.depth + 1 FROM roots r JOIN pg_catalog.pg_inherits i ON i.inhrelid = r.root
       JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p')
     SELECT n.nspname::text AS schema, t.relname::text AS name, t.pages::text, t.bytes::text,
            ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT (${generated}) ORDER BY a.attnum) AS columns,
            (SELECT ARRAY[rn.nspname::text, rc.relname::text] FROM roots r JOIN pg_catalog.pg_class rc ON rc.oid = r.root
             JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
             WHERE r.oid = t.oid AND r.depth > 0 ORDER BY r.depth DESC LIMIT 1) AS root
     FROM sized t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     WHERE t.bytes >= $2 ORDER BY t.bytes DESC, t.oid`,
    [tables.map(({ oid }) => oid), sizes.tableBytes],
  )
  return found.map(({ pages, bytes, root, ...table }) => ({
    ...table,
    pages: Number(pages),
    bytes: Number(bytes),
    root: throughRoot && root !== null ? { schema: root[0], name: root[1] } : undefined,
  }))
}

/** The pieces of some tables, the largest table first, so that what is left for the end is small. */
export function piecesOf(
  tables: readonly LargeTable[],
  { pieceBytes }: PieceSizes,
  { version }: ServerOverview,
): readonly Piece[] {
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0)
  const wanted = Math.max(pieceBytes, total / mostPieces)
  const pieces: Piece[] = []
  for (const table of tables) {
    // Before 14 a range of pages is found by reading all of them.
    const parts = version.major < 14 ? 1 : Math.max(1, Math.round(table.bytes / wanted))
    for (const condition of ranges(table.pages, parts))
      pieces.push(pieceOf(table, condition, pieces.length + 1))
  }
  return pieces
}

/** Of pages: the last range has no end, whatever was added meanwhile. */
function ranges(pages: number, parts: number): readonly string[] {
  const step = Math.max(1, Math.ceil(pages / parts))
  const count = Math.max(1, Math.ceil(pages / step))
  return Array.from({ length: count }, (_, part) => {
    const from = part === 0 ? [] : [`ctid >= '(${part * step},0)'`]
    const to = part === count - 1 ? [] : [`ctid < '(${(part + 1) * step},0)'`]
    const both = [...from, ...to].join(' AND ')
    return both === '' ? '' : ` WHERE ${both}`
  })
}

function pieceOf({ schema, name, columns, root }: LargeTable, condition: string, number: number): Piece {
  const from = qualifiedName(schema, name)
  const into = root === undefined ? from : qualifiedName(root.schema, root.name)
  const list = columns.map(identifier).join(', ')
  const readable = /^\w{1,60}$/u.test(schema) && /^\w{1,60}$/u.test(name) ? `-${schema}.${name}` : ''
  return {
    piece: `${String(number).padStart(5, '0')}${readable}`,
    schema,
    table: name,
    from,
    read: `COPY (SELECT ${list} FROM ONLY ${from}${condition}) TO STDOUT`,
    copy: `COPY ${into} (${list}) FROM STDIN`,
  }
}
