import type {
  ForeignKey,
  GeneratedColumn,
  Sequence,
  TableHeader,
  TableName,
} from '../../engine/table-header.js'
import { notOfExtension, userSchema } from './catalog.js'
import { identifier } from './quoting.js'
import { logicalType, maxLengthOf, plainDefault, precisionOf, type CatalogType } from './rows-types.js'
import type { PostgresSession } from './session.js'

/** What the sink and the source alone know of a column. */
export interface OwnColumn {
  /** The sequence that numbers it, quoted with its schema. */
  readonly sequence?: string
}

/** What they know of a table, beside its header. */
export interface OwnTable {
  readonly header: TableHeader
  /** A partitioned table's rows are in its partitions; another's are its own alone. */
  readonly partitioned: boolean
  readonly rowsHidden: boolean
  readonly readable: boolean
}

interface TableRow {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly rows: number
  readonly partitioned: boolean
  readonly hidden: boolean
  readonly readable: boolean
}

interface ColumnRow {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly base: string
  readonly kind: string
  readonly array: boolean
  readonly notnull: boolean
  readonly identity: string
  readonly generated: string | null
  readonly expression: string | null
  readonly labels: readonly string[] | null
  readonly sequence: string | null
}

/** Every table of the user's that holds rows, in order of schema and name. */
export async function readTables(session: PostgresSession): Promise<readonly OwnTable[]> {
  const tables = await session.rows<TableRow>(`
    SELECT c.oid::text, n.nspname::text AS schema, c.relname::text AS name, c.reltuples::float8 AS rows,
           c.relkind = 'p' AS partitioned, c.relkind = 'r' AND pg_catalog.row_security_active(c.oid) AS hidden,
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${userSchema}
      AND ${notOfExtension('pg_class', 'c.oid')}
    ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"`)
  const columns = groupedBy(await readColumns(session), ({ table }) => table)
  const keys = groupedBy(await readKeys(session), ({ table }) => table)
  const foreign = groupedBy(await readForeignKeys(session), ({ table }) => table)
  const others = groupedBy(await readOthers(session), ({ table }) => table)
  const sequences = await readSequences(session, [...columns.values()].flat())
  return tables.map((table) => ({
    partitioned: table.partitioned,
    rowsHidden: table.hidden,
    readable: table.readable,
    header: headerOf(table, {
      columns: columns.get(table.oid) ?? [],
      keys: keys.get(table.oid) ?? [],
      foreign: foreign.get(table.oid) ?? [],
      others: others.get(table.oid) ?? [],
      sequences,
    }),
  }))
}

interface Details {
  readonly columns: readonly ColumnRow[]
  readonly keys: readonly KeyRow[]
  readonly foreign: readonly ForeignRow[]
  readonly others: readonly { readonly what: string }[]
  readonly sequences: ReadonlyMap<string, Sequence>
}

function headerOf({ schema, name, rows }: TableRow, details: Details): TableHeader {
  const primary = details.keys.find((key) => key.primary)?.columns ?? []
  const stored = details.columns.filter(({ generated }) => (generated ?? '') === '')
  return {
    table: { schema, name },
    columns: stored.map((column) => {
      const { sequence, expression } = column
      const type: CatalogType = {
        name: column.base,
        kind: column.kind,
        array: column.array,
        text: column.type,
      }
      const logical = logicalType(type)
      const place = primary.indexOf(column.name)
      const plain = sequence === null ? plainDefault(expression, logical) : undefined
      const maxLength = maxLengthOf(type)
      const precision = precisionOf(type)
      const own: OwnColumn = sequence === null ? {} : { sequence }
      return {
        name: column.name,
        type: logical,
        db: column.type,
        ...(place < 0 ? {} : { primaryKey: place + 1 }),
        nullable: !column.notnull,
        ...(column.identity === 'a'
          ? { identity: 'always' as const }
          : sequence === null
            ? {}
            : { identity: 'by default' as const }),
        ...(maxLength === undefined ? {} : { maxLength }),
        ...(precision === undefined ? {} : { precision }),
        ...(column.labels === null ? {} : { labels: column.labels }),
        ...(plain === undefined ? {} : { defaultValue: plain }),
        hasDefault: expression !== null || sequence !== null,
        own,
      }
    }),
    foreignKeys: details.foreign.map(foreignKeyOf),
    unique: details.keys.filter((key) => key.unique && !key.primary).map(({ columns }) => columns),
    indexes: details.keys.filter((key) => !key.unique).map(({ columns }) => columns),
    sequences: Object.fromEntries(
      stored.flatMap(({ name: column, sequence }) => {
        const state = sequence === null ? undefined : details.sequences.get(sequence)
        return state === undefined ? [] : [[column, state] as const]
      }),
    ),
    renamedFrom: {},
    defaults: {},
    generated: details.columns
      .filter(({ generated }) => (generated ?? '') !== '')
      .map(({ name: column, type, expression }): GeneratedColumn => ({
        name: column,
        db: type,
        ...(expression === null ? {} : { expression }),
      })),
    notCarried: details.others.map(({ what }) => what),
    ...(rows > 0 ? { estimatedRows: Math.round(rows) } : {}),
  }
}

/** The types that extensions and users have made, as SQL writes them; without those that stand for the rows of tables. */
export async function readOwnTypes(session: PostgresSession): Promise<ReadonlySet<string>> {
  const types = await session.rows<{ name: string }>(`
    SELECT pg_catalog.format_type(t.oid, NULL) AS name FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace AND ${userSchema}
    LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE t.typisdefined AND t.typtype <> 'p' AND t.typcategory <> 'A' AND (c.oid IS NULL OR c.relkind = 'c')`)
  return new Set(types.map(({ name }) => name))
}

