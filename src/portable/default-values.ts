import { randomUUID } from 'node:crypto'
import { plainText, type Cell } from '../engine/cell.js'
import type { DefaultRule } from '../engine/table-header.js'
import type { Json } from '../env/json.js'
import { HoldfastError } from '../errors.js'
import type { NamedRow, RowContext, RuleHooks } from './table-rules.js'

/**
 * The value of a rule for one row.
 * @throws refused.schema for a rule that names a column or function that is not there
 */
export function ruleValue(rule: DefaultRule, row: NamedRow, context: RowContext, hooks: RuleHooks): Cell {
  const { kind, value } = rule
  switch (kind) {
    case 'value':
      return value
    case 'reference':
    case 'cast':
      return cellOf(row, plainText(value), context)
    case 'date':
      return isNow(value) ? context.now.slice(0, 10) : plainText(value)
    case 'time':
      return isNow(value) ? context.now.slice(11, 19) : plainText(value)
    case 'datetime':
      return isNow(value) ? context.now : plainText(value).replace(' ', 'T')
    case 'uuid':
      return randomUUID()
    case 'coalesce':
      return (
        listOf(value)
          .map((name) => cellOf(row, name, context))
          .find((cell) => cell !== null) ?? null
      )
    case 'concat':
      return listOf(value)
        .map((part) => (part in row ? text(row[part] ?? null) : part))
        .join('')
    case 'lookup':
      return lookedUp(value, row, context)
    case 'hook': {
      const hook = hooks[plainText(value)]
      if (hook === undefined)
        throw new HoldfastError(
          'refused.schema',
          `${context.table}: the configuration has no function ${plainText(value)} among portable.hooks`,
        )
      return hook(row, context)
    }
  }
}

function isNow(value: Json): boolean {
  return value === 'now' || value === null || value === '' || value === false || value === 0
}

function cellOf(row: NamedRow, name: string, { table }: RowContext): Cell {
  if (name in row) return row[name] ?? null
  throw new HoldfastError(
    'refused.schema',
    `${table}: a rule refers to the column ${name}, which the dump does not have`,
  )
}

function listOf(value: Json): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [plainText(value)]
}

function text(cell: Cell): string {
  return cell === null ? '' : typeof cell === 'string' ? cell : JSON.stringify(cell)
}

/** `{ "from": "status", "map": { "0": "new" }, "else": "old" }` */
function lookedUp(value: Json, row: NamedRow, context: RowContext): Cell {
  const {
    from,
    map = {},
    else: other = null,
  } = value as { readonly from: string; readonly map?: Readonly<Record<string, Cell>>; readonly else?: Cell }
  return map[text(cellOf(row, from, context))] ?? other
}
