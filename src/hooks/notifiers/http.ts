import { setTimeout as sleep } from 'node:timers/promises'
import type { Env } from '../../env/env.js'
import type { Secret } from '../../env/secret.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { holdfastVersion } from '../../version.js'
import type { NotifierContext } from './notifier.js'

export interface Post {
  /** Its user and password, if any, are sent as an `Authorization` header. */
  readonly url: Secret
  /** How often it is tried again. */
  readonly retries: number
  readonly body: string
  /** Made anew for each try. */
  readonly headers: () => Readonly<Record<string, string>>
}

/** Answers after which another try may succeed. */
const passing = new Set([408, 425, 429])
const firstPauseMs = 500

/**
 * Posts a text. What may pass (the network, 408, 425, 429, 5xx) is tried again, later each time or when `Retry-After` says.
 * A redirect is not followed: what is sent is meant for the place that was configured.
 * @throws hook.failed naming the host alone, since the rest of the URL may be secret; the signal's reason when aborted
 */
export async function post(cx: NotifierContext, request: Post): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const failure = await tryOnce(cx, request)
    if (failure === undefined) return
    const tries = attempt === 0 ? '' : ` (tried ${attempt + 1} times)`
    if (!failure.passing || attempt >= request.retries) throw failed(`${failure.message}${tries}`)
    const pause = Math.max(pauseMs(cx.env, attempt), failure.retryAfterMs ?? 0)
    if (pause >= cx.timeLeft()) throw failed(`${failure.message}${tries}, and no time is left to try again`)
    await sleep(pause, undefined, { signal: cx.signal })
  }
}

interface Failure {
  readonly message: string
  readonly passing: boolean
  readonly retryAfterMs?: number
}

async function tryOnce(cx: NotifierContext, { url, headers, body }: Post): Promise<Failure | undefined> {
  const target = new URL(url.reveal())
  const login = loginOf(target)
  const { host } = target
  let response: Response
  try {
    response = await fetch(target, {
      method: 'POST',
      headers: { 'User-Agent': `holdfast/${holdfastVersion}`, ...login, ...headers() },
      body,
      redirect: 'manual',
      signal: cx.signal,
    })
    await response.body?.cancel()
  } catch (thrown) {
    cx.signal.throwIfAborted()
    return { message: `${host} does not answer (${reasonOf(thrown)})`, passing: true }
  }
  const { ok, status } = response
  if (ok) return undefined
  if (status >= 300 && status < 400) {
    return { message: `${host} answered ${status}: redirects are not followed`, passing: false }
  }
  const retryAfterMs = retryAfter(response.headers.get('Retry-After'), cx.env)
  return {
    message: `${host} answered ${status}`,
    passing: passing.has(status) || status >= 500,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** `fetch` refuses a URL with a user in it. */
function loginOf(target: URL): Readonly<Record<string, string>> {
  if (target.username === '' && target.password === '') return {}
  const login = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`
  target.username = ''
  target.password = ''
  return { Authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

/** The code of the system or of TLS: the message may hold the address. */
function reasonOf(thrown: unknown): string {
  const cause: unknown = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
  const code: unknown = Reflect.get(Object(cause), 'code')
  return typeof code === 'string' ? code : asHoldfastError(cause).message
}

/** Half of the time is left to chance, so that many machines do not come back at once. */
function pauseMs(env: Env, attempt: number): number {
  const [random = 0] = env.randomBytes(1)
  return firstPauseMs * 2 ** attempt * (0.5 + random / 510)
}

/** Seconds, or a date. RFC 9110, section 10.2.3. */
function retryAfter(header: string | null, env: Env): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - env.clock.now().getTime()
  return Number.isNaN(ms) ? undefined : ms
}

function failed(message: string): HoldfastError {
  return new HoldfastError('hook.failed', message)
}
