import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import type { Operation } from '../events.js'
import type { RunReport, RunStart } from '../run-report.js'
import type { Notifier, NotifierContext } from './notifier.js'
import type { NotifierSettings, NotifyEvent } from './settings.js'

/** Told of their failures alone, unless a notifier names them. */
const quiet: ReadonlySet<Operation> = new Set(['verify', 'prune'])

/**
 * Tells the notifiers that want to know of one run, all at once and each for as long as it may take. Never throws: one that fails
 * or hangs is a warning.
 */
export class Notifications {
  readonly #cx: Omit<Context, 'signal'>
  readonly #notifiers: readonly NotifierSettings[]
  readonly #redact: (text: string) => string
  readonly #starts = new Map<NotifierSettings, Promise<void>>()

  /** @param redact takes the secrets out of what a notifier's failure says */
  constructor(
    { env, emit }: Omit<Context, 'signal'>,
    notifiers: readonly NotifierSettings[],
    redact: (text: string) => string,
  ) {
    this.#cx = { env, emit }
    this.#notifiers = notifiers
    this.#redact = redact
  }

  /** Begins to tell of the start; the work need not wait for it. */
  started(run: RunStart): void {
    for (const each of this.#wanting(run.operation, 'start')) {
      this.#starts.set(
        each,
        this.#tell(each, 'start', each.timeoutMs, async (notifier, cx) => notifier.started?.(cx, run)),
      )
    }
  }

  /** Resolves when nobody is being told of the start any more. */
  async startTold(): Promise<void> {
    await Promise.all(this.#starts.values())
  }

  /** @param longestMs a limit beside that of each notifier */
  async finished(report: RunReport, longestMs = Infinity): Promise<void> {
    const event = report.result === 'success' ? 'success' : 'failure'
    await Promise.all(
      this.#wanting(report.operation, event).map((each) => {
        const limitMs = Math.min(each.timeoutMs, longestMs)
        return this.#tell(each, event, limitMs, async (notifier, cx) => {
          // The end is told after the start, unless that still hangs.
          await Promise.race([this.#starts.get(each), sleep(limitMs / 2, undefined, { ref: false })])
          await notifier.finished(cx, report)
        })
      }),
    )
    await this.startTold()
  }

  #wanting(operation: Operation, event: NotifyEvent): readonly NotifierSettings[] {
    return this.#notifiers.filter((each) => wants(each, operation, event))
  }

  async #tell(
    settings: NotifierSettings,
    event: NotifyEvent,
    limitMs: number,
    work: (notifier: Notifier, cx: NotifierContext) => Promise<void>,
  ): Promise<void> {
    try {
      const notifier = await open(settings)
      await this.#within(limitMs, (cx) => work(notifier, cx))
    } catch (thrown) {
      const said = this.#redact(asHoldfastError(thrown).message)
      const message = `the notifier ${settings.name} (${settings.kind}) has not told of the ${event}: ${said}`
      this.#cx.emit({ type: 'notice', level: 'warning', message })
    }
  }

  /** @throws tool.timeout, also where the work does not heed its signal */
  async #within(ms: number, work: (cx: NotifierContext) => Promise<void>): Promise<void> {
    const limit = new AbortController()
    const ends = performance.now() + ms
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new HoldfastError('tool.timeout', `it did not end within ${ms} ms`)
        limit.abort(error)
        reject(error)
      }, ms)
    })
    const cx = { ...this.#cx, signal: limit.signal, timeLeft: () => ends - performance.now() }
    try {
      await Promise.race([work(cx), over])
    } finally {
      clearTimeout(timer)
    }
  }
}

function wants({ on, operations }: NotifierSettings, operation: Operation, event: NotifyEvent): boolean {
  if (!on.includes(event)) return false
  if (operations !== undefined) return operations.includes(operation)
  return event === 'failure' || !quiet.has(operation)
}

/** Each is loaded when it has something to tell. */
async function open(settings: NotifierSettings): Promise<Notifier> {
  switch (settings.kind) {
    case 'email':
      return (await import('./email.js')).emailNotifier(settings)
    case 'webhook':
      return (await import('./webhook.js')).webhookNotifier(settings)
    case 'slack':
      return (await import('./slack.js')).slackNotifier(settings)
    case 'ping':
      return (await import('./ping.js')).pingNotifier(settings)
  }
}
