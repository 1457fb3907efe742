import { tableText, type TableHeader } from '../engine/table-header.js'

/**
 * The tables so that parents stand before their children, and otherwise in the order they came in. Of tables that refer to each
 * other in a circle none can be first: they stand together.
 */
export function loadOrder<Table extends Pick<TableHeader, 'table' | 'foreignKeys'>>(
  tables: readonly Table[],
): readonly Table[] {
  const byName = new Map(tables.map((table) => [tableText(table.table), table]))
  const ordered: Table[] = []
  const state = new Map<string, { index: number; low: number; open: boolean }>()
  const stack: Table[] = []
  // Tarjan's algorithm: a component is complete when all that it refers to is.
  const visit = (table: Table): { index: number; low: number; open: boolean } => {
    const own = { index: state.size, low: state.size, open: true }
    state.set(tableText(table.table), own)
    stack.push(table)
    for (const { references } of table.foreignKeys) {
      const parent = byName.get(tableText(references))
      if (parent === undefined) continue
      const known = state.get(tableText(parent.table))
      if (known === undefined) own.low = Math.min(own.low, visit(parent).low)
      else if (known.open) own.low = Math.min(own.low, known.index)
    }
    if (own.low === own.index) {
      const component = stack.splice(stack.indexOf(table))
      for (const each of component) {
        const member = state.get(tableText(each.table))
        if (member !== undefined) member.open = false
      }
      ordered.push(...component)
    }
    return own
  }
  for (const table of tables) if (!state.has(tableText(table.table))) visit(table)
  return ordered
}
