import { counted } from '../../../env/counted.js'
import type { BackupResult, Outcome } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { table } from './table.js'
import { humanBytes, humanSeconds } from './units.js'

/** What was backed up, a line each; failures are shown apart. */
export function renderBackup(
  outcomes: readonly Outcome<BackupResult>[],
  style: Style,
  columns: number | undefined,
): string {
  const done = outcomes.flatMap((outcome) => {
    const result = outcome.ok ? outcome.result : outcome.partial
    return result === undefined ? [] : [{ database: outcome.database, result }]
  })
  const inStorage = done.some(({ result }) => result.backup !== undefined)
  const shown = table(
    done,
    [
      { title: 'database', cell: ({ database }) => printable(database) },
      {
        title: inStorage ? 'backup' : 'file',
        cell: ({ result }) => style('green', printable(result.filename)),
      },
      ...(inStorage
        ? [
            {
              title: 'storage',
              cell: ({ result }: (typeof done)[number]) =>
                printable(result.copies.map(({ storage }) => storage).join(', ')),
              importance: 3,
            },
          ]
        : []),
      { title: 'size', cell: ({ result }) => humanBytes(result.plainBytes), right: true, importance: 2 },
      ...(done.some(({ result }) => result.portableBytes !== undefined)
        ? [
            {
              title: 'portable',
              cell: ({ result }: (typeof done)[number]) =>
                result.portableBytes === undefined ? '' : humanBytes(result.portableBytes),
              right: true,
              importance: 2,
            },
          ]
        : []),
      { title: 'stored', cell: ({ result }) => humanBytes(result.storedBytes), right: true },
      { title: 'time', cell: ({ result }) => humanSeconds(result.seconds), right: true, importance: 1 },
    ],
    style,
    columns,
  )
  const pruned = done.flatMap(({ result }) => result.pruned ?? [])
  const withPrune = done.some(({ result }) => result.pruned !== undefined)
  return withPrune ? `${shown}\n${style('dim', `${counted(pruned.length, 'old backup')} removed`)}` : shown
}
