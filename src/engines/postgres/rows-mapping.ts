import { tableMapping, type TableDialect } from '../../engine/create-table.js'
import { typeParts } from '../../engine/logical-type.js'
import type { TableMapping } from '../../engine/row-sink.js'
import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import { identifier, literal, qualifiedName } from './quoting.js'

export const defaultSchema = 'public'

/**
 * Of another engine's table the schema is `public`. An enum becomes a type of the table's own.
 * @param known the types that extensions and users have made there: `public.hstore`
 */
export function mappingOf(header: TableHeader, known: ReadonlySet<string>): TableMapping {
  const type: TableDialect['type'] = (column) => columnType(column, header, known)
  const mapping = tableMapping(header, { ...dialect, type })
  return { ...mapping, statements: [...enumTypes(header), ...mapping.statements] }
}

const dialect: Omit<TableDialect, 'type'> = {
  quote: identifier,
  table: ({ schema = defaultSchema, name }) => qualifiedName(schema, name),
  identity: ({ identity }) => ({
    sql: `GENERATED ${identity === 'always' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`,
    isKey: false,
  }),
  defaultValue: (_column, value) =>
    typeof value === 'object' && value !== null
      ? undefined
      : value === null
        ? undefined
        : literal(String(value)),
  now: () => 'CURRENT_TIMESTAMP',
  inlineForeignKeys: false,
}

const plain: Readonly<Record<string, string>> = {
  bool: 'boolean',
  i8: 'smallint',
  i16: 'smallint',
  i24: 'integer',
  i32: 'integer',
  i64: 'bigint',
  u8: 'smallint',
  u16: 'integer',
  u24: 'integer',
  u32: 'bigint',
  f32: 'real',
  f64: 'double precision',
  bytes: 'bytea',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamp with time zone',
  time: 'time',
  timetz: 'time with time zone',
  interval: 'interval',
  uuid: 'uuid',
}

/** Types of PostgreSQL that stand in `db` and are there in every database. */
const ownTypes =
  /^(?:inet|cidr|macaddr8?|xml|tsvector|tsquery|money|point|line|lseg|box|path|polygon|circle|int[48]range|numrange|tsrange|tstzrange|daterange|pg_lsn|"char"|jsonb?)(?:\[\])*$/u

/** Whether a type is there, whose name a file says: `public.geometry(Point,4326)`. */
function isKnown(db: string, known: ReadonlySet<string>): boolean {
  const name = /^(.+?)(?:\([\w, -]+\))?(?:\[\])*$/u.exec(db)?.[1]
  return name !== undefined && known.has(name)
}

function columnType(
  column: ColumnHeader,
  header: TableHeader,
  known: ReadonlySet<string>,
): { readonly sql: string; readonly loss?: string } {
  const { base, args, array } = typeParts(column.type)
  const one = oneType(column, base, args, header, known)
  return array ? { ...one, sql: `${one.sql}[]` } : one
}

function oneType(
  column: ColumnHeader,
  base: string,
  args: readonly number[],
  header: TableHeader,
  known: ReadonlySet<string>,
): { readonly sql: string; readonly loss?: string } {
  const { precision, maxLength, db = '' } = column
  switch (base) {
    case 'u64':
      return { sql: 'numeric(20)', loss: 'an unsigned integer of 64 bits becomes numeric(20)' }
    case 'numeric':
      return { sql: args.length === 0 ? 'numeric' : `numeric(${args.join(',')})` }
    case 'text':
      return {
        sql:
          maxLength === undefined || maxLength === 0 || maxLength > 10_485_760
            ? 'text'
            : `varchar(${maxLength})`,
      }
    case 'timestamp':
    case 'time':
      return { sql: precision === undefined ? base : `${base}(${precision})` }
    case 'timestamptz':
      return { sql: precision === undefined ? 'timestamptz' : `timestamptz(${precision})` }
    case 'json':
    case 'document':
      return { sql: db === 'jsonb' ? 'jsonb' : 'json' }
    case 'enum':
      return { sql: enumName(header, column) }
    case 'set':
      return { sql: 'text', loss: 'a set becomes text, its labels joined by commas' }
    case 'bit':
      return { sql: args.length === 0 ? 'varbit' : `bit(${args[0]})` }
    case 'year':
      return { sql: 'smallint', loss: 'a year becomes smallint' }
    case 'geometry': {
      const own = isKnown(db, known) ? db : [...known].find((name) => /(?:^|\.)geometry$/u.test(name))
      return own === undefined ? { sql: 'bytea', loss: 'geometry becomes bytes (EWKB)' } : { sql: own }
    }
    case 'native':
      return ownTypes.test(db) || isKnown(db, known)
        ? { sql: db }
        : { sql: 'text', loss: `${db === '' ? 'an own type' : db} becomes text` }
    default: {
      const sql = plain[base]
      return sql === undefined ? { sql: 'text', loss: `${column.type} becomes text` } : { sql }
    }
  }
}

function enumName({ table: { schema = defaultSchema, name } }: TableHeader, column: ColumnHeader): string {
  return qualifiedName(schema, `${name}_${column.name}`.slice(0, 63))
}

function enumTypes(header: TableHeader): readonly string[] {
  return header.columns
    .filter(({ type }) => typeParts(type).base === 'enum')
    .map(
      (column) =>
        `CREATE TYPE ${enumName(header, column)} AS ENUM (${(column.labels ?? []).map(literal).join(', ')})`,
    )
}