async function readColumns(session: PostgresSession): Promise<readonly ColumnRow[]> {
  return session.rows<ColumnRow>(`
    SELECT a.attrelid::text AS table, a.attname::text AS name, pg_catalog.format_type(coalesce(d.oid, t.oid), coalesce(nullif(t.typtypmod, -1), a.atttypmod)) AS type,
           coalesce(e.typname, b.typname)::text AS base, coalesce(e.typtype, b.typtype)::text AS kind, e.oid IS NOT NULL AS array,
           a.attnotnull OR t.typnotnull AS notnull, a.attidentity::text AS identity, pg_catalog.to_jsonb(a) ->> 'attgenerated' AS generated,
           pg_catalog.pg_get_expr(f.adbin, f.adrelid) AS expression,
           (SELECT pg_catalog.array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l
             WHERE l.enumtypid = coalesce(e.oid, b.oid)) AS labels,
           (SELECT pg_catalog.format('%I.%I', sn.nspname, s.relname) FROM pg_catalog.pg_depend p
             JOIN pg_catalog.pg_class s ON s.oid = p.objid AND s.relkind = 'S' JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
             WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
               AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i') LIMIT 1) AS sequence
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND ${userSchema}
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type d ON t.typtype = 'd' AND d.oid = t.typbasetype
    JOIN pg_catalog.pg_type b ON b.oid = coalesce(d.oid, t.oid)
    LEFT JOIN pg_catalog.pg_type e ON b.typcategory = 'A' AND b.typelem <> 0 AND e.oid = b.typelem
    LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`)
}

interface KeyRow {
  readonly table: string
  readonly primary: boolean
  readonly unique: boolean
  readonly columns: readonly string[]
}

/** Indexes on plain columns, whole and of the usual kind; a primary key and a unique constraint is one of them. */
async function readKeys(session: PostgresSession): Promise<readonly KeyRow[]> {
  return session.rows<KeyRow>(`
    SELECT i.indrelid::text AS table, i.indisprimary AS primary, i.indisunique AS unique,
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY k(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace AND ${userSchema}
    WHERE i.indexprs IS NULL AND i.indpred IS NULL AND i.indisvalid
    ORDER BY i.indrelid, x.relname`)
}

interface ForeignRow {
  readonly table: string
  readonly name: string
  readonly columns: readonly string[]
  readonly schema: string
  readonly parent: string
  readonly referenced: readonly string[]
  readonly ondelete: string
  readonly onupdate: string
}

const attributeNames = (relation: string, numbers: string) =>
  `ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY k(num, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.num ORDER BY k.place)`

async function readForeignKeys(session: PostgresSession): Promise<readonly ForeignRow[]> {
  return session.rows<ForeignRow>(`
    SELECT f.conrelid::text AS table, f.conname::text AS name, ${attributeNames('f.conrelid', 'f.conkey')} AS columns,
           pn.nspname::text AS schema, p.relname::text AS parent, ${attributeNames('f.confrelid', 'f.confkey')} AS referenced,
           f.confdeltype::text AS ondelete, f.confupdtype::text AS onupdate
    FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    WHERE f.contype = 'f' AND f.conparentid = 0 ORDER BY f.conrelid, f.conname`)
}

const actions: Readonly<Record<string, string>> = {
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
  r: 'RESTRICT',
}

function foreignKeyOf({
  name,
  columns,
  schema,
  parent,
  referenced,
  ondelete,
  onupdate,
}: ForeignRow): ForeignKey {
  const references: TableName = { schema, name: parent }
  return {
    name,
    columns,
    references,
    referencedColumns: referenced,
    ...(actions[ondelete] === undefined ? {} : { onDelete: actions[ondelete] }),
    ...(actions[onupdate] === undefined ? {} : { onUpdate: actions[onupdate] }),
  }
}

/** What a dump of rows does not carry to another database. */
async function readOthers(
  session: PostgresSession,
): Promise<readonly { readonly table: string; readonly what: string }[]> {
  return session.rows(`
    SELECT c.conrelid::text AS table, 'check ' || c.conname AS what FROM pg_catalog.pg_constraint c WHERE c.contype = 'c' AND c.conrelid <> 0
    UNION ALL SELECT c.conrelid::text, 'exclusion ' || c.conname FROM pg_catalog.pg_constraint c WHERE c.contype = 'x'
    UNION ALL SELECT g.tgrelid::text, 'trigger ' || g.tgname FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal
    UNION ALL SELECT i.indrelid::text, 'index ' || x.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_am m ON m.oid = x.relam WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR m.amname <> 'btree'
    UNION ALL SELECT p.polrelid::text, 'policy ' || p.polname FROM pg_catalog.pg_policy p ORDER BY 2`)
}

/** The next value of each sequence, by its quoted name. */
async function readSequences(
  session: PostgresSession,
  columns: readonly ColumnRow[],
): Promise<ReadonlyMap<string, Sequence>> {
  const names = [...new Set(columns.flatMap(({ sequence }) => (sequence === null ? [] : [sequence])))]
  const found = new Map<string, Sequence>()
  // A few hundred at once: each is a relation of its own.
  for (let from = 0; from < names.length; from += 200) {
    const some = names.slice(from, from + 200)
    const rows = await session.rows<{ place: number; next: string; increment: string }>(
      some
        .map(
          (name, place) =>
            `SELECT ${place} AS place, CASE WHEN s.is_called THEN s.last_value::numeric + q.seqincrement ELSE s.last_value END::text AS next,
               q.seqincrement::text AS increment FROM ${name} s JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid`,
        )
        .join(' UNION ALL '),
    )
    for (const { place, next, increment } of rows) found.set(some[place] ?? '', { next, increment })
  }
  return found
}

export function columnList(columns: readonly string[]): string {
  return columns.map(identifier).join(', ')
}

function groupedBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
