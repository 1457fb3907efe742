import type { ProgressEvent } from '../../../env/context.js'
import { printable, type Style } from '../../terminal.js'
import { textWidth } from './table.js'
import { humanBytes, humanSeconds } from './units.js'

export interface ProgressView {
  readonly event: ProgressEvent
  readonly elapsedSeconds: number
  /** Over the last seconds. */
  readonly bytesPerSecond?: number
}

const phases: Readonly<Record<ProgressEvent['phase'], string>> = {
  dump: 'backing up',
  restore: 'restoring',
  verify: 'verifying',
  check: 'checking',
  copy: 'copying',
}
const longestSubject = 28
const barWidths = [24, 12, 0]

/** `shop  backing up  ━━━━━━──────  52 %  1.1 GiB of 2.1 GiB  84 MiB/s  12 s left`; what there is no room for is left out. */
export function renderProgress(view: ProgressView, style: Style, columns: number): string {
  const { share, amount, rate, time } = factsOf(view)
  const head = [style('bold', shortened(printable(view.event.subject))), phases[view.event.phase]]
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
  return `${printable(view.event.subject)}: ${phases[view.event.phase]}, ${facts}`
}

function factsOf({ event, elapsedSeconds, bytesPerSecond }: ProgressView) {
  const { bytes, totalBytes } = event
  const share = shareOf(event)
  const whole = share === undefined ? undefined : totalBytes
  const about = event.phase === 'dump' ? 'about ' : ''
  const moving = bytesPerSecond !== undefined && bytesPerSecond > 0
  return {
    share,
    amount: whole === undefined ? humanBytes(bytes) : `${humanBytes(bytes)} of ${about}${humanBytes(whole)}`,
    rate: bytesPerSecond === undefined ? [] : [`${humanBytes(Math.round(bytesPerSecond))}/s`],
    time:
      whole !== undefined && moving
        ? `${humanSeconds((whole - bytes) / bytesPerSecond)} left`
        : humanSeconds(elapsedSeconds),
  }
}

/** 0 to 1; `undefined` where the whole is not known, or was estimated too low. */
function shareOf({ bytes, totalBytes }: ProgressEvent): number | undefined {
  if (totalBytes === undefined || totalBytes === 0 || bytes > totalBytes) return undefined
  return bytes / totalBytes
}
