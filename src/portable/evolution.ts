import { plainText } from '../engine/cell.js'
import { tableText, type ColumnHeader, type TableHeader } from '../engine/table-header.js'
import { isTakenApart, planFields } from './documents/document-plan.js'
import { ruleOf } from './header-line.js'
import type { ModelFacts, TableModel } from './model-facts.js'
import type { Filling, TableRules } from './table-rules.js'

/** Where the cells of a target's column come from. */
export type ColumnSource =
  | { readonly kind: 'file'; readonly column: string; readonly onNull?: Filling }
  /** Of a document; `refused` where only the database knows what fills a row that lacks it. */
  | {
      readonly kind: 'field'
      readonly path: string
      readonly onMissing?: Filling | 'refused'
      readonly onNull?: Filling
    }
  | { readonly kind: 'filled'; readonly by: 'rule' | 'model'; readonly filling: Filling }
  | { readonly kind: 'database' }
  | { readonly kind: 'null' }

export interface ColumnPlan {
  readonly target: ColumnHeader
  readonly source: ColumnSource
  /** The name in the file, where it is another. */
  readonly renamedFrom?: string
}

/** How a table of a dump becomes one of the target. */
export interface TablePlan {
  readonly source: TableHeader
  readonly target: TableHeader
  readonly rules: TableRules
  /** Every column of the target, in its order. */
  readonly columns: readonly ColumnPlan[]
  /** Columns of the file that the target does not have, and no rule drops. */
  readonly unknown: readonly string[]
  /** Columns of the file that a rule drops. */
  readonly dropped: readonly string[]
  /** `mail may be email now`: said, never done. */
  readonly suggestions: readonly string[]
  /** Columns that nothing fills. */
  readonly unfilled: readonly string[]
  /** The rows come from an engine of the target's kind, as far as is known: equal names of types mean equal types. */
  readonly sameEngine: boolean
}

export interface EvolutionRules {
  readonly tables: Readonly<Record<string, TableRules>>
  readonly models?: ModelFacts
  readonly sameEngine: boolean
}

/** Whether a column keeps values just as the one that they come from. */
export function isSameType(target: ColumnHeader, from: ColumnHeader, sameEngine: boolean): boolean {
  return sameEngine && from.db === target.db && from.type === target.type
}

export function planTable(
  source: TableHeader,
  target: TableHeader,
  { tables, models, sameEngine }: EvolutionRules,
): TablePlan {
  const rules = rulesOf(source, target, tables)
  const model = modelOf(target, models)
  if (isTakenApart(source, target, rules)) return planFields(source, target, rules, model)
  const fileColumns = new Set(source.columns.map(({ name }) => name))
  const dropped = (rules.drop ?? []).filter((name) => fileColumns.has(name))
  for (const name of dropped) fileColumns.delete(name)
  const columns = target.columns.map((column) => planColumn(column, source, fileColumns, rules, model))
  const used = new Set(
    columns.flatMap(({ source: from }) => {
      if (from.kind === 'file') return [from.column]
      return from.kind === 'filled' && typeof from.filling === 'object' && from.filling.kind === 'reference'
        ? [plainText(from.filling.value)]
        : []
    }),
  )
  const unknown = [...fileColumns].filter((name) => !used.has(name))
  const unfilled = columns
    .filter((plan) => plan.source.kind === 'null' && !plan.target.nullable)
    .map((plan) => plan.target.name)
  return {
    source,
    target,
    rules,
    columns,
    unknown,
    dropped,
    unfilled,
    sameEngine,
    suggestions: suggestions(unknown, columns, source),
  }
}

function planColumn(
  target: ColumnHeader,
  source: TableHeader,
  fileColumns: ReadonlySet<string>,
  rules: TableRules,
  model: TableModel | undefined,
): ColumnPlan {
  const { name } = target
  const configured = rules.default?.[name]
  const filling: Filling | undefined =
    typeof configured === 'function'
      ? configured
      : configured === undefined
        ? source.defaults[name]
        : ruleOf(configured, `default of ${name}`)
  const onNull = typeof filling === 'object' && filling.on.includes('null') ? { onNull: filling } : {}
  const renamed = [
    rules.rename?.[name],
    source.renamedFrom[name],
    // A model's name for a column says nothing where the file has the column itself.
    fileColumns.has(name) ? undefined : model?.renames[name],
  ].find((from) => from !== undefined && fileColumns.has(from))
  if (renamed !== undefined)
    return { target, source: { kind: 'file', column: renamed, ...onNull }, renamedFrom: renamed }
  if (fileColumns.has(name)) return { target, source: { kind: 'file', column: name, ...onNull } }
  if (filling !== undefined && (typeof filling === 'function' || filling.on.includes('missing')))
    return { target, source: { kind: 'filled', by: 'rule', filling } }
  const ofModel = model?.defaults[name]
  if (ofModel !== undefined) return { target, source: { kind: 'filled', by: 'model', filling: ofModel } }
  return { target, source: target.hasDefault ? { kind: 'database' } : { kind: 'null' } }
}

/** By the name in the dump or at the target, with the schema or without. */
function rulesOf(
  source: TableHeader,
  target: TableHeader,
  tables: Readonly<Record<string, TableRules>>,
): TableRules {
  for (const { table } of [source, target]) {
    const found = tables[tableText(table)] ?? tables[table.name]
    if (found !== undefined) return found
  }
  return {}
}

function modelOf({ table }: TableHeader, models: ModelFacts | undefined): TableModel | undefined {
  return models?.tables.get(tableText(table)) ?? models?.tables.get(table.name)
}

/** A column that is gone and a new one of the same type, alone or alike in name, may be the same. */
function suggestions(
  unknown: readonly string[],
  columns: readonly ColumnPlan[],
  source: TableHeader,
): readonly string[] {
  const fresh = columns.filter(({ source: from }) => from.kind !== 'file')
  return unknown.flatMap((name) => {
    const type = source.columns.find((column) => column.name === name)?.type
    const alike = fresh.filter(({ target }) => target.type === type)
    const best =
      alike.find(({ target }) => similar(name, target.name)) ?? (alike.length === 1 ? alike[0] : undefined)
    return best === undefined
      ? []
      : [
          `${name} may be called ${best.target.name} now: say so with --rename ${source.table.name}.${best.target.name}=${name}`,
        ]
  })
}

function similar(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase().replaceAll('_', ''), b.toLowerCase().replaceAll('_', '')]
  return x.includes(y) || y.includes(x)
}
