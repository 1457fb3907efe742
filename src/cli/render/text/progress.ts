import type { ProgressEvent } from '../../../env/context.js'
import { printable, type Style } from '../../terminal.js'
import { textWidth } from './table.js'
import { counted } from '../../../env/counted.js'
import { humanBytes, humanSeconds } from './units.js'

export interface ProgressView {
  readonly event: ProgressEvent
  readonly elapsedSeconds: number
  /** Rows or bytes, over the last seconds. */
  readonly perSecond?: number
}

const phases: Readonly<Record<ProgressEvent['phase'], string>> = {
  dump: 'backing up',
  restore: 'restoring',
  verify: 'verifying',
  check: 'checking',
  copy: 'copying',
  load: 'loading',
}
/** A dump of rows is no backup. */
function phaseOf({ phase, rows }: ProgressEvent): string {
  return phase === 'dump' && rows !== undefined ? 'dumping' : phases[phase]
}

const longestSubject = 28
const barWidths = [24, 12, 0]

/** `shop  backing up  ━━━━━━──────  52 %  1.1 GiB of 2.1 GiB  84 MiB/s  12 s left`; what there is no room for is left out. */
export function renderProgress(view: ProgressView, style: Style, columns: number): string {
  const { share, amount, rate, time } = factsOf(view)
  const head = [style('bold', shortened(printable(view.event.subject))), phaseOf(view.event)]
  const percent = share === undefined ? [] : [percentText(share)]
  const withBar = barWidths.map((width) => [
    ...head,
    ...bar(share, width, style),
    ...percent,
    amount,
    ...rate,
    time,
  ])
  const narrow = [
    [...head, ...percent, amount, time],
    [...head, ...percent, time],
    [...head, ...percent],
    head,
  ]
  // The last column stays free: a terminal may wrap a line that fills it.
  const fitting = [...withBar, ...narrow]
    .map((pieces) => pieces.join('  '))
    .find((line) => textWidth(line) < columns)
  return fitting ?? ''
}

/** The end of a long path tells more than its beginning. */
function shortened(subject: string): string {
  return subject.length <= longestSubject ? subject : `…${subject.slice(1 - longestSubject)}`
}

function bar(share: number | undefined, width: number, style: Style): readonly string[] {
  if (share === undefined || width === 0) return []
  const filled = Math.round(share * width)
  return [style('cyan', '━'.repeat(filled)) + style('dim', '─'.repeat(width - filled))]
}

function percentText(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(2)} %`
}

/** The same for a log. */
export function renderProgressLine(view: ProgressView): string {
  const { share, amount, rate, time } = factsOf(view)
  const percent = share === undefined ? [] : [percentText(share).trim()]
  const facts = [...percent, amount, ...rate, time].join(', ')
  return `${printable(view.event.subject)}: ${phaseOf(view.event)}, ${facts}`
}

function factsOf({ event, elapsedSeconds, perSecond }: ProgressView) {
  const { done, total, shown } = amountOf(event)
  const share = shareOf(done, total)
  const whole = share === undefined ? undefined : total
  const about = event.phase === 'dump' || event.rows !== undefined ? 'about ' : ''
  const moving = perSecond !== undefined && perSecond > 0
  return {
    share,
    amount: whole === undefined ? shown(done) : `${shown(done)} of ${about}${shown(whole)}`,
    rate: perSecond === undefined ? [] : [`${shown(Math.round(perSecond))}/s`],
    time:
      whole !== undefined && moving
        ? `${humanSeconds((whole - done) / perSecond)} left`
        : humanSeconds(elapsedSeconds),
  }
}

function amountOf({ bytes, totalBytes, rows, totalRows }: ProgressEvent) {
  return rows === undefined
    ? { done: bytes, total: totalBytes, shown: humanBytes }
    : { done: rows, total: totalRows, shown: (count: number) => counted(count, 'row') }
}

/** 0 to 1; `undefined` where the whole is not known, or was estimated too low. */
function shareOf(done: number, total: number | undefined): number | undefined {
  return total === undefined || total === 0 || done > total ? undefined : done / total
}
