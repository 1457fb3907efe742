import { readFile } from 'node:fs/promises'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import type { RunReport } from '../run-report.js'
import { messageOf } from './message.js'
import type { Notifier, NotifierContext } from './notifier.js'
import type { EmailSettings } from './settings.js'

/** Sends one message as text, over a connection of its own. */
export function emailNotifier(settings: EmailSettings): Notifier {
  return {
    finished: (cx, report) => send(cx, settings, report),
    async check(cx) {
      await connected(cx, settings, (transport) => transport.verify())
      const who = settings.user === undefined ? 'takes mail without a login' : 'has taken the login'
      return `${settings.host} ${who}; nothing was sent`
    },
  }
}

async function send(cx: NotifierContext, settings: EmailSettings, report: RunReport): Promise<void> {
  const { from, subjectPrefix = `[${report.server}] ` } = settings
  const to = recipientsOf(settings, report)
  if (to.length === 0) return
  const { subject, body } = messageOf(report)
  await connected(cx, settings, (transport) =>
    transport.sendMail({
      from,
      to: [...to],
      subject: `${subjectPrefix}${subject}`,
      text: body,
      // A text of ours is neither a file nor a URL to be read.
      disableFileAccess: true,
      disableUrlAccess: true,
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal: cx.signal,
    }),
  )
}

/** @throws hook.failed for what the mail server, or the way to it, says; the signal's reason when aborted */
async function connected(
  cx: NotifierContext,
  settings: EmailSettings,
  work: (transport: Awaited<ReturnType<typeof transportOf>>) => Promise<unknown>,
): Promise<void> {
  const transport = await transportOf(cx, settings)
  try {
    await work(transport)
  } catch (thrown) {
    cx.signal.throwIfAborted()
    throw new HoldfastError('hook.failed', `${settings.host}: ${asHoldfastError(thrown).message}`, {
      cause: thrown,
    })
  } finally {
    transport.close()
  }
}

function recipientsOf({ to, failureTo }: EmailSettings, { result }: RunReport): readonly string[] {
  return result !== 'success' && failureTo.length > 0 ? failureTo : to
}

async function transportOf(cx: NotifierContext, settings: EmailSettings) {
  const { host, port, tls, user, password, ca, timeoutMs } = settings
  const { createTransport } = await import('nodemailer')
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca === undefined ? {} : { tls: { ca: await readFile(ca, { signal: cx.signal }) } }),
    ...(user === undefined
      ? {}
      : // A server that offers no login is the wrong one, or an attacker between.
        { auth: { user, pass: password?.reveal() ?? '' }, forceAuth: true }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  })
}
