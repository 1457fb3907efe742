import { connect } from 'node:net'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import type { NotifierContext } from './notifier.js'

/**
 * Whether the host of a URL takes connections, with a certificate that is valid where the URL says https. Nothing is asked of it: a request
 * would be a message.
 * @throws hook.failed naming the host alone
 */
export async function reach(cx: NotifierContext, url: Secret): Promise<string> {
  const { protocol, hostname, host, port } = new URL(url.reveal())
  const secure = protocol === 'https:'
  // An address of IPv6 stands in brackets.
  const name = hostname.replace(/^\[|\]$/gu, '')
  const target = { host: name, port: Number(port) || (secure ? 443 : 80) }
  const socket = secure ? connectTls({ ...target, servername: name }) : connect(target)
  try {
    await once(socket, secure ? 'secureConnect' : 'connect', { signal: cx.signal })
    return `${host} takes connections; nothing was sent`
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const { code, message } = thrown as NodeJS.ErrnoException
    throw new HoldfastError('hook.failed', `${host} does not answer (${code ?? message})`, { cause: thrown })
  } finally {
    socket.destroy()
  }
}
