import { counted } from '../../../env/counted.js'
import type { RestorePlan, RestoreReport } from '../../../operations/reports.js'
import { printable, type Style } from '../../terminal.js'
import { renderComparison } from './comparison.js'
import { renderFacts, severalLines } from './facts.js'
import { keptText } from './kept.js'
import { humanBytes, humanSeconds, localTime, relativeAge } from './units.js'

const cleaning: Readonly<Record<RestorePlan['clean'], string>> = {
  none: 'nothing is dropped first; the backup is added to what is there',
  objects: 'what the backup recreates is dropped first',
  database: 'the whole database is dropped and made anew',
}

/** What a restore did, or with `--dry-run` would do. */
export function renderRestore(report: RestoreReport, style: Style, now: Date, columns?: number): string {
  if (!report.restored)
    return `${renderPlan(report.plan, style, now, columns)}\n${style('dim', 'dry run: nothing was changed')}`
  const { comparison } = report
  const { place, source } = report.plan
  const lines = [
    `${style('green', 'restored')} ${printable(place)} from ${printable(source)} in ${humanSeconds(report.seconds)}`,
    ...(comparison === undefined ? [] : [renderComparison(comparison, style)]),
    ...(report.safetyBackup === undefined
      ? []
      : [`what was there before is in the backup ${report.safetyBackup}`]),
    ...(report.kept === undefined
      ? []
      : [
          `the old database is kept as ${printable(report.kept)}: --undo brings it back, --discard-old removes it`,
        ]),
  ]
  return lines.join('\n')
}

/** Source, target, and what will be lost. */
export function renderPlan(plan: RestorePlan, style: Style, now: Date, columns?: number): string {
  const { exists, targetObjects, targetBytes, only, losses, warnings, tools, kept } = plan
  const holds = `${counted(targetObjects, 'object')}${targetBytes === undefined ? '' : `, ${humanBytes(targetBytes)}`}`
  const facts = renderFacts(
    [
      ['from', sourceText(plan, now)],
      [
        'into',
        `${style('bold', printable(plan.place))}${plan.protected ? style('yellow', '  protected') : ''}`,
      ],
      ['now', exists ? `holds ${holds}` : 'does not exist; it will be made'],
      ['only', only.length === 0 ? undefined : only.map(printable).join(', ')],
      ...wayFacts(plan),
      [
        'safety',
        plan.safetyBackup ? 'what is there is backed up first, and put back if the restore fails' : undefined,
      ],
      ['with', [plan.connector, ...tools.map(toolText)].map(printable).join('\n')],
      ['kept', kept.length === 0 ? undefined : kept.map(keptText).join('\n')],
      ['lost', severalLines(losses, 'red', style, columns)],
      ['warning', severalLines(warnings, 'yellow', style, columns)],
    ],
    style,
  )
  return `${style('bold', 'Restore')}\n${facts}`
}

/** What becomes of what is there. */
function wayFacts({
  exists,
  strategy,
  clean,
  keptAs,
  roomBytes,
}: RestorePlan): [string, string | undefined][] {
  if (strategy === 'in-place') return [['clean', exists ? `${clean}: ${cleaning[clean]}` : undefined]]
  const room = roomBytes === undefined ? 'room' : `about ${humanBytes(roomBytes)}`
  return [
    ['how', 'swap: restored beside, then put in its place in one step'],
    ['old', keptAs === undefined ? undefined : `is kept as ${printable(keptAs)}`],
    ['needs', exists ? `${room} for a second database beside the old one` : undefined],
  ]
}

/** Where a backup is, when it was made, and how large it is. */
export function sourceText(
  {
    source,
    storage,
    filename,
    storedBytes,
    manifest,
  }: Pick<RestorePlan, 'source' | 'storage' | 'filename' | 'storedBytes' | 'manifest'>,
  now: Date,
): string {
  const size = storedBytes === undefined ? undefined : humanBytes(storedBytes)
  if (manifest === undefined)
    return [printable(filename), size].filter((each) => each !== undefined).join(', ')
  const created = new Date(manifest.created)
  return [
    `${printable(source)} in ${printable(storage ?? '')}`,
    `${printable(manifest.database.alias)}, ${localTime(created)}, ${relativeAge(created, now)}, on ${printable(manifest.server)}`,
    `${printable(filename)}${size === undefined ? '' : `, ${size}`}`,
  ].join('\n')
}

function toolText({ name, version, path, reason }: RestorePlan['tools'][number]): string {
  return `${name} ${version} (${path})${reason === undefined ? '' : `; ${reason}`}`
}
