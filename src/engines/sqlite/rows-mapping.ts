import { tableMapping, type TableDialect } from '../../engine/create-table.js'
import { typeParts } from '../../engine/logical-type.js'
import type { TableMapping } from '../../engine/row-sink.js'
import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import { quoteName, quoteText } from './quoting.js'

/** There are no schemas: the tables of a schema lose its name. */
export function mappingOf(header: TableHeader): TableMapping {
  return tableMapping(header, dialect)
}

const dialect: TableDialect = {
  quote: quoteName,
  table: ({ name }) => quoteName(name),
  type: columnType,
  identity: (column, header) => ({
    sql: isRowid(column, header) ? 'PRIMARY KEY AUTOINCREMENT' : '',
    isKey: isRowid(column, header),
  }),
  defaultValue: (column, value) => {
    if (value === null || typeof value === 'object') return undefined
    if (typeof value === 'boolean') return value ? '1' : '0'
    return typeof value === 'number' && column.type !== 'text' ? String(value) : quoteText(String(value))
  },
  now: () => 'CURRENT_TIMESTAMP',
  check: (column) =>
    typeParts(column.type).base === 'enum' && column.labels !== undefined
      ? `${quoteName(column.name)} IN (${column.labels.map(quoteText).join(', ')})`
      : undefined,
  inlineForeignKeys: true,
}

function isRowid(column: ColumnHeader, header: TableHeader): boolean {
  return (
    column.primaryKey === 1 &&
    header.columns.filter(({ primaryKey }) => primaryKey !== undefined).length === 1
  )
}

const plain: Readonly<Record<string, string>> = {
  bool: 'BOOLEAN',
  f32: 'REAL',
  f64: 'REAL',
  text: 'TEXT',
  bytes: 'BLOB',
  date: 'DATE',
  timestamp: 'DATETIME',
  timestamptz: 'TIMESTAMPTZ',
  time: 'TIME',
  uuid: 'UUID_TEXT',
  json: 'JSON_TEXT',
  document: 'JSON_TEXT',
  interval: 'INTERVAL_TEXT',
  enum: 'TEXT',
}

function columnType(column: ColumnHeader): { readonly sql: string; readonly loss?: string } {
  const { base, args, array } = typeParts(column.type)
  if (array) return { sql: 'JSON_TEXT', loss: 'an array becomes JSON text' }
  if (/^[iu]\d/u.test(base)) {
    return base === 'u64'
      ? { sql: 'U64_TEXT', loss: 'an unsigned integer of 64 bits becomes text' }
      : { sql: 'INTEGER' }
  }
  if (base === 'numeric')
    return { sql: args.length === 0 ? 'DECIMAL_TEXT' : `DECIMAL_TEXT(${args.join(',')})` }
  if (base === 'geometry') return { sql: 'BLOB', loss: 'geometry becomes bytes (EWKB)' }
  if (base === 'text' && column.maxLength !== undefined) return { sql: `VARCHAR(${column.maxLength})` }
  const sql = plain[base]
  return sql === undefined ? { sql: 'TEXT', loss: `${column.db ?? column.type} becomes text` } : { sql }
}
