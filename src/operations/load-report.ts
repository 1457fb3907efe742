import type { WriteCounts } from '../engine/row-sink.js'
import { tableText } from '../engine/table-header.js'
import type { ColumnPlan, TablePlan } from '../portable/evolution.js'
import type { FittedCounts } from '../portable/fitted-rows.js'
import type { LoadedTable } from './portable-reports.js'

/** What is told of each table: before its rows are read, and after. */
export function describePlans(
  plans: readonly TablePlan[],
  created: ReadonlySet<string>,
  fitted: ReadonlyMap<string, FittedCounts>,
  written: ReadonlyMap<string, WriteCounts>,
  deleted: Readonly<Record<string, number>> = {},
): readonly LoadedTable[] {
  return plans.map((plan) => {
    const name = tableText(plan.source.table)
    const into = tableText(plan.target.table)
    const counts = fitted.get(name)
    const lost = (column: string) => {
      const values = counts?.lost.get(column) ?? 0
      return counts === undefined ? { column } : { column, values }
    }
    return {
      table: name,
      into,
      created: created.has(into),
      ...(counts === undefined ? {} : { rows: counts.read }),
      ...written.get(name),
      ...(deleted[into] === undefined ? {} : { deleted: deleted[into] }),
      matched: plan.columns.filter(isMatched).map(({ target }) => target.name),
      renamed: plan.columns.flatMap(({ target, renamedFrom }) =>
        renamedFrom === undefined ? [] : [{ column: target.name, from: renamedFrom }],
      ),
      filled: plan.columns
        .filter(({ source }) => source.kind !== 'file' && source.kind !== 'field')
        .map((each) => ({ column: each.target.name, by: filledBy(each) })),
      dropped: [
        ...[...plan.dropped, ...plan.unknown].map(lost),
        ...[...(counts?.unknownFields ?? [])].map(([column, values]) => ({ column, values })),
      ],
      suggestions: plan.suggestions,
      problems: [...(counts?.problems.values() ?? [])].map(({ column, policy, count, samples }) => ({
        column,
        policy,
        count,
        samples,
      })),
    }
  })
}

function isMatched({ source, renamedFrom }: ColumnPlan): boolean {
  return (source.kind === 'file' || source.kind === 'field') && renamedFrom === undefined
}

function filledBy({ source, target }: ColumnPlan): string {
  if (source.kind === 'null') return target.nullable ? 'null' : 'nothing'
  if (source.kind !== 'filled') return 'the database'
  const of = source.by === 'model' ? 'the model: ' : ''
  return typeof source.filling === 'function'
    ? `${of}a function`
    : `${of}${source.filling.kind} ${JSON.stringify(source.filling.value)}`
}
