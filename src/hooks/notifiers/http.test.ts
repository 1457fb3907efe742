import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { Notifications } from './notifications.js'
import type { PingSettings, SlackSettings, WebhookSettings } from './settings.js'
import { type Answer, closedPort, done, drop, hang, httpReceiver, partly, tell } from './test-receivers.js'

function webhook(url: string, settings: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    kind: 'webhook',
    name: 'ops',
    on: ['success', 'failure'],
    timeoutMs: 10_000,
    url: new Secret(url),
    headers: {},
    retries: 3,
    ...settings,
  }
}

const redirect =
  (location: string): Answer =>
  (response) =>
    response.writeHead(302, { Location: location }).end()

describe('a webhook', () => {
  it('is given the report as JSON, signed with the time', async () => {
    const { url, received } = await httpReceiver(204)
    const headers = { 'X-Team': new Secret('ops') }
    const settings = webhook(`${url}/in?token=t`, { secret: new Secret('key'), headers })
    expect(await tell(partly, settings)).toEqual([])
    const [request, ...others] = received
    expect(others).toEqual([])
    expect(request).toMatchObject({ method: 'POST', path: '/in?token=t' })
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'ops' })
    expect(JSON.parse(request?.body ?? '')).toEqual({ holdfast: 1, event: 'finished', ...partly })
    const timestamp = String(request?.headers['holdfast-timestamp'])
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60)
    const digest = createHmac('sha256', 'key').update(`${timestamp}.${request?.body}`).digest('hex')
    expect(request?.headers['holdfast-signature']).toBe(`v1=${digest}`)
  })

  it('has its user and password in a header, and none without them', async () => {
    const { port, url, received } = await httpReceiver()
    await tell(done, webhook(`http://me:p%40ss@127.0.0.1:${port}/`), webhook(url))
    const logins = received.map(({ headers }) => headers.authorization)
    expect(logins.sort()).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`, undefined])
    expect(received.some(({ headers }) => 'holdfast-signature' in headers)).toBe(false)
  })

  it('is tried again while the server fails or the network does, with the same delivery', async () => {
    const { url, received } = await httpReceiver(500, drop, 200)
    expect(await tell(done, webhook(url))).toEqual([])
    expect(received.length).toBe(3)
    expect(new Set(received.map(({ headers }) => headers['holdfast-delivery'])).size).toBe(1)
  })

  it('is not tried again for an answer that stays', async () => {
    const { url, port, received } = await httpReceiver(404)
    expect(await tell(done, webhook(url))).toEqual([
      `the notifier ops (webhook) has not told of the success: 127.0.0.1:${port} answered 404`,
    ])
    expect(received.length).toBe(1)
  })

  it('is tried as often as is said', async () => {
    const { url, port, received } = await httpReceiver(503)
    expect(await tell(done, webhook(url, { retries: 1 }))).toEqual([
      `the notifier ops (webhook) has not told of the success: 127.0.0.1:${port} answered 503 (tried 2 times)`,
    ])
    expect(received.length).toBe(2)
  })

  it('waits as long as Retry-After says, where that is within its time', async () => {
    const later =
      (seconds: string): Answer =>
      (response) =>
        response.writeHead(429, { 'Retry-After': seconds }).end()
    const { url, received } = await httpReceiver(later('1'), 200)
    const started = performance.now()
    expect(await tell(done, webhook(url))).toEqual([])
    expect(performance.now() - started).toBeGreaterThan(990)
    expect(received.length).toBe(2)

    const far = await httpReceiver(later('60'))
    const asked = performance.now()
    const [warning] = await tell(done, webhook(far.url))
    expect(warning).toContain('answered 429, and no time is left to try again')
    expect(performance.now() - asked).toBeLessThan(5000)
  })

  it('FAILURES 71: does not follow a redirect with what is meant for one place', async () => {
    const elsewhere = await httpReceiver()
    const { port } = await httpReceiver(redirect(elsewhere.url))
    const secret = new Secret('key')
    const [warning] = await tell(done, webhook(`http://me:hunter22@127.0.0.1:${port}/`, { secret }))
    expect(warning).toContain(`127.0.0.1:${port} answered 302: redirects are not followed`)
    expect(elsewhere.received).toEqual([])
  })

  it('FAILURES 8: that hangs is given up when its time is over, and nobody else waits', async () => {
    const stuck = await httpReceiver(hang)
    const fine = await httpReceiver()
    const started = performance.now()
    const warnings = await tell(done, webhook(stuck.url, { timeoutMs: 200 }), webhook(fine.url))
    expect(warnings).toEqual([
      'the notifier ops (webhook) has not told of the success: it did not end within 200 ms',
    ])
    expect(performance.now() - started).toBeLessThan(5000)
    expect(fine.received.length).toBe(1)
  })

  it('that is not there is named by its host alone', async () => {
    const port = await closedPort()
    const [warning] = await tell(done, webhook(`http://me:hunter22@127.0.0.1:${port}/T0/x`, { retries: 0 }))
    expect(warning).toBe(
      `the notifier ops (webhook) has not told of the success: 127.0.0.1:${port} does not answer (ECONNREFUSED)`,
    )
  })
})

