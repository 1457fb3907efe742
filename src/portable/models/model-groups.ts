import { tableText, type TableHeader } from '../../engine/table-header.js'
import type { ModelFacts } from '../model-facts.js'

/**
 * The groups of each table by the models: `tableText` → groups. A table that no model names and that only joins tables of models,
 * as those of implicit many-to-many relations, belongs to the groups of both; the catalog knows of it.
 */
export function modelGroups(
  facts: ModelFacts,
  tables: readonly TableHeader[],
): ReadonlyMap<string, readonly string[]> {
  const groupsOf = (header: TableHeader) =>
    (facts.tables.get(tableText(header.table)) ?? facts.tables.get(header.table.name))?.groups
  const named = new Map(tables.map((header) => [tableText(header.table), groupsOf(header)]))
  return new Map(
    tables.map((header) => {
      const name = tableText(header.table)
      const own = named.get(name)
      if (own !== undefined) return [name, own]
      const joined = header.foreignKeys.map(({ references }) => named.get(tableText(references)))
      const groups = isJoin(header) && joined.every((each) => each !== undefined) ? joined.flat() : []
      return [name, [...new Set(groups)]]
    }),
  )
}

/** Nothing but references to two rows, and perhaps a number of its own. */
function isJoin({ columns, foreignKeys }: TableHeader): boolean {
  const referring = new Set(foreignKeys.flatMap((key) => key.columns))
  return (
    foreignKeys.length === 2 &&
    columns.every(({ name, primaryKey }) => referring.has(name) || primaryKey !== undefined)
  )
}
