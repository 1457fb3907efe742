import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { onTestFinished } from 'vitest'
import { nodeEnv } from '../../env/node-env.js'
import type { RunReport } from '../run-report.js'
import { Notifications } from './notifications.js'
import type { NotifierSettings } from './settings.js'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What an HTTP server does with a request: answers with a status, or anything else. */
export type Answer = number | ((response: ServerResponse) => void)

/** Closes the connection without a word. */
export const drop: Answer = (response) => response.socket?.destroy()

/** Takes the request and says nothing. */
export const hang: Answer = () => undefined

/** An HTTP server that gives these answers in turn, the last of them ever after. Gone when the test ends. */
export async function httpReceiver(...answers: readonly Answer[]) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const { method = '', url = '', headers } = request
        const answer = answers[Math.min(received.length, answers.length - 1)] ?? 200
        received.push({ method, path: url, headers, body })
        if (typeof answer === 'number') response.writeHead(answer).end('noted')
        else answer(response)
      },
      () => undefined,
    )
  })
  const port = await listening(server)
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { received, port, url: `http://127.0.0.1:${port}` }
}

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly user: string | undefined
  readonly secure: boolean
  readonly text: string
}

/** A mail server that knows the user `me` with the password `open sesame`. Gone when the test ends. */
export async function mailServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    // It would warn on stderr of the certificate that it brings along.
    logger: false,
    onAuth({ username, password }, _session, done) {
      if (username === 'me' && password === 'open sesame') done(null, { user: username })
      else done(new Error(`wrong password ${password}`))
    },
    onData(stream, session, done) {
      void text(stream).then((content) => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user as string | undefined,
          secure: session.secure,
          text: content,
        })
        done()
      }, done)
    },
    ...options,
  })
  // A client that goes away in the middle is part of what is tested.
  server.on('error', () => undefined)
  const port = await listening(server.server)
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)))
  return { mails, port }
}

/** A server that takes connections and never says anything. `gone` resolves when its client has left. */
export async function silentServer() {
  const sockets = new Set<Socket>()
  let left: (() => void) | undefined
  const gone = new Promise<void>((resolve) => (left = resolve))
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => left?.())
    socket.resume()
  })
  const port = await listening(server)
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port, gone }
}

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A certificate of one's own making for localhost, and the file of it to be trusted. Removed when the test ends. */
export async function certificate() {
  const folder = await nodeEnv().temporaryDirectory()
  onTestFinished(() => folder.remove())
  const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
  const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1`
  execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { file: cert, key: readFileSync(key), cert: readFileSync(cert) }
}

/** A run of three databases, of which one is whole, one in part and one not at all. */
export const partly: RunReport = {
  operation: 'backup',
  server: 'web1',
  started: '2026-11-20T03:00:00.000Z',
  finished: '2026-11-20T03:02:05.000Z',
  seconds: 125,
  result: 'partial',
  subjects: [
    {
      kind: 'database',
      name: 'shop',
      result: 'success',
      storages: [
        { name: 'main', ok: true },
        { name: 'offsite', ok: true },
      ],
      id: '20261120T030000000Z-abcdef',
      filename: 'shop-web1.dump.zst',
      plainBytes: 45_000_000,
      storedBytes: 12_345_678,
      seconds: 61,
      warnings: ['a table has no primary key'],
    },
    {
      kind: 'database',
      name: 'docs',
      result: 'partial',
      storages: [
        { name: 'main', ok: true },
        {
          name: 'offsite',
          ok: false,
          error: { code: 'storage.unreachable', message: 'no route', hint: 'check the network' },
        },
      ],
      filename: 'docs-web1.archive.zst',
      warnings: [],
      error: {
        code: 'backup.partial',
        message: 'the backup is whole in main, and not in offsite: no route [storage.unreachable]',
        hint: 'check its settings and the network',
      },
    },
    {
      kind: 'database',
      name: 'crm',
      result: 'failure',
      storages: [{ name: 'main', ok: false }],
      warnings: [],
      error: {
        code: 'database.unreachable',
        message: 'db1:5432 does not answer',
        hint: 'check host and port, and that the server runs',
      },
    },
  ],
}

const [shop] = partly.subjects

/** A run of which everything succeeded. */
export const done: RunReport = { ...partly, result: 'success', subjects: shop === undefined ? [] : [shop] }

/** Tells these notifiers of a report; gives what they are said to have failed at. */
export async function tell(report: RunReport, ...notifiers: readonly NotifierSettings[]): Promise<string[]> {
  const warnings: string[] = []
  const emit = (event: { readonly type: string; readonly message?: string }) => {
    warnings.push(event.message ?? event.type)
  }
  await new Notifications({ env: nodeEnv(), emit }, notifiers, (said) => said).finished(report)
  return warnings
}
