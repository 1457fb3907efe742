import { counted } from '../../../env/counted.js'
import type { FilesRestorePlan, FilesRestoreReport } from '../../../operations/files-reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderFacts, severalLines } from './facts.js'
import { sourceText } from './restore.js'
import { humanBytes, humanSeconds } from './units.js'

const modes: Readonly<Record<FilesRestorePlan['mode'], string>> = {
  'empty-first': 'the folder is made anew, and takes the place of the one that is there',
  replace: 'files that the backup has too are replaced, the others stay',
  skip: 'files that are there stay as they are',
  error: 'none of the files is there yet',
}

function modeText({ mode, kind }: FilesRestorePlan): string {
  return mode === 'empty-first' && kind === 'storage'
    ? 'what the backup has is put first; then what it does not have is removed'
    : modes[mode]
}

/** What a restore did, or with `--dry-run` would do. */
export function renderFilesRestore(
  report: FilesRestoreReport,
  style: Style,
  now: Date,
  columns?: number,
): string {
  if (!report.restored)
    return `${renderFilesPlan(report.plan, style, now, columns)}\n${style('dim', 'dry run: nothing was changed')}`
  const { files, links, bytes, skipped, seconds, plan } = report
  const what = [
    `${counted(files, 'file')} (${humanBytes(bytes)})`,
    ...(links === 0 ? [] : [counted(links, 'link')]),
    ...(skipped === 0 ? [] : [`${skipped} left as they were`]),
  ]
  return `${style('green', 'restored')} ${what.join(', ')} into ${printable(plan.place)} from ${printable(plan.source)} in ${humanSeconds(seconds)}`
}

/** Source, target, and what will be lost. */
export function renderFilesPlan(plan: FilesRestorePlan, style: Style, now: Date, columns?: number): string {
  const { place, exists, present, only, entries, bytes, conflicts, losses, warnings } = plan
  const facts = renderFacts(
    [
      ['from', sourceText(plan, now)],
      ['into', style('bold', printable(place))],
      ['now', exists ? `holds ${counted(present, 'file')}` : 'does not exist; it will be made'],
      ['restores', `${counted(entries, 'entry', 'entries')}, ${humanBytes(bytes)}`],
      ['only', only.length === 0 ? undefined : printable(only.join(', '))],
      ['there', conflicts === 0 ? undefined : `${counted(conflicts, 'file')} that the backup has too`],
      ['mode', exists ? modeText(plan) : undefined],
      ['lost', severalLines(losses, 'red', style, columns)],
      ['warning', severalLines(warnings, 'yellow', style, columns)],
    ],
    style,
  )
  return `${style('bold', 'Restore files')}\n${facts}`
}
