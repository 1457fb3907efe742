import { tableMapping, type TableDialect } from '../../engine/create-table.js'
import { typeParts } from '../../engine/logical-type.js'
import type { TableMapping } from '../../engine/row-sink.js'
import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import { quoteName } from './quoting.js'

export function mappingOf(header: TableHeader): TableMapping {
  return tableMapping(header, dialect)
}

const quoteText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

const dialect: TableDialect = {
  quote: quoteName,
  table: ({ name }) => quoteName(name),
  type: columnType,
  // A column that numbers itself has to be a key.
  identity: (column) =>
    column.primaryKey === 1
      ? { sql: 'AUTO_INCREMENT', isKey: false }
      : { sql: 'UNIQUE AUTO_INCREMENT', isKey: false },
  defaultValue: (column, value) => {
    if (value === null || typeof value === 'object') return undefined
    // Texts without a length have no defaults in MySQL.
    if (['text', 'json', 'bytes', 'geometry'].includes(column.type) && column.maxLength === undefined)
      return undefined
    if (typeof value === 'boolean') return value ? '1' : '0'
    return typeof value === 'number' ? String(value) : quoteText(value)
  },
  now: (column) =>
    /^timestamp/u.test(column.type) ? `CURRENT_TIMESTAMP(${column.precision ?? 6})` : undefined,
  inlineForeignKeys: false,
}

const integers: Readonly<Record<string, string>> = {
  8: 'tinyint',
  16: 'smallint',
  24: 'mediumint',
  32: 'int',
  64: 'bigint',
}

const plain: Readonly<Record<string, string>> = {
  bool: 'tinyint(1)',
  f32: 'float',
  f64: 'double',
  date: 'date',
  year: 'year',
  json: 'json',
  document: 'json',
  geometry: 'geometry',
}

/** In a key a text needs a length: 191 characters of utf8mb4 fit into any index. */
const keyLength = 191

function columnType(
  column: ColumnHeader,
  header: TableHeader,
): { readonly sql: string; readonly loss?: string } {
  const { base, args, array } = typeParts(column.type)
  if (array) return { sql: 'json', loss: 'an array becomes JSON' }
  const integer = /^([iu])(\d+)$/u.exec(base)
  if (integer !== null)
    return { sql: `${integers[integer[2] ?? ''] ?? 'bigint'}${integer[1] === 'u' ? ' unsigned' : ''}` }
  switch (base) {
    case 'numeric':
      return decimal(args)
    case 'text':
      return text(column, header)
    case 'bytes':
      return { sql: column.maxLength === undefined ? 'longblob' : `varbinary(${column.maxLength})` }
    case 'timestamp':
      return { sql: `datetime(${column.precision ?? 6})` }
    case 'timestamptz':
      return {
        sql: `datetime(${column.precision ?? 6})`,
        loss: 'a time with its zone becomes DATETIME in UTC',
      }
    case 'time':
      return { sql: `time(${column.precision ?? 6})` }
    case 'uuid':
      return { sql: 'char(36)' }
    case 'enum':
    case 'set':
      return { sql: `${base}(${(column.labels ?? []).map(quoteText).join(',')})` }
    case 'bit':
      return args[0] !== undefined && args[0] <= 64
        ? { sql: `bit(${args[0]})` }
        : { sql: 'longtext', loss: 'bits become text' }
    default: {
      const sql = plain[base]
      return sql === undefined
        ? { sql: 'longtext', loss: `${column.db ?? column.type} becomes text` }
        : { sql }
    }
  }
}

function decimal(args: readonly number[]): { readonly sql: string; readonly loss?: string } {
  const [precision = 65, scale = 30] = args
  const loss =
    args.length === 0
      ? 'a numeric without limits becomes decimal(65,30)'
      : 'it becomes decimal(65,30), the largest'
  if (args.length === 0 || precision > 65 || scale > 30 || scale < 0) return { sql: 'decimal(65,30)', loss }
  return { sql: `decimal(${precision},${scale})` }
}

function text(column: ColumnHeader, header: TableHeader): { readonly sql: string; readonly loss?: string } {
  const declared = column.maxLength ?? lengthIn(column.db)
  if (declared !== undefined && declared <= 16_000) return { sql: `varchar(${declared})` }
  const keys = [...header.unique, ...header.indexes, ...header.foreignKeys.map((key) => key.columns)]
  const isKey =
    column.primaryKey !== undefined ||
    keys.some((key) => key.includes(column.name)) ||
    column.defaultValue !== undefined
  return isKey
    ? { sql: `varchar(${keyLength})`, loss: `a text in a key becomes varchar(${keyLength})` }
    : { sql: 'longtext' }
}

function lengthIn(db: string | undefined): number | undefined {
  const length = /char\w*\s*\((\d+)\)/iu.exec(db ?? '')?.[1]
  return length === undefined ? undefined : Number(length)
}
