import { Client } from 'basic-ftp'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { trusted } from '../ca-file.js'
import { loginError } from './errors.js'
import type { FtpSettings } from './settings.js'

/** How long the server may be silent. */
const silenceMs = 60_000
/** So many are kept for later. */
const mostIdle = 8
/** Whether one that has rested so long is still there is asked first: servers end those that nobody uses. */
const restedMs = 15_000

interface Idle {
  readonly client: Client
  readonly since: number
}

/** Connections to one server. FTP does one thing at a time on each, so what runs at once has one each. */
export class FtpConnections {
  readonly #settings: FtpSettings
  readonly #baseDirectory: string
  readonly #idle: Idle[] = []
  #closed = false

  constructor(settings: FtpSettings, baseDirectory: string) {
    this.#settings = settings
    this.#baseDirectory = baseDirectory
  }

  get place(): string {
    const { user, host, port } = this.#settings
    return `${user}@${host}${port === undefined ? '' : `:${port}`}`
  }

  /** One that is logged in, to be given back. @throws storage.login-refused, storage.unreachable, storage.untrusted */
  async take(cx: Context): Promise<Client> {
    cx.signal.throwIfAborted()
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop())
      if (await isThere(idle)) return idle.client
    const client = new Client(silenceMs, { allowSeparateTransferHost: this.#settings.otherDataHost === true })
    const stop = () => client.close()
    cx.signal.addEventListener('abort', stop, { once: true })
    try {
      await this.#logIn(client)
      return client
    } catch (thrown) {
      client.close()
      cx.signal.throwIfAborted()
      throw loginError(thrown, this.place)
    } finally {
      cx.signal.removeEventListener('abort', stop)
    }
  }

  async #logIn(client: Client): Promise<void> {
    const { host, port, user, password, tls, ca } = this.#settings
    const secureOptions = { host, ...trusted(ca, this.#baseDirectory) }
    const secure = tls === 'explicit' ? true : tls === 'implicit' ? 'implicit' : false
    await client.access({
      host,
      port: port ?? (tls === 'implicit' ? 990 : 21),
      user,
      password: password?.reveal() ?? '',
      secure,
      secureOptions,
    })
    // The only list whose form is laid down. Others are guessed at, and may be empty where there is an error.
    if (!client.availableListCommands.includes('MLSD'))
      throw new HoldfastError('storage.failed', `ftp ${this.place} does not know MLST and MLSD`, {
        hint: 'FTP storages need a server with RFC 3659; SFTP and WebDAV need nothing special',
      })
    client.availableListCommands = ['MLSD']
    client.ftp.socket.setNoDelay(true)
  }

  give(client: Client): void {
    if (client.closed) return
    if (this.#closed || this.#idle.length >= mostIdle) client.close()
    else this.#idle.push({ client, since: performance.now() })
  }

  close(): void {
    this.#closed = true
    for (const { client } of this.#idle.splice(0)) client.close()
  }
}

async function isThere({ client, since }: Idle): Promise<boolean> {
  if (client.closed) return false
  if (performance.now() - since < restedMs) return true
  return client.send('NOOP').then(
    () => true,
    () => {
      client.close()
      return false
    },
  )
}
