import { counted } from '../../../env/counted.js'
import type { FilesBackupResult, FilesOutcome } from '../../../operations/files-reports.js'
import { printable, type Style } from '../../terminal.js'
import { table } from './table.js'
import { humanBytes, humanSeconds } from './units.js'

const storages = {
  title: 'storage',
  cell: ({ result }: { readonly result: FilesBackupResult }) =>
    printable(result.copies.map(({ storage }) => storage).join(', ')),
  importance: 3,
}

/** What was backed up, a line each; failures are shown apart. */
export function renderFilesBackup(
  outcomes: readonly FilesOutcome[],
  style: Style,
  columns: number | undefined,
): string {
  const done = outcomes.flatMap((outcome) => {
    const result = outcome.ok ? outcome.result : outcome.partial
    return result === undefined ? [] : [{ set: outcome.set, result }]
  })
  const inStorage = done.some(({ result }) => result.backup !== undefined)
  const shown = table(
    done,
    [
      { title: 'files', cell: ({ set }) => printable(set) },
      {
        title: inStorage ? 'backup' : 'file',
        cell: ({ result }) => style('green', printable(result.filename)),
      },
      ...(inStorage ? [storages] : []),
      { title: 'entries', cell: ({ result }) => String(result.files.entries), right: true, importance: 2 },
      { title: 'size', cell: ({ result }) => humanBytes(result.files.bytes), right: true, importance: 2 },
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
