import type { ProgressEvent } from '../env/context.js'
import type { ProgressMode } from './global-flags.js'
import { renderProgress, renderProgressLine, type ProgressView } from './render/text/progress.js'
import type { Terminal } from './terminal.js'

const drawEveryMs = 100
/** Where there is no terminal, a line in the log. */
const logEveryMs = 5_000
const rateOverMs = 5_000

interface Sample {
  readonly at: number
  /** Rows where the work is done row by row, else bytes. */
  readonly amount: number
}

/** Shows how far the work has come: one line that is redrawn, for one thing after another. */
export class ProgressDisplay {
  readonly #terminal: Terminal
  readonly #kind: 'line' | 'log' | 'none'
  #event: ProgressEvent | undefined
  #startedAt = 0
  #shownAt = 0
  #samples: Sample[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(terminal: Terminal, mode: ProgressMode, quiet: boolean) {
    this.#terminal = terminal
    const wanted = mode === 'always' || (mode === 'auto' && terminal.hasStatusLine && !quiet)
    this.#kind = !wanted ? 'none' : terminal.hasStatusLine ? 'line' : 'log'
  }

  update(event: ProgressEvent): void {
    if (this.#kind === 'none') return
    const now = performance.now()
    if (event.subject !== this.#event?.subject || event.phase !== this.#event.phase) this.#begin(now)
    this.#event = event
    this.#sample(now)
    if (event.done === true) this.clear()
    else this.#show(now)
  }

  /** Takes the line away; what follows begins anew. */
  clear(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#event = undefined
    this.#terminal.status('')
  }

  #begin(now: number): void {
    this.clear()
    this.#startedAt = now
    this.#shownAt = this.#kind === 'log' ? now : 0
    this.#samples = []
    // Redrawn also while nothing moves: then the rate falls, which is what one wants to see.
    this.#timer = setInterval(() => this.#tick(), 1_000)
    this.#timer.unref()
  }

  #tick(): void {
    const now = performance.now()
    this.#sample(now)
    this.#show(now)
  }

  #sample(now: number): void {
    if (this.#event === undefined) return
    // A sample for each drawing is enough, however many events there are.
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.at < drawEveryMs) return
    this.#samples.push({ at: now, amount: this.#event.rows ?? this.#event.bytes })
    while (now - (this.#samples[0]?.at ?? now) > rateOverMs && this.#samples.length > 2) this.#samples.shift()
  }

  #show(now: number): void {
    if (this.#event === undefined || now - this.#shownAt < (this.#kind === 'log' ? logEveryMs : drawEveryMs))
      return
    this.#shownAt = now
    const view = this.#view(this.#event, now)
    if (this.#kind === 'log') this.#terminal.note(renderProgressLine(view))
    else this.#terminal.status(renderProgress(view, this.#terminal.noteStyle, this.#terminal.statusColumns))
  }

  #view(event: ProgressEvent, now: number): ProgressView {
    const [first] = this.#samples
    const seconds = first === undefined ? 0 : (now - first.at) / 1000
    const rate =
      first === undefined || seconds < 0.5
        ? undefined
        : ((event.rows ?? event.bytes) - first.amount) / seconds
    return {
      event,
      elapsedSeconds: (now - this.#startedAt) / 1000,
      ...(rate === undefined ? {} : { perSecond: rate }),
    }
  }
}
