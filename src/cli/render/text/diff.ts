import { counted } from '../../../env/counted.js'
import type { DiffReport, RowDifference, TableRows } from '../../../operations/diff-reports.js'
import type { Difference } from '../../../operations/reports.js'
import { printable, type Look, type Style } from '../../terminal.js'
import { renderComparison } from './comparison.js'
import { table } from './table.js'

const looks: Readonly<Record<Difference['what'], Look>> = {
  missing: 'red',
  extra: 'green',
  rows: 'yellow',
  content: 'yellow',
  definition: 'yellow',
  counter: 'yellow',
  encoding: 'yellow',
}

/** A line for each thing that differs, and where it was asked for, each row. */
export function renderDiff(report: DiffReport, style: Style): string {
  const { rows = [] } = report
  return [renderObjects(report, style), ...rows.map((table) => renderRows(table, style))].join('\n')
}

const signs = { added: '+', removed: '-', changed: '~' } as const
const rowLooks = { added: 'green', removed: 'red', changed: 'yellow' } as const
/** A value that is longer is cut. */
const longestValue = 40

function renderRows({ table, key, rows, unnamed, ...counts }: TableRows, style: Style): string {
  const name = style('bold', printable(table))
  if (unnamed !== undefined)
    return `${name}: ${style('yellow', `rows cannot be named: ${printable(unnamed)}`)}`
  const kinds = ['changed', 'removed', 'added'] as const
  const sums = kinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`)
  const left = kinds.reduce((sum, kind) => sum + counts[kind], 0) - rows.length
  return [
    `${name}, by ${printable(key.join(', '))}: ${sums.join(', ')}`,
    ...rows.map((row) => `  ${style(rowLooks[row.what], signs[row.what])} ${rowText(row)}`),
    ...(left > 0 ? [style('dim', `  and ${left} more; --limit shows more of them`)] : []),
  ].join('\n')
}

function rowText({ what, key, columns = [] }: RowDifference): string {
  const changes = columns.map(
    ({ name, from, to }) => `${printable(name)} ${valueText(from)} → ${valueText(to)}`,
  )
  const told = what === 'changed' && changes.length === 0 ? ['the order of its fields'] : changes
  return [key.map(valueText).join(', '), ...(told.length === 0 ? [] : [told.join(', ')])].join('  ')
}

function valueText(value: RowDifference['key'][number] | undefined): string {
  if (value === undefined) return '(none)'
  const text = printable(JSON.stringify(value))
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}

function renderObjects({ from, to, comparison, rows }: DiffReport, style: Style): string {
  const { differences } = comparison
  const title = `${style('bold', printable(from.name))} and ${style('bold', printable(to.name))}`
  if (differences.length === 0) {
    const contents =
      comparison.level === 'content' || rows?.every(({ unnamed }) => unnamed === undefined) === true
    const compared = { ...comparison, level: contents ? ('content' as const) : comparison.level }
    return [
      `${title}: ${noDifference(compared, rows === undefined)}`,
      renderComparison(compared, style),
    ].join('\n')
  }
  const shown = table(
    differences,
    [
      { title: 'object', cell: ({ object }) => printable(object) },
      { title: 'differs in', cell: ({ what }) => style(looks[what], what) },
      { title: 'from', cell: ({ expected = '' }) => printable(expected) },
      { title: 'to', cell: ({ found = '' }) => printable(found) },
    ],
    style,
    undefined,
  )
  const unproven = comparison.unproven.map((why) => style('yellow', `not compared: ${printable(why)}`))
  return [`${title}: ${counted(differences.length, 'difference')}`, shown, ...unproven].join('\n')
}

/** What was not compared may differ. */
function noDifference({ level, unproven }: DiffReport['comparison'], rowsCanBeAsked: boolean): string {
  if (level === 'content') return 'no difference'
  const definitions = unproven.some((why) => why.startsWith('definitions ')) ? '' : 'definitions and '
  const how = rowsCanBeAsked ? ' (--rows compares them)' : ''
  return `no difference in ${definitions}row counts; contents were not compared${how}`
}
