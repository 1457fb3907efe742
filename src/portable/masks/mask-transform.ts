import type { Row } from '../../engine/cell.js'
import type { RowSource } from '../../engine/row-source.js'
import { tableText, type TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import type { PreparedTransform, RowTransform } from '../row-transform.js'
import { columnDomains, type ColumnDomain, type KeyedColumn } from './column-domains.js'
import { Keyed } from './keyed.js'
import { MaskRules, type FoundRule, type MaskConfig } from './mask-config.js'
import { sameRule, type CellMask, type MaskedColumns } from './mask-rule.js'

const shortestKey = 16

/**
 * Masks the rows of a dump as the configuration says.
 * @throws config.invalid for a key that is too short
 */
export function maskTransform(config: MaskConfig): RowTransform {
  const rules = new MaskRules(config)
  const key = keyOf(config)
  return {
    stamp: 'masked',
    async prepare(
      _cx: Context,
      source: RowSource,
      tables: readonly TableHeader[],
    ): Promise<PreparedTransform> {
      const all = await source.tables()
      rules.checkNames(all)
      if (config.mode === 'allowlist') checkAllListed(rules, all, tables)
      const masks = cellMasks(rules, all, key)
      return { row: (header) => rowMask(header, masks) }
    },
  }
}

type CellMasks = ReadonlyMap<string, CellMask>

function rowMask(header: TableHeader, masks: CellMasks): ((row: Row) => Row) | undefined {
  const own = header.columns.map((column) => {
    const mask = masks.get(`${tableText(header.table)}.${column.name}`)
    return mask === undefined ? undefined : { mask, column }
  })
  if (own.every((each) => each === undefined)) return undefined
  return (row) =>
    row.map((cell, index) => {
      const found = own[index]
      return cell === null || found === undefined
        ? cell
        : found.mask(cell, { header, column: found.column, row })
    })
}

/** By the column's full name; columns that stay as they are have none. @throws config.invalid */
function cellMasks(rules: MaskRules, all: readonly TableHeader[], key: Secret | undefined): CellMasks {
  const masks = new Map<string, CellMask>()
  for (const domain of columnDomains(all)) {
    const found = domain.columns.map((column) => ({
      column,
      own: rules.ruleFor(column.header, column.column.name),
    }))
    // NULL refers to nothing: what refers may have it, whatever becomes of the others.
    const isApart = ({ column, own }: RuledColumn) => own?.rule.mask === 'null' && column.name !== domain.name
    const others = found.filter((each) => !isApart(each))
    const groups = [
      ...found.filter(isApart).map(({ column, own }) => ({ columns: [column], rule: own })),
      { columns: others.map(({ column }) => column), rule: sharedRule(domain, others) },
    ]
    for (const { columns, rule } of groups) {
      if (rule === undefined || rule.rule.keeps === true || columns.length === 0) continue
      const mask = rule.rule.prepare(maskedColumns(domain, columns, rule, key))
      for (const { name } of columns) masks.set(name, mask)
    }
  }
  return masks
}

interface RuledColumn {
  readonly column: KeyedColumn
  readonly own: FoundRule | undefined
}

/**
 * The rule of columns that foreign keys join: that of the root, or the same wherever there is one.
 * @throws config.invalid where a foreign key would no longer lead to its row
 */
function sharedRule(domain: ColumnDomain, columns: readonly RuledColumn[]): FoundRule | undefined {
  const root = columns.find(({ column }) => column.name === domain.name)
  const shared = root === undefined ? columns.find(({ own }) => own !== undefined)?.own : root.own
  for (const { column, own } of columns) {
    if (own === undefined || (own.rule.keeps === true && shared === undefined)) continue
    if (shared !== undefined && sameRule(own.rule, shared.rule)) continue
    throw new HoldfastError(
      'config.invalid',
      `${own.place}: ${column.name} refers to ${domain.name}, which ${shared === undefined ? 'has no rule' : `has another rule (${shared.place})`}`,
      { hint: `give ${domain.name} the rule: what refers to it follows by itself` },
    )
  }
  return shared
}

function maskedColumns(
  domain: ColumnDomain,
  columns: readonly KeyedColumn[],
  { rule, place }: FoundRule,
  key: Secret | undefined,
): MaskedColumns {
  const lengths = columns.flatMap(({ column }) => column.maxLength ?? [])
  const name = columns.length === 1 ? (columns[0]?.name ?? domain.name) : domain.name
  return {
    place: `${name} (${place})`,
    columns: columns.map(({ column }) => column),
    unique: columns.some(({ unique }) => unique),
    notNull: columns.some(({ column }) => !column.nullable),
    maxLength: lengths.length === 0 ? undefined : Math.min(...lengths),
    keyed() {
      if (key !== undefined) return new Keyed(key, rule.options.domain ?? domain.name)
      throw new HoldfastError('config.invalid', `mask.key is missing, which ${place} needs`, {
        hint: "set it to env('MASK_KEY') and the variable to what `openssl rand -hex 32` prints",
      })
    },
  }
}

/** @throws config.invalid naming every column without a rule */
function checkAllListed(rules: MaskRules, all: readonly TableHeader[], tables: readonly TableHeader[]): void {
  const dumped = new Set(tables.map(({ table }) => tableText(table)))
  const missing = columnDomains(all).flatMap(({ name, columns }) => {
    const root = columns.find((each) => each.name === name)
    const follows = root !== undefined && rules.ruleFor(root.header, root.column.name) !== undefined
    return columns.filter(
      ({ header, column }) =>
        dumped.has(tableText(header.table)) && !follows && rules.ruleFor(header, column.name) === undefined,
    )
  })
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name)
  throw new HoldfastError('config.invalid', `no mask is given for ${names.join(', ')}`, {
    hint: 'the mode allowlist wants a rule for every column: mask.keep() where there is nothing to hide',
    details: { columns: names },
  })
}

function keyOf({ key }: MaskConfig): Secret | undefined {
  if (key === undefined) return undefined
  const secret = typeof key === 'string' ? new Secret(key) : key
  if (secret.reveal().length >= shortestKey) return secret
  throw new HoldfastError(
    'config.invalid',
    `mask.key has fewer than ${shortestKey} characters, and could be guessed`,
    {
      hint: '`openssl rand -hex 32` prints a good one',
    },
  )
}
