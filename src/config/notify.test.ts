import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from '../env/secret.js'
import { asHoldfastError } from '../errors.js'
import type { NotifierConfig, NotifierSettings } from '../hooks/notifiers/settings.js'
import { resolved } from './fixture.js'

/** The settings of one notifier, its secrets shown. */
async function notifier(config: NotifierConfig): Promise<Record<string, unknown>> {
  const [settings] = (await resolved({ notify: { ops: config } })).notifiers
  return shown(settings)
}

function shown(settings: NotifierSettings | undefined): Record<string, unknown> {
  const reveal = (value: unknown): unknown => {
    if (value instanceof Secret) return { secret: value.reveal() }
    if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, reveal(each)]))
  }
  return reveal(settings) as Record<string, unknown>
}

async function problem(config: unknown): Promise<{ code: string; message: string }> {
  return resolved({ notify: { ops: config as NotifierConfig } }, { file: 'holdfast.config.ts' }).then(
    () => ({ code: '', message: '' }),
    (error: unknown) => {
      expect(inspect(error, { depth: 5 })).not.toContain('hunter22')
      return asHoldfastError(error)
    },
  )
}

const mail = { kind: 'email', from: 'a@b.c', to: 'ops@b.c' } as const
const common = { name: 'ops', on: ['success', 'failure'], timeoutMs: 10_000 }

describe('e-mail', () => {
  it.each([
    ['smtp://mail', { host: 'mail', port: 587, tls: 'starttls' }],
    ['smtp://mail?tls=none', { host: 'mail', port: 587, tls: 'none' }],
    ['smtps://mail', { host: 'mail', port: 465, tls: 'implicit' }],
    ['smtp://localhost', { host: 'localhost', port: 25, tls: 'none' }],
    ['smtp://[::1]:26?tls=starttls', { host: '::1', port: 26, tls: 'starttls' }],
    [
      'smtp://me%40b.c:hunter%2022@mail:26',
      { host: 'mail', port: 26, tls: 'starttls', user: 'me@b.c', password: { secret: 'hunter 22' } },
    ],
  ])('%s', async (url, server) => {
    expect(await notifier({ ...mail, url })).toEqual({
      ...common,
      ...server,
      kind: 'email',
      from: 'a@b.c',
      to: ['ops@b.c'],
      failureTo: [],
    })
  })

  it('takes fields too, which win over the URL', async () => {
    const config = { ...mail, url: 'smtps://me@mail', host: 'other', password: new Secret('x'), port: 1 }
    expect(await notifier(config)).toMatchObject({
      host: 'other',
      port: 1,
      user: 'me',
      tls: 'implicit',
      password: { secret: 'x' },
    })
    const only = {
      ...mail,
      to: ['a@b.c', 'd@e.f'],
      host: '127.0.0.1',
      tls: 'starttls',
      subjectPrefix: '',
    } as const
    expect(await notifier(only)).toMatchObject({ port: 25, tls: 'starttls', subjectPrefix: '', to: only.to })
  })

  it.each([
    [{ ...mail }, 'notify.ops needs url or host (holdfast.config.ts)'],
    [{ kind: 'email', from: 'a@b.c', host: 'h' }, 'notify.ops needs to or failureTo (holdfast.config.ts)'],
    [
      { ...mail, url: 'http://me:hunter22@mail' },
      'notify.ops.url: expected a URL that begins with smtp:// or smtps:// (holdfast.config.ts)',
    ],
    [{ ...mail, url: 'smtp://me:hunter22%@mail' }, 'percent sign'],
    [{ ...mail, url: 'smtp://mail?tsl=none' }, 'tsl is not known; did you mean tls'],
    [{ ...mail, url: 'smtps://mail?tls=none' }, 'tls is starttls or none, and only with smtp:'],
    [{ ...mail, url: 'smtp://mail?tls=maybe' }, 'tls is starttls or none'],
    [{ kind: 'email', url: 'smtp://mail', to: 'x' }, 'notify.ops.from: expected a text'],
    [{ ...mail, on: ['start'] }, 'notify.ops.on.0'],
  ])('%j is refused', async (config, message) => {
    const error = await problem(config)
    expect(error.code).toBe('config.invalid')
    expect(error.message).toContain(message)
  })
})

