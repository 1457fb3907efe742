import { counted } from '../../../env/counted.js'
import { differenceText } from '../../../operations/compare-restored.js'
import type { Comparison } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'

/** So many are shown; a document of --json has all. */
const mostShown = 50

/** What was compared and is the same, and what could not be compared. */
export function renderComparison({ level, tables, unproven }: Comparison, style: Style): string {
  const what = level === 'content' ? 'row counts and contents' : 'row counts'
  const same =
    tables === 0 ? [] : [style('green', `${counted(tables, 'table')} compared: ${what} are the same`)]
  return [...same, ...unproven.map((why) => style('yellow', `not compared: ${printable(why)}`))].join('\n')
}

/** A line for each difference. */
export function renderDifferences({ differences, unproven }: Comparison, style: Style): readonly string[] {
  const more = differences.length - mostShown
  return [
    ...differences.slice(0, mostShown).map((each) => `  ${style('red', printable(differenceText(each)))}`),
    ...(more > 0 ? [style('dim', `  and ${more} more; --json has all`)] : []),
    ...unproven.map((why) => style('yellow', `  not compared: ${printable(why)}`)),
  ]
}
