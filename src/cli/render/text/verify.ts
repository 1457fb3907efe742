import { counted } from '../../../env/counted.js'
import type { VerifyReport } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { table } from './table.js'
import { humanBytes, humanSeconds } from './units.js'

/** The backups that hold; those that do not are shown apart, and counted here. */
export function renderVerify({ results }: VerifyReport, style: Style, columns: number | undefined): string {
  const whole = results.flatMap((each) => (each.ok ? [each.result] : []))
  const failed = results.length - whole.length
  const shown = table(
    whole,
    [
      { title: 'id', cell: ({ backup }) => backup.manifest.id },
      { title: 'database', cell: ({ backup }) => printable(backup.manifest.database.alias) },
      { title: 'storage', cell: ({ backup }) => printable(backup.storage), importance: 2 },
      {
        title: 'size',
        cell: ({ parts }) => humanBytes(parts.reduce((sum, part) => sum + part.plainBytes, 0)),
        right: true,
        importance: 3,
      },
      { title: 'time', cell: ({ seconds }) => humanSeconds(seconds), right: true, importance: 1 },
      {
        title: 'result',
        cell: ({ decoded, checked }) => {
          if (!decoded) return style('yellow', 'stored bytes whole; no key to look inside')
          return checked
            ? style('green', 'whole')
            : style('yellow', 'as it was written; no checker to look inside')
        },
      },
    ],
    style,
    columns,
  )
  const summary =
    failed === 0 ? '' : style('red', `${counted(failed, 'backup')} of ${results.length} did not verify`)
  return [shown, summary].filter((each) => each !== '').join('\n')
}
