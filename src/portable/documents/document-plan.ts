import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import type { ColumnPlan, ColumnSource, TablePlan } from '../evolution.js'
import { ruleOf } from '../header-line.js'
import type { TableModel } from '../model-facts.js'
import type { Filling, TableRules } from '../table-rules.js'

/**
 * Whether documents are taken apart into the columns of a table that is there: where it has no place for all of a document, and
 * nobody else makes rows of them.
 */
export function isTakenApart(source: TableHeader, target: TableHeader, rules: TableRules): boolean {
  const [id, document, ...others] = source.columns
  return (
    others.length === 0 &&
    id?.name === '_id' &&
    document?.name === 'document' &&
    document.type === 'document' &&
    rules.row === undefined &&
    !Object.values(rules.rename ?? {}).includes('document') &&
    !target.columns.some(({ name }) => name === 'document')
  )
}

/** Which field of a document fills each column, and what does in its place where a document lacks it. */
export function planFields(
  source: TableHeader,
  target: TableHeader,
  rules: TableRules,
  model: TableModel | undefined,
): TablePlan {
  return {
    source,
    target,
    rules,
    columns: target.columns.map((column) => planField(column, source, rules, model)),
    // What else the documents have is known when they are read.
    unknown: [],
    dropped: [],
    unfilled: [],
    suggestions: [],
    sameEngine: false,
  }
}

function planField(
  target: ColumnHeader,
  source: TableHeader,
  rules: TableRules,
  model: TableModel | undefined,
): ColumnPlan {
  const { name } = target
  const renamed = rules.rename?.[name] ?? source.renamedFrom[name] ?? model?.renames[name]
  // A column that numbers itself goes on with that, unless somebody says what its numbers are.
  if (renamed === undefined && target.identity !== undefined) return { target, source: { kind: 'database' } }
  const from: ColumnSource = {
    kind: 'field',
    path: renamed ?? name,
    ...fillings(target, source, rules, model),
  }
  return { target, source: from, ...(renamed === undefined ? {} : { renamedFrom: renamed }) }
}

function fillings(
  { name, defaultValue, hasDefault }: ColumnHeader,
  source: TableHeader,
  rules: TableRules,
  model: TableModel | undefined,
): { readonly onMissing?: Filling | 'refused'; readonly onNull?: Filling } {
  const configured = rules.default?.[name]
  const rule =
    typeof configured === 'function'
      ? configured
      : configured === undefined
        ? source.defaults[name]
        : ruleOf(configured, `default of ${name}`)
  const fires = (on: 'missing' | 'null') => typeof rule === 'object' && rule.on.includes(on)
  const onMissing = typeof rule === 'function' || fires('missing') ? rule : model?.defaults[name]
  const ofDatabase: Filling | 'refused' | undefined =
    defaultValue === undefined
      ? hasDefault
        ? 'refused'
        : undefined
      : 'now' in defaultValue
        ? { kind: 'datetime', value: 'now', on: ['missing'] }
        : { kind: 'value', value: defaultValue.value, on: ['missing'] }
  const filling = onMissing ?? ofDatabase
  return {
    ...(filling === undefined ? {} : { onMissing: filling }),
    ...(fires('null') && rule !== undefined ? { onNull: rule } : {}),
  }
}
