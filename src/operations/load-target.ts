import { tableText, type TableHeader, type TableName } from '../engine/table-header.js'
import type { RowSinkCapabilities } from '../engine/row-sink.js'

/** How a table of a dump is called at the target. */
export function targetName(
  source: TableHeader,
  into: string | undefined,
  capabilities: RowSinkCapabilities,
): TableName {
  if (into !== undefined) {
    const [schema, name, ...more] = into.split('.')
    return schema !== undefined && name !== undefined && more.length === 0 && capabilities.schemas
      ? { schema, name }
      : { name: into }
  }
  if (!capabilities.schemas) return { name: source.table.name }
  const schema = source.table.schema ?? capabilities.defaultSchema
  return schema === undefined ? source.table : { schema, name: source.table.name }
}

/** By the whole name, else by the name alone where only one schema has it. */
export function findTarget(tables: readonly TableHeader[], wanted: TableName): TableHeader | undefined {
  const exact = tables.find(({ table }) => tableText(table) === tableText(wanted))
  if (exact !== undefined) return exact
  const named = tables.filter(({ table }) => table.name === wanted.name)
  return named.length === 1 ? named[0] : undefined
}

/**
 * A header for a table that is made: its columns have the names that they are to have, and so have those of the tables that it refers to.
 * @param renames what the columns of a table are to be called, and what they are called in the dump: `{ email: 'mail' }`
 */
export function withRenamedColumns(
  header: TableHeader,
  renames: (table: TableName) => Readonly<Record<string, string>>,
): TableHeader {
  const nowIn = (table: TableName) => {
    const names = new Map(Object.entries(renames(table)).map(([now, before]) => [before, now]))
    return (column: string) => names.get(column) ?? column
  }
  const now = nowIn(header.table)
  return {
    ...header,
    columns: header.columns.map((column) => ({ ...column, name: now(column.name) })),
    unique: header.unique.map((key) => key.map(now)),
    indexes: header.indexes.map((key) => key.map(now)),
    sequences: Object.fromEntries(
      Object.entries(header.sequences).map(([column, sequence]) => [now(column), sequence]),
    ),
    foreignKeys: header.foreignKeys.map((key) => ({
      ...key,
      columns: key.columns.map(now),
      referencedColumns: key.referencedColumns.map(nowIn(key.references)),
    })),
  }
}

/** A header for a table that is made: its own name, and those of the tables that it refers to. */
export function renamedHeader(
  header: TableHeader,
  table: TableName,
  rename: (table: TableName) => TableName,
): TableHeader {
  return {
    ...header,
    table,
    foreignKeys: header.foreignKeys.map((key) => ({ ...key, references: rename(key.references) })),
  }
}
