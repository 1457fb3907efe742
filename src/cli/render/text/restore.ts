import { counted } from '../../../env/counted.js'
import type { RestorePlan, RestoreReport } from '../../../operations/reports.js'
import { printable, type Look, type Style } from '../../terminal.js'
import { renderFacts } from './facts.js'
import { humanBytes, humanSeconds, localTime, relativeAge } from './units.js'

const cleaning: Readonly<Record<RestorePlan['clean'], string>> = {
  none: 'nothing is dropped first; the backup is added to what is there',
  objects: 'what the backup recreates is dropped first',
  database: 'the whole database is dropped and made anew',
}

/** What a restore did, or with `--dry-run` would do. */
export function renderRestore(report: RestoreReport, style: Style, now: Date): string {
  if (!report.restored)
    return `${renderPlan(report.plan, style, now)}\n${style('dim', 'dry run: nothing was changed')}`
  const { place, source } = report.plan
  return `${style('green', 'restored')} ${printable(place)} from ${printable(source)} in ${humanSeconds(report.seconds)}`
}

/** Source, target, and what will be lost. */
export function renderPlan(plan: RestorePlan, style: Style, now: Date): string {
  const { exists, targetObjects, targetBytes, only, losses, warnings, tools } = plan
  const holds = `${counted(targetObjects, 'object')}${targetBytes === undefined ? '' : `, ${humanBytes(targetBytes)}`}`
  const several = (texts: readonly string[], look: Look) =>
    texts.length === 0 ? undefined : texts.map((text) => style(look, printable(text))).join('\n')
  const facts = renderFacts(
    [
      ['from', sourceText(plan, now)],
      [
        'into',
        `${style('bold', printable(plan.place))}${plan.protected ? style('yellow', '  protected') : ''}`,
      ],
      ['now', exists ? `holds ${holds}` : 'does not exist; it will be made'],
      ['only', only.length === 0 ? undefined : only.map(printable).join(', ')],
      ['clean', exists ? `${plan.clean}: ${cleaning[plan.clean]}` : undefined],
      ['with', [plan.connector, ...tools.map(toolText)].map(printable).join('\n')],
      ['lost', several(losses, 'red')],
      ['warning', several(warnings, 'yellow')],
    ],
    style,
  )
  return `${style('bold', 'Restore')}\n${facts}`
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
