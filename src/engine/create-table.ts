import type { Json } from '../env/json.js'
import type { TableMapping } from './row-sink.js'
import {
  tableText,
  type ColumnHeader,
  type ForeignKey,
  type TableHeader,
  type TableName,
} from './table-header.js'

/** How an engine writes the parts of a CREATE TABLE. */
export interface TableDialect {
  quote(name: string): string
  table(name: TableName): string
  /** The column's type, and what is lost with it: `becomes numeric(20)`. */
  type(column: ColumnHeader, header: TableHeader): { readonly sql: string; readonly loss?: string }
  /** What stands after the type of a column that numbers itself, the primary key included where it has to stand there. */
  identity(column: ColumnHeader, header: TableHeader): { readonly sql: string; readonly isKey: boolean }
  /** A default as SQL; undefined where the engine has none for this type. */
  defaultValue(column: ColumnHeader, value: Json): string | undefined
  now(column: ColumnHeader): string | undefined
  /** A CHECK that stands for what the type does not say: the labels of an enum. */
  check?(column: ColumnHeader): string | undefined
  /** Foreign keys stand within the CREATE TABLE, and may name tables that are made later. */
  readonly inlineForeignKeys: boolean
}

/** The statements that make a table as its header describes it, and what of it is lost. */
export function tableMapping(header: TableHeader, dialect: TableDialect): TableMapping {
  const losses: string[] = []
  const name = tableText(header.table)
  const keyColumns = header.columns
    .filter(({ primaryKey }) => primaryKey !== undefined)
    .sort((a, b) => (a.primaryKey ?? 0) - (b.primaryKey ?? 0))
  const made: ColumnHeader[] = []
  let keyStands = false
  const columns = header.columns.map((column) => {
    const { sql, loss } = dialect.type(column, header)
    if (loss !== undefined) losses.push(`${name}.${column.name}: ${loss}`)
    made.push({ ...column, db: sql })
    const parts = [dialect.quote(column.name), sql]
    if (column.identity !== undefined) {
      const { sql: identity, isKey } = dialect.identity(column, header)
      keyStands ||= isKey
      parts.push(identity)
    }
    if (!column.nullable) parts.push('NOT NULL')
    const filled = defaultClause(column, dialect)
    if (filled !== undefined) parts.push(`DEFAULT ${filled}`)
    else if (column.hasDefault && column.identity === undefined)
      losses.push(
        `${name}.${column.name}: its default is computed by ${column.db ?? 'the source'} and does not carry over`,
      )
    const check = dialect.check?.(column)
    if (check !== undefined) parts.push(`CHECK (${check})`)
    return parts.filter((part) => part !== '').join(' ')
  })
  const list = (names: readonly string[]) => `(${names.map((each) => dialect.quote(each)).join(', ')})`
  const foreign = header.foreignKeys.map((key) => foreignKeyClause(key, dialect, list))
  for (const { name: column } of header.generated)
    losses.push(`${name}.${column}: a generated column, which does not carry over`)
  for (const other of header.notCarried) losses.push(`${name}: ${other} does not carry over`)
  const table = dialect.table(header.table)
  const lines = [
    ...columns,
    ...(keyColumns.length === 0 || keyStands
      ? []
      : [`PRIMARY KEY ${list(keyColumns.map((each) => each.name))}`]),
    ...header.unique.map((key) => `UNIQUE ${list(key)}`),
    ...(dialect.inlineForeignKeys ? foreign : []),
  ]
  return {
    table: { ...header, columns: made },
    losses,
    statements: [
      `CREATE TABLE ${table} (\n  ${lines.join(',\n  ')}\n)`,
      ...header.indexes.map((index, place) => {
        const label = `${header.table.name}_${index.join('_')}`.slice(0, 56)
        return `CREATE INDEX ${dialect.quote(`${label}_${place}`)} ON ${table} ${list(index)}`
      }),
    ],
    after: dialect.inlineForeignKeys ? [] : foreign.map((clause) => `ALTER TABLE ${table} ADD ${clause}`),
  }
}

function defaultClause(column: ColumnHeader, dialect: TableDialect): string | undefined {
  const { defaultValue } = column
  if (defaultValue === undefined) return undefined
  return 'now' in defaultValue ? dialect.now(column) : dialect.defaultValue(column, defaultValue.value)
}

function foreignKeyClause(
  key: ForeignKey,
  dialect: TableDialect,
  list: (names: readonly string[]) => string,
): string {
  return [
    `FOREIGN KEY ${list(key.columns)} REFERENCES ${dialect.table(key.references)} ${list(key.referencedColumns)}`,
    ...(key.onDelete === undefined ? [] : [`ON DELETE ${key.onDelete}`]),
    ...(key.onUpdate === undefined ? [] : [`ON UPDATE ${key.onUpdate}`]),
  ].join(' ')
}
