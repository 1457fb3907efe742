import { createHmac } from 'node:crypto'
import type { Env } from '../../env/env.js'
import type { Secret } from '../../env/secret.js'
import type { RunReport, RunStart } from '../run-report.js'
import { post } from './http.js'
import type { Notifier, NotifierContext } from './notifier.js'
import { reach } from './reach.js'
import type { WebhookSettings } from './settings.js'

/** The body of a webhook. Fields may be added; `holdfast` is raised when one changes its meaning. */
export type WebhookBody = { readonly holdfast: 1 } & (
  ({ readonly event: 'started' } & RunStart) | ({ readonly event: 'finished' } & RunReport)
)

/**
 * Posts the report as JSON. `Holdfast-Delivery` is the same in all tries of one message. With a secret,
 * `Holdfast-Signature` is `v1=` and the HMAC-SHA256, in hexadecimal, of `Holdfast-Timestamp`, a full stop and the body.
 */
export function webhookNotifier(settings: WebhookSettings): Notifier {
  const send = (cx: NotifierContext, content: WebhookBody) => {
    const body = JSON.stringify(content)
    const delivery = Buffer.from(cx.env.randomBytes(16)).toString('hex')
    return post(cx, {
      url: settings.url,
      retries: settings.retries,
      body,
      headers: () => ({
        'Content-Type': 'application/json',
        ...revealed(settings.headers),
        'Holdfast-Delivery': delivery,
        ...(settings.secret === undefined ? {} : signature(settings.secret, body, cx.env)),
      }),
    })
  }
  return {
    started: (cx, run) => send(cx, { holdfast: 1, event: 'started', ...run }),
    finished: (cx, report) => send(cx, { holdfast: 1, event: 'finished', ...report }),
    check: (cx) => reach(cx, settings.url),
  }
}

/** The time is signed too, so that an old message cannot be sent again later. */
function signature(secret: Secret, body: string, env: Env): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(env.clock.now().getTime() / 1000))
  const digest = createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex')
  return { 'Holdfast-Timestamp': timestamp, 'Holdfast-Signature': `v1=${digest}` }
}

function revealed(headers: WebhookSettings['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]))
}
