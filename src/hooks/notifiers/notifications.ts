import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import type { Operation } from '../events.js'
import type { RunReport, RunStart } from '../run-report.js'
import type { Notifier, NotifierContext } from './notifier.js'
import type { NotifierSettings, NotifyEvent } from './settings.js'

/** Told of their failures alone, unless a notifier names them. */
const quiet: ReadonlySet<Operation> = new Set(['verify', 'drill', 'prune'])

/** The most that a timer of Node's holds. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Tells the notifiers that want to know of one run, all at once and each for as long as it may take. Never throws: one that fails
 * or hangs is a warning.
 */
export class Notifications {
  readonly #cx: Omit<Context, 'signal'>
  readonly #notifiers: readonly NotifierSettings[]
  readonly #redact: (text: string) => string
  readonly #starts = new Map<
    NotifierSettings,
    { readonly told: Promise<void>; readonly limit: AbortController }
  >()

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
      const limit = new AbortController()
      const work = async (notifier: Notifier, cx: NotifierContext) => notifier.started?.(cx, run)
      this.#starts.set(each, { limit, told: this.#tell(each, 'start', each.timeoutMs, work, limit) })
    }
  }

  /** Resolves when nobody is being told of the start any more. */
  async startTold(): Promise<void> {
    await Promise.all([...this.#starts.values()].map(({ told }) => told))
  }

  /** @param longestMs a limit for everything, beside that of each notifier */
  async finished(report: RunReport, longestMs = longestTimerMs): Promise<void> {
    const event = report.result === 'success' ? 'success' : 'failure'
    const timer = setTimeout(() => {
      for (const { limit } of this.#starts.values()) limit.abort(tooLong(longestMs))
    }, longestMs)
    await Promise.all(
      this.#wanting(report.operation, event).map((each) => {
        const limitMs = Math.min(each.timeoutMs, longestMs)
        return this.#tell(each, event, limitMs, async (notifier, cx) => {
          // The end is told after the start, unless that still hangs.
          await Promise.race([this.#starts.get(each)?.told, sleep(limitMs / 2, undefined, { ref: false })])
          await notifier.finished(cx, report)
        })
      }),
    )
    await this.startTold()
    clearTimeout(timer)
  }

  #wanting(operation: Operation, event: NotifyEvent): readonly NotifierSettings[] {
    return this.#notifiers.filter((each) => wants(each, operation, event))
  }

  async #tell(
    settings: NotifierSettings,
    event: NotifyEvent,
    limitMs: number,
    work: (notifier: Notifier, cx: NotifierContext) => Promise<void>,
    limit = new AbortController(),
  ): Promise<void> {
    try {
      const notifier = await open(settings)
      await within(this.#cx, limitMs, limit, (cx) => work(notifier, cx))
    } catch (thrown) {
      const said = this.#redact(asHoldfastError(thrown).message)
      const message = `the notifier ${settings.name} (${settings.kind}) has not told of the ${event}: ${said}`
      this.#cx.emit({ type: 'notice', level: 'warning', message })
    }
  }
}

/**
 * Tries a notifier without sending a message, for as long as it may take; what it says of that.
 * @throws hook.failed, tool.timeout; the signal's reason when aborted
 */
export async function checkNotifier(cx: Context, settings: NotifierSettings): Promise<string> {
  const notifier = await open(settings)
  const limit = new AbortController()
  const stop = () => limit.abort(cx.signal.reason)
  cx.signal.addEventListener('abort', stop, { once: true })
  try {
    return await within(cx, settings.timeoutMs, limit, (limited) => notifier.check(limited))
  } finally {
    cx.signal.removeEventListener('abort', stop)
  }
}

/** @throws tool.timeout, also where the work does not heed its signal */
async function within<Result>(
  cx: Omit<Context, 'signal'>,
  ms: number,
  limit: AbortController,
  work: (cx: NotifierContext) => Promise<Result>,
): Promise<Result> {
  const { signal } = limit
  signal.throwIfAborted()
  const ends = performance.now() + ms
  const timer = setTimeout(() => limit.abort(tooLong(ms)), ms)
  const over = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as HoldfastError), { once: true })
  })
  try {
    return await Promise.race([work({ ...cx, signal, timeLeft: () => ends - performance.now() }), over])
  } finally {
    clearTimeout(timer)
  }
}

function tooLong(ms: number): HoldfastError {
  return new HoldfastError('tool.timeout', `it did not end within ${ms} ms`)
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
