import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../env/context.js'
import { asHoldfastError, type HoldfastError } from '../errors.js'

/** How long a storage that has answered before is asked again. */
export const defaultRetryMs = 2 * 60_000

/** How long one is asked that has never answered: its address may be wrong, and a person may be waiting. */
const firstAnswerMs = 8_000

const firstWaitMs = 250
const longestWaitMs = 20_000

type Wait = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * Tries again what failed for a reason that may pass. The waits double, each is drawn by lot from its upper half so that many
 * runs do not come back at once, and a time that the storage itself asks for (`Retry-After`) is kept.
 */
export class Retry {
  readonly #forMs: number
  readonly #wait: Wait
  #answered = false

  /** @param forMs how long after the first try a last one may begin; 0 for no second try */
  constructor(forMs: number = defaultRetryMs, wait: Wait = waitFor) {
    this.#forMs = forMs
    this.#wait = wait
  }

  /**
   * @param what for the notice of a second try: `put shop/app.dump in s3 backups`
   * @throws the last error, as it is
   */
  async run<Result>(cx: Context, what: string, work: () => Promise<Result>): Promise<Result> {
    const start = cx.env.clock.now().getTime()
    for (let tries = 1; ; tries++) {
      try {
        const result = await work()
        this.#answered = true
        return result
      } catch (thrown) {
        cx.signal.throwIfAborted()
        const error = asHoldfastError(thrown)
        if (!mayPass(error)) {
          this.#answered ||= error.code.startsWith('storage.') && error.code !== 'storage.unreachable'
          throw thrown
        }
        this.#answered ||= error.code !== 'storage.unreachable'
        const waitMs = waitBefore(cx, tries, error)
        const allowedMs = this.#answered ? this.#forMs : Math.min(firstAnswerMs, this.#forMs)
        if (cx.env.clock.now().getTime() + waitMs > start + allowedMs) throw thrown
        const seconds = Math.max(waitMs / 1000, 0.1).toFixed(1)
        const message = `${what}: ${error.message}; trying again in ${seconds} s`
        cx.emit({ type: 'notice', level: 'info', message })
        await this.#wait(waitMs, cx.signal)
      }
    }
  }
}

/** Whether the same call may succeed soon; a storage's error may know better than the table. */
function mayPass(error: HoldfastError): boolean {
  const { passing } = error.details
  return typeof passing === 'boolean' ? passing : error.code.startsWith('storage.') && error.retryable
}

function waitBefore(cx: Context, tries: number, { details }: HoldfastError): number {
  const most = Math.min(firstWaitMs * 2 ** (tries - 1), longestWaitMs)
  const [byte = 0] = cx.env.randomBytes(1)
  const drawn = most / 2 + (most / 2) * (byte / 255)
  return typeof details['retryAfterMs'] === 'number' ? Math.max(drawn, details['retryAfterMs']) : drawn
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
