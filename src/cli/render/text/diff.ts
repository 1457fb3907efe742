import { counted } from '../../../env/counted.js'
import type { DiffReport, Difference } from '../../../operations/reports.js'
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

/** A line for each thing that differs. */
export function renderDiff({ from, to, comparison }: DiffReport, style: Style): string {
  const { differences } = comparison
  const title = `${style('bold', printable(from.name))} and ${style('bold', printable(to.name))}`
  if (differences.length === 0)
    return [`${title}: no difference`, renderComparison(comparison, style)].join('\n')
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
