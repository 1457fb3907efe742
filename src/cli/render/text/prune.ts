import { counted } from '../../../env/counted.js'
import type { PruneDecision, PruneReport } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { storedBytes } from './stored-backup.js'
import { table } from './table.js'
import { humanBytes, relativeAge } from './units.js'

/** Every backup with what becomes of it and why, then the sum. */
export function renderPrune(
  report: PruneReport,
  now: Date,
  style: Style,
  columns: number | undefined,
): string {
  const { decisions, swept, accepted, dryRun } = report
  const fate = ({ keep }: PruneDecision) =>
    keep ? style('green', 'keep') : style('red', dryRun ? 'would go' : 'removed')
  const shown = table(
    decisions,
    [
      { title: 'id', cell: ({ backup }) => backup.manifest.id },
      { title: 'database', cell: ({ backup }) => printable(backup.manifest.database.alias) },
      {
        title: 'age',
        cell: ({ backup }) => relativeAge(new Date(backup.manifest.created), now),
        importance: 2,
      },
      { title: 'stored', cell: ({ backup }) => humanBytes(storedBytes(backup)), right: true, importance: 1 },
      { title: 'what', cell: fate },
      { title: 'why', cell: ({ reasons }) => printable(reasons.join(', ')), importance: 3, wraps: true },
    ],
    style,
    columns,
  )
  const gone = decisions.filter(({ keep }) => !keep)
  const freed = gone.reduce((sum, { backup }) => sum + storedBytes(backup), 0)
  const verb = dryRun ? 'would be removed' : 'removed'
  const remains = swept.length === 0 ? [] : [`${counted(swept.length, 'remain')} of interrupted runs ${verb}`]
  const sums = [
    `${decisions.length - gone.length} kept, ${gone.length} ${verb} (${humanBytes(freed)})`,
    ...remains,
    ...accepted.map(
      ({ storage, database, id }) =>
        `${storage}: ${printable(database)} ${printable(id)} is known to be lost`,
    ),
  ]
  return [
    shown,
    ...sums.map((line) => style('dim', line)),
    ...(dryRun ? [style('dim', 'dry run: nothing was changed')] : []),
  ]
    .filter((each) => each !== '')
    .join('\n')
}