describe('a webhook, Slack and a ping', () => {
  it('have defaults, and their URLs are secrets', async () => {
    const url = 'https://hooks.example.com/T0/hunter22'
    expect(await notifier({ kind: 'webhook', url, secret: 'k', headers: { 'X-A': 'b' } })).toEqual({
      ...common,
      kind: 'webhook',
      url: { secret: url },
      secret: { secret: 'k' },
      headers: { 'X-A': { secret: 'b' } },
      retries: 3,
    })
    const slack = { kind: 'slack', url: new Secret(url), on: ['failure'], retries: 0 } as const
    expect(await notifier({ ...slack, operations: ['verify'], timeoutMs: 500 })).toEqual({
      name: 'ops',
      kind: 'slack',
      on: ['failure'],
      operations: ['verify'],
      timeoutMs: 500,
      url: { secret: url },
      retries: 0,
    })
    expect(inspect((await resolved({ notify: { ops: slack } })).notifiers, { depth: 5 })).not.toContain(
      'hunter22',
    )
  })

  it('a ping has an address for each event, and is for backups unless said otherwise', async () => {
    expect(await notifier({ kind: 'ping', url: 'https://hc.example.com/id/?rid=1' })).toEqual({
      ...common,
      on: ['start', 'success', 'failure'],
      operations: ['backup'],
      kind: 'ping',
      startUrl: { secret: 'https://hc.example.com/id/start?rid=1' },
      successUrl: { secret: 'https://hc.example.com/id/?rid=1' },
      failureUrl: { secret: 'https://hc.example.com/id/fail?rid=1' },
      retries: 3,
    })
    const own = await notifier({
      kind: 'ping',
      successUrl: 'https://a/b',
      on: ['success'],
      operations: ['prune'],
    })
    expect(own).toMatchObject({
      on: ['success'],
      operations: ['prune'],
      successUrl: { secret: 'https://a/b' },
    })
    expect(own).not.toHaveProperty('failureUrl')
  })

  it.each([
    [
      { kind: 'webhook', url: 'ftp://hunter22@h' },
      'notify.ops.url: expected a URL that begins with https:// or http://',
    ],
    [
      { kind: 'webhook', url: 'https://h', headers: { 'X Y': 'hunter22' } },
      'notify.ops.headers.X Y is not a header',
    ],
    [{ kind: 'webhook' }, 'notify.ops.url: expected a text'],
    [{ kind: 'ping' }, 'notify.ops needs url, or one of startUrl, successUrl, failureUrl'],
    [{ kind: 'ping', failureUrl: 'x' }, 'notify.ops.failureUrl: expected a URL'],
    [
      { kind: 'slak', url: 'x' },
      'notify.ops.kind: expected one of email, webhook, slack, ping; did you mean slack',
    ],
    [{ url: 'x' }, 'notify.ops.kind: expected one of email, webhook, slack, ping'],
    [{ kind: 'slack', url: 'https://h', operations: ['backups'] }, 'notify.ops.operations.0'],
  ])('%j is refused', async (config, message) => {
    const error = await problem(config)
    expect(error.code).toBe('config.invalid')
    expect(error.message).toContain(message)
  })

  it('an unknown key is told with the nearest of its kind', async () => {
    expect(await problem({ ...mail, host: 'h', subjektPrefix: 'x' })).toMatchObject({
      code: 'config.unknown-key',
      message: 'holdfast.config.ts: notify.ops.subjektPrefix is not known; did you mean subjectPrefix',
    })
  })
})

describe('the metrics file', () => {
  it('comes from flag, environment or configuration, each relative to where it was written', async () => {
    const config = { metricsFile: 'of/config.prom' }
    const variables = { HOLDFAST_METRICS_FILE: '/of/environment.prom' }
    const overrides = { metricsFile: { value: '/of/flag.prom', origin: '--metrics-file' } }
    expect((await resolved({})).metricsFile).toBeUndefined()
    const ofConfig = await resolved(config)
    expect(ofConfig.metricsFile).toMatch(/^[/\\A-Z].*of.config\.prom$/u)
    expect((await resolved(config, { variables })).metricsFile).toContain('environment.prom')
    const ofFlag = await resolved(config, { variables, overrides })
    expect(ofFlag.metricsFile).toContain('flag.prom')
    expect(ofFlag.origins.get('metricsFile')).toBe('--metrics-file')
  })
})
