import type { Client, ConnectConfig, SFTPWrapper } from 'ssh2'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { connectError, lostError, sftpError } from './errors.js'
import { hostKeyCheck } from './host-key.js'
import { loginMethods, userOf } from './login.js'
import type { SftpSettings } from './settings.js'

const connectTimeoutMs = 20_000
/** A connection that is dead is known as such after four of these. */
const keepAliveMs = 15_000

type Answer<Value> = (error: Error | null | undefined, value: Value) => void

/** One SSH connection with one SFTP channel, on which any number of requests may be under way. */
export class SftpConnection {
  readonly #client: Client
  readonly #sftp: SFTPWrapper
  readonly #where: string
  readonly #waiting = new Set<(error: Error) => void>()
  #lost: Error | undefined

  private constructor(client: Client, sftp: SFTPWrapper, where: string) {
    this.#client = client
    this.#sftp = sftp
    this.#where = where
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose())
    client.on('close', () => this.#lose())
    sftp.on('close', () => this.#lose())
    sftp.on('error', (error: Error) => this.#lose(error))
  }

  /** @throws storage.unreachable, storage.login-refused, storage.untrusted, key.invalid, config.invalid */
  static async open(cx: Context, settings: SftpSettings): Promise<SftpConnection> {
    const username = userOf(cx, settings)
    const where = `${username}@${settings.host}${settings.port === 22 ? '' : `:${settings.port}`}`
    const methods = await loginMethods(cx, settings, username)
    const check = await hostKeyCheck(cx, settings)
    let untrusted: HoldfastError | undefined
    const client = await connectedClient(
      {
        host: settings.host,
        port: settings.port,
        username,
        readyTimeout: connectTimeoutMs,
        keepaliveInterval: keepAliveMs,
        keepaliveCountMax: 4,
        algorithms: { serverHostKey: [...check.algorithms] },
        hostVerifier: (key: Buffer) => (untrusted = check.judge(key)) === undefined,
        authHandler: methods.map(({ method }) => method),
      },
      (error) => untrusted ?? connectError(error, where, [...new Set(methods.map(({ label }) => label))]),
    )
    try {
      return new SftpConnection(client, await openChannel(client, where), where)
    } catch (error) {
      client.destroy()
      throw error
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /**
   * Asks the server; an answer that does not come because the connection broke off is an error.
   * @param doing for errors: `cannot write shop/app.dump in sftp backup@host/srv`
   */
  async ask<Value>(
    doing: string,
    request: (sftp: SFTPWrapper, answer: Answer<Value>) => void,
    signal?: AbortSignal,
  ): Promise<Value> {
    signal?.throwIfAborted()
    if (this.#lost !== undefined) throw lostError(this.#where, this.#lost)
    let abort: (() => void) | undefined
    let fail: ((error: Error) => void) | undefined
    try {
      return await new Promise<Value>((resolve, reject) => {
        fail = reject
        abort = () => reject(signal?.reason as Error)
        signal?.addEventListener('abort', abort, { once: true })
        this.#waiting.add(reject)
        request(this.#sftp, (error, value) => {
          if (error === undefined || error === null) resolve(value)
          // The client library's word for it; what broke off is known a moment later.
          else if (error.message === 'No response from server') reject(lostError(this.#where, error))
          else reject(sftpError(error, doing))
        })
      })
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort)
      if (fail !== undefined) this.#waiting.delete(fail)
    }
  }

  close(): void {
    this.#client.end()
    this.#lose()
  }

  #lose(cause?: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = cause ?? new Error('the server closed the connection')
    const error = lostError(this.#where, cause)
    for (const reject of this.#waiting) reject(error)
    this.#client.destroy()
  }
}

async function connectedClient(
  config: ConnectConfig,
  explain: (error: Error) => HoldfastError,
): Promise<Client> {
  const ssh2 = (await import('ssh2')).default
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      client.destroy()
      reject(explain(error))
    }
    client.once('ready', () => {
      client.off('error', fail)
      // A request is answered before the next is sent, often: nothing may wait for more to send.
      client.setNoDelay(true)
      resolve(client)
    })
    client.once('error', fail)
    // After the first error there may be others, of the same cause.
    client.on('error', () => undefined)
    client.once('close', () => fail(new Error('the server closed the connection')))
    try {
      client.connect(config)
    } catch (error) {
      fail(error as Error)
    }
  })
}

function openChannel(client: Client, where: string): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(lostError(where)))
    client.sftp((error, sftp) => {
      if (error === undefined) resolve(sftp)
      else
        reject(
          new HoldfastError('storage.denied', `${where} offers no SFTP: ${error.message.toLowerCase()}`, {
            cause: error,
          }),
        )
    })
  })
}
