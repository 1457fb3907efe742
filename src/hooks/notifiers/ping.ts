import type { Secret } from '../../env/secret.js'
import { post } from './http.js'
import { messageOf } from './message.js'
import type { Notifier, NotifierContext } from './notifier.js'
import { reach } from './reach.js'
import type { PingSettings } from './settings.js'

/** What healthchecks.io keeps of a body. */
const longestBody = 100_000

/** Posts to the URL of what happened, with the message as body. A URL that is not there is not called. */
export function pingNotifier({ startUrl, successUrl, failureUrl, retries }: PingSettings): Notifier {
  const ping = async (cx: NotifierContext, url: Secret | undefined, text: string) => {
    if (url === undefined) return
    const body = text.slice(0, longestBody)
    await post(cx, { url, retries, body, headers: () => ({ 'Content-Type': 'text/plain; charset=utf-8' }) })
  }
  return {
    started: (cx, { operation, server }) => ping(cx, startUrl, `${operation} on ${server} has started\n`),
    finished: (cx, report) =>
      ping(cx, report.result === 'success' ? successUrl : failureUrl, messageOf(report).body),
    async check(cx) {
      const urls = [startUrl, successUrl, failureUrl].filter((url) => url !== undefined)
      const answers = await Promise.all(urls.map((url) => reach(cx, url)))
      return [...new Set(answers)].join('; ')
    },
  }
}
