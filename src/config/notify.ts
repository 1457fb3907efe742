import { resolve } from 'node:path'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import type {
  EmailConfig,
  EmailSettings,
  MailTls,
  NotifierConfig,
  NotifierSettings,
  NotifyEvent,
  PingConfig,
  PingSettings,
} from '../hooks/notifiers/settings.js'
import { asSecret } from './connection.js'
import { didYouMean } from './nearest.js'

const defaultTimeoutMs = 10_000
const defaultRetries = 3
const outcomes: readonly NotifyEvent[] = ['success', 'failure']

/** What resolving a notifier needs to know beside its configuration. */
interface Place {
  /** `notify.ops`. */
  readonly setting: string
  /** Where the configuration came from. */
  readonly origin: string
  readonly baseDirectory: string
}

/**
 * The notifiers with defaults filled in and secrets wrapped. Nobody is contacted.
 * @throws config.invalid
 */
export function resolveNotifiers(
  notify: Readonly<Record<string, NotifierConfig>> | undefined,
  origin: string,
  baseDirectory: string,
): readonly NotifierSettings[] {
  return Object.entries(notify ?? {}).map(([name, config]) =>
    resolveNotifier(name, config, { setting: `notify.${name}`, origin, baseDirectory }),
  )
}

function resolveNotifier(name: string, config: NotifierConfig, place: Place): NotifierSettings {
  const { on = outcomes, operations, timeoutMs = defaultTimeoutMs } = config
  const common = { name, on, timeoutMs, ...(operations === undefined ? {} : { operations }) }
  if (config.kind === 'email') return { ...common, ...emailSettings(config, place) }
  const { retries = defaultRetries } = config
  if (config.kind === 'ping') {
    return {
      ...common,
      on: config.on ?? ['start', ...outcomes],
      operations: operations ?? ['backup'],
      retries,
      kind: 'ping',
      ...pingUrls(config, place),
    }
  }
  const url = webUrl(config.url, 'url', place)
  if (config.kind === 'slack') return { ...common, retries, kind: 'slack', url }
  const secret = asSecret(config.secret)
  return {
    ...common,
    retries,
    kind: 'webhook',
    url,
    ...(secret === undefined ? {} : { secret }),
    headers: webHeaders(config.headers ?? {}, place),
  }
}

function emailSettings(
  config: EmailConfig,
  place: Place,
): Omit<EmailSettings, 'name' | 'on' | 'operations' | 'timeoutMs'> {
  const fromUrl = config.url === undefined ? {} : mailUrl(config.url, place)
  const { host, port, user, password, tls }: MailServer = { ...fromUrl, ...mailFields(config) }
  if (host === undefined) throw invalid(place, 'needs url or host')
  const to = listOf(config.to)
  const failureTo = listOf(config.failureTo)
  if (to.length + failureTo.length === 0) throw invalid(place, 'needs to or failureTo')
  const here = isLoopback(host)
  const chosenTls = tls ?? (here ? 'none' : 'starttls')
  return {
    kind: 'email',
    host,
    port: port ?? (chosenTls === 'implicit' ? 465 : here ? 25 : 587),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    tls: chosenTls,
    ...(config.ca === undefined ? {} : { ca: resolve(place.baseDirectory, config.ca) }),
    from: config.from,
    to,
    failureTo,
    ...(config.subjectPrefix === undefined ? {} : { subjectPrefix: config.subjectPrefix }),
  }
}

interface MailServer {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: Secret
  readonly tls?: MailTls
}

function mailFields({ host, port, user, tls, ...config }: EmailConfig): MailServer {
  const password = asSecret(config.password)
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** `smtp://user:password@host:587?tls=none`. @throws config.invalid */
function mailUrl(given: string | Secret, place: Place): MailServer {
  const url = parsed(given, 'url', ['smtp:', 'smtps:'], place)
  const { hostname, port, username, password, searchParams } = url
  const unknown = [...searchParams.keys()].find((name) => name !== 'tls')
  if (unknown !== undefined)
    throw invalid(place, `url: ${unknown} is not known${didYouMean(unknown, ['tls'])}`, '.')
  const tls = searchParams.get('tls') ?? undefined
  const implicit = url.protocol === 'smtps:'
  if (tls !== undefined && (implicit || (tls !== 'starttls' && tls !== 'none')))
    throw invalid(place, 'url: tls is starttls or none, and only with smtp:', '.')
  const secret = asSecret(decodeURIComponent(password))
  return {
    host: hostname.replace(/^\[|\]$/gu, ''),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { user: decodeURIComponent(username) }),
    ...(secret === undefined ? {} : { password: secret }),
    ...(implicit ? { tls: 'implicit' } : tls === undefined ? {} : { tls }),
  }
}

/** What is sent to this machine itself passes no network. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/u.test(host)
}

/** `/start` and `/fail` stand before a query, where the URL has one. @throws config.invalid */
function pingUrls(
  config: PingConfig,
  place: Place,
): Pick<PingSettings, 'startUrl' | 'successUrl' | 'failureUrl'> {
  const { url } = config
  const below = (path: string) => {
    if (url === undefined) return undefined
    const target = new URL(webUrl(url, 'url', place).reveal())
    target.pathname = `${target.pathname.replace(/\/$/u, '')}${path}`
    return target.href
  }
  const chosen = {
    startUrl: config.startUrl ?? below('/start'),
    successUrl: config.successUrl ?? url,
    failureUrl: config.failureUrl ?? below('/fail'),
  }
  const given = Object.entries(chosen).flatMap(([name, each]) =>
    each === undefined ? [] : [[name, webUrl(each, name, place)] as const],
  )
  if (given.length === 0) throw invalid(place, 'needs url, or one of startUrl, successUrl, failureUrl')
  return Object.fromEntries(given)
}

function webHeaders(
  headers: Readonly<Record<string, string | Secret>>,
  place: Place,
): Readonly<Record<string, Secret>> {
  const wrapped = Object.entries(headers).map(([name, value]) => {
    const secret = typeof value === 'string' ? new Secret(value) : value
    try {
      new Headers([[name, secret.reveal()]])
    } catch {
      // The error of `Headers` holds the value.
      throw invalid(place, `headers.${name} is not a header of HTTP`, '.')
    }
    return [name, secret] as const
  })
  return Object.fromEntries(wrapped)
}

function webUrl(given: string | Secret, key: string, place: Place): Secret {
  return new Secret(parsed(given, key, ['https:', 'http:'], place).href)
}

/** The URL may hold a password: an error does not show it. @throws config.invalid */
function parsed(given: string | Secret, key: string, schemes: readonly string[], place: Place): URL {
  const text = typeof given === 'string' ? given : given.reveal()
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && schemes.includes(url.protocol) && url.hostname !== '') {
    if (isDecodable(`${url.username}${url.password}`)) return url
    throw invalid(place, `${key}: a percent sign in user or password is written %25`, '.')
  }
  throw invalid(place, `${key}: expected a URL that begins with ${schemes.join('// or ')}//`, '.')
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function invalid({ setting, origin }: Place, what: string, separator = ' '): HoldfastError {
  return new HoldfastError('config.invalid', `${setting}${separator}${what} (${origin})`)
}
