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
