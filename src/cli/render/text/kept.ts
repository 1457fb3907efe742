import type { KeptDatabase } from '../../../engine/swapper.js'
import type { KeptPlan, KeptReport } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderFacts, severalLines } from './facts.js'
import { humanBytes, localTime } from './units.js'

/** What `restore --undo` or `--discard-old` did, or with `--dry-run` would do. */
export function renderKept({ plan, done }: KeptReport, style: Style, columns?: number): string {
  if (!done) return `${renderKeptPlan(plan, style, columns)}\n${style('dim', 'dry run: nothing was changed')}`
  const place = printable(plan.place)
  const [first] = plan.databases
  if (first === undefined) return `${style('green', 'settled')} ${place}`
  if (plan.action === 'discard') {
    return `${style('green', 'discarded')} ${plan.databases.map(({ name }) => printable(name)).join(', ')}`
  }
  const kept = plan.keptAs === undefined ? '' : `; what was there is kept as ${printable(plan.keptAs)}`
  return `${style('green', 'undone')} ${place} is what ${printable(first.name)} was${kept}`
}

export function renderKeptPlan(plan: KeptPlan, style: Style, columns?: number): string {
  const { action, databases, keptAs, losses, warnings } = plan
  const facts = renderFacts(
    [
      [
        'database',
        `${style('bold', printable(plan.place))}${plan.protected ? style('yellow', '  protected') : ''}`,
      ],
      [
        action === 'undo' ? 'back' : 'old',
        databases.length === 0 ? undefined : databases.map(keptText).join('\n'),
      ],
      ['now there', keptAs === undefined ? undefined : `is kept as ${printable(keptAs)}`],
      ['lost', severalLines(losses, 'red', style, columns)],
      ['warning', severalLines(warnings, 'yellow', style, columns)],
    ],
    style,
  )
  return `${style('bold', action === 'undo' ? 'Undo the restore' : 'Discard old databases')}\n${facts}`
}

/** An old database: its name, since when it is kept, and how large it is. */
export function keptText({ name, since, sizeBytes }: KeptDatabase): string {
  const size = sizeBytes === undefined ? '' : `, ${humanBytes(sizeBytes)}`
  return `${printable(name)}, of ${localTime(since)}${size}`
}
