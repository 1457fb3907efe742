import { HoldfastError } from '../errors.js'
import type { LoadMode } from './row-sink.js'
import { tableText, type TableHeader } from './table-header.js'

/** The columns of the primary key, in its order. */
export function primaryKeyOf(table: TableHeader): readonly string[] {
  return table.columns
    .filter(({ primaryKey }) => primaryKey !== undefined)
    .sort((a, b) => (a.primaryKey ?? 0) - (b.primaryKey ?? 0))
    .map(({ name }) => name)
}

/**
 * What tells rows apart for the modes that merge: the primary key, else a unique key, of which the rows have all columns. Empty
 * for the other modes.
 * @throws usage.not-supported where there is none
 */
export function keyOf(table: TableHeader, columns: readonly string[], mode: LoadMode): readonly string[] {
  if (mode === 'replace' || mode === 'append') return []
  const keys = [primaryKeyOf(table), ...table.unique]
  const found = keys.find((key) => key.length > 0 && key.every((name) => columns.includes(name)))
  if (found !== undefined) return found
  throw new HoldfastError(
    'usage.not-supported',
    `${tableText(table.table)} has no key to tell its rows by: load it with the mode replace or append`,
  )
}