describe('Slack', () => {
  const slack = (url: string): SlackSettings => ({
    kind: 'slack',
    name: 'chat',
    on: ['success', 'failure'],
    timeoutMs: 10_000,
    url: new Secret(url),
    retries: 0,
  })

  interface Payload {
    readonly text: string
    readonly blocks: readonly { readonly text: { readonly text: string } }[]
  }

  it('is given text and blocks, in which names mean nothing special', async () => {
    const { url, received } = await httpReceiver()
    const [subject] = done.subjects
    const odd = { ...subject, name: '<!channel> & ```co' } as typeof subject & object
    expect(await tell({ ...done, subjects: [odd] }, slack(url))).toEqual([])
    const { text, blocks } = JSON.parse(received[0]?.body ?? '') as Payload
    expect(text).toBe('[web1] backup done: &lt;!channel&gt; &amp; ```co')
    expect(blocks[0]?.text.text).toBe('[web1] backup done: <!channel> & ```co')
    expect(blocks[1]?.text.text).toContain("done: &lt;!channel&gt; &amp; '''co")
  })

  it('is given no more than it takes', async () => {
    const { url, received } = await httpReceiver()
    const [subject] = done.subjects
    const long = { ...subject, name: 'x'.repeat(500), warnings: ['<&>'.repeat(2000)] } as typeof subject &
      object
    await tell({ ...done, subjects: [long] }, slack(url))
    const { blocks } = JSON.parse(received[0]?.body ?? '') as Payload
    const [header = '', section = ''] = blocks.map(({ text }) => text.text)
    expect(header.length).toBeLessThanOrEqual(150)
    expect(section.length).toBeLessThanOrEqual(3000)
    expect(section.length).toBeGreaterThan(2900)
    expect(section).toMatch(/(?:;|…)```$/u)
  })
})

describe('a ping', () => {
  const ping = (url: string, settings: Partial<PingSettings> = {}): PingSettings => ({
    kind: 'ping',
    name: 'alive',
    on: ['start', 'success', 'failure'],
    timeoutMs: 10_000,
    startUrl: new Secret(`${url}/id/start`),
    successUrl: new Secret(`${url}/id`),
    failureUrl: new Secret(`${url}/id/fail`),
    retries: 0,
    ...settings,
  })

  it.each([
    [done, '/id', 'backup done: shop\n'],
    [partly, '/id/fail', 'backup partly failed: 2 of 3 databases\n'],
  ])('tells of start and end by their URLs, in this order', async (report, path, first) => {
    const { url, received } = await httpReceiver()
    const notifications = new Notifications(
      { env: nodeEnv(), emit: () => undefined },
      [ping(url)],
      (said) => said,
    )
    notifications.started(report)
    await notifications.finished(report)
    expect(received.map((each) => each.path)).toEqual(['/id/start', path])
    expect(received[1]?.body.startsWith(first)).toBe(true)
  })

  it('is not sent where there is no URL for it', async () => {
    const { url, received } = await httpReceiver()
    const { successUrl: _, ...rest } = ping(url)
    expect(await tell(done, rest)).toEqual([])
    expect(received).toEqual([])
  })

  it('FAILURES 8: of a start that hangs keeps neither the end nor the run for longer than its limit', async () => {
    const { url, received } = await httpReceiver(hang, 200)
    const warnings: string[] = []
    const notifications = new Notifications(
      { env: nodeEnv(), emit: (event) => void warnings.push('message' in event ? event.message : '') },
      [ping(url, { timeoutMs: 500 })],
      (said) => said,
    )
    const began = performance.now()
    notifications.started(done)
    await notifications.finished(done)
    expect(performance.now() - began).toBeLessThan(3000)
    expect(received.map(({ path }) => path)).toEqual(['/id/start', '/id'])
    expect(warnings).toEqual([
      'the notifier alive (ping) has not told of the start: it did not end within 500 ms',
    ])
  })
})

describe('who is told', () => {
  it.each([
    ['backup', 'success', undefined, true],
    ['backup', 'failure', undefined, true],
    ['restore', 'success', undefined, true],
    ['verify', 'success', undefined, false],
    ['verify', 'failure', undefined, true],
    ['prune', 'success', undefined, false],
    ['prune', 'partial', undefined, true],
    ['verify', 'success', ['verify'], true],
    ['backup', 'failure', ['verify'], false],
  ] as const)('of %s with %s, by those for %s: %s', async (operation, result, operations, told) => {
    const { url, received } = await httpReceiver()
    await tell({ ...done, operation, result }, webhook(url, operations === undefined ? {} : { operations }))
    expect(received.length).toBe(told ? 1 : 0)
  })

  it('only of what on says; partial is a failure', async () => {
    const failures = await httpReceiver()
    const successes = await httpReceiver()
    const both = [webhook(failures.url, { on: ['failure'] }), webhook(successes.url, { on: ['success'] })]
    await tell(partly, ...both)
    await tell(done, ...both)
    expect([failures, successes].map(({ received }) => received.length)).toEqual([1, 1])
    expect(failures.received[0]?.body).toContain('"result":"partial"')
  })
})
