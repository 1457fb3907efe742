import { tableText, type TableHeader } from '../../engine/table-header.js'
import type { Row } from '../../engine/cell.js'
import type { RowQuery } from '../../engine/row-source.js'
import type { PreparedTransform, RowTransform } from '../row-transform.js'
import { atOnce, picker, RowCollector, type Chosen } from './row-collector.js'
import { subsetPlan, type SubsetConfig } from './subset-config.js'

/** Leaves out the rows of a dump that do not belong to the subset. */
export function subsetTransform(config: SubsetConfig): RowTransform {
  return {
    stamp: 'subset',
    async prepare(cx, source, tables) {
      const plan = subsetPlan(config, await source.tables(), tables)
      const chosen = await new RowCollector(cx, source, plan).collect()
      const kept = new Set([...plan.keep].map(({ table }) => tableText(table)))
      const byName = new Map([...chosen].map(([{ table }, rows]) => [tableText(table), rows]))
      return preparedSubset(kept, byName)
    },
  }
}

function preparedSubset(kept: ReadonlySet<string>, chosen: ReadonlyMap<string, Chosen>): PreparedTransform {
  return {
    query({ table }): RowQuery | 'none' | undefined {
      if (kept.has(tableText(table))) return undefined
      const found = chosen.get(tableText(table))
      if (found === undefined || found.rows.size === 0) return 'none'
      // Few rows are asked for by their keys; of more, the table is read and the others are left out.
      if (!found.isUnique || found.rows.size > atOnce) return undefined
      return { in: { columns: found.key, values: [...found.rows].map((row) => JSON.parse(row) as Row) } }
    },
    row: (header) => (kept.has(tableText(header.table)) ? undefined : chosenRow(header, chosen)),
  }
}

function chosenRow(header: TableHeader, chosen: ReadonlyMap<string, Chosen>): (row: Row) => Row | undefined {
  const found = chosen.get(tableText(header.table))
  if (found === undefined) return () => undefined
  const key = picker(header.columns.map(({ name }) => name))(found.key)
  return (row) => (found.rows.has(JSON.stringify(key(row))) ? row : undefined)
}
