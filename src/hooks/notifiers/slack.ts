import type { RunReport } from '../run-report.js'
import { post } from './http.js'
import { messageOf } from './message.js'
import type { Notifier } from './notifier.js'
import { reach } from './reach.js'
import type { SlackSettings } from './settings.js'

/** What Slack takes in one block of each kind, in characters. */
const longestHeader = 150
const longestSection = 3000

/** Posts to an incoming webhook: `text` for notifications and for what knows no blocks, and blocks. */
export function slackNotifier({ url, retries }: SlackSettings): Notifier {
  return {
    finished: (cx, report) =>
      post(cx, {
        url,
        retries,
        body: JSON.stringify(payloadOf(report)),
        headers: () => ({ 'Content-Type': 'application/json' }),
      }),
    check: (cx) => reach(cx, url),
  }
}

function payloadOf(report: RunReport) {
  const { subject, body } = messageOf(report)
  const title = `[${report.server}] ${subject}`
  const rest = body.slice(subject.length).trim()
  return {
    text: escaped(title),
    blocks: [
      // Plain text is shown as it is.
      { type: 'header', text: { type: 'plain_text', text: cut(title, longestHeader), emoji: false } },
      { type: 'section', text: { type: 'mrkdwn', text: quoted(rest) } },
    ],
  }
}

/** As preformatted text, where `*` and `_` of names are nothing special; not cut inside of an escape. */
function quoted(text: string): string {
  const fence = '```'
  const room = longestSection - 2 * fence.length - 1
  let shown = ''
  for (const sign of text.replaceAll(fence, "'''")) {
    if (shown.length + escaped(sign).length > room) return `${fence}${shown}…${fence}`
    shown += escaped(sign)
  }
  return `${fence}${shown}${fence}`
}

/** The three characters that Slack gives a meaning: a table named `<!channel>` wakes nobody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
}
