import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import type { Client } from 'pg'
import { HoldfastError } from '../../errors.js'
import { GatheredOutput } from '../../process/gathered-output.js'
import type { ChunkPool } from '../../streams/chunk-pool.js'
import { borrowSocket, type LentSocket } from './lent-socket.js'
import { serverError, ServerMessages } from './server-messages.js'

/*
 * COPY over the driver's connection, past the driver: it has no COPY of its own, and every row would be an object. The messages:
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */

/** A letter, and four bytes of length, which count themselves. */
const headerBytes = 5

interface CopySettings {
  readonly signal: AbortSignal
  /** What the server says, or that it says nothing any more, as an error for the caller. */
  readonly failed: (error: Error) => Error
}

export interface CopyOutSettings extends CopySettings {
  readonly pool: ChunkPool
}

export interface CopyInSettings extends CopySettings {
  /** How many the source must give. */
  readonly bytes: number | undefined
}

/**
 * Runs `COPY … TO STDOUT`. The stream ends only after the server has said that the COPY is complete; it is destroyed with what
 * the server says otherwise, or when the connection breaks. A reader that gives up ends the connection.
 */
export function copyOut(client: Client, sql: string, { pool, signal, failed }: CopyOutSettings): Readable {
  const exchange: Exchange = new Exchange(client, (rows) => output.push(rows))
  const output: GatheredOutput = new GatheredOutput(
    {
      resume: () => exchange.socket.resume(),
      stop: (): Promise<void> => exchange.end(),
    },
    pool,
  )
  const abort = () => output.stdout.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  output.stdout.once('close', () => signal.removeEventListener('abort', abort))
  exchange.finished.then(
    () => output.end(),
    (error: Error) => output.stdout.destroy(failed(error)),
  )
  if (signal.aborted) abort()
  else exchange.send(query(sql))
  return output.stdout
}

/**
 * Runs `COPY … FROM STDIN` with what a source gives. Resolves when the server has taken all of it. Where the source fails, the
 * connection is ended, so that the server takes back what it has.
 */
export async function copyIn(
  client: Client,
  sql: string,
  source: Readable,
  { bytes, signal, failed }: CopyInSettings,
): Promise<void> {
  const exchange = new Exchange(client, () => true)
  // Its errors are seen by the loop below, while that runs.
  source.on('error', () => undefined)
  // A server that gives up must not wait for a source that has nothing to say.
  exchange.finished.catch((error: Error) => source.destroy(error))
  const abort = () => void exchange.end()
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    exchange.send(query(sql))
    await exchange.ready
    let sent = 0
    for await (const chunk of source) {
      sent += (chunk as Buffer).length
      await exchange.sendData(chunk as Buffer)
    }
    if (bytes !== undefined && sent !== bytes)
      throw new HoldfastError('integrity.truncated', `the rows end after ${sent} of ${bytes} bytes`)
    exchange.send(message('c', Buffer.alloc(0)))
    await exchange.finished
  } catch (error) {
    source.destroy()
    const failure = exchange.error === undefined ? error : failed(exchange.error)
    await exchange.end()
    throw failure
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** One COPY, from its statement to the server's word that it is ready for the next. */
class Exchange {
  readonly finished: Promise<void>
  /** The server waits for data. */
  readonly ready: Promise<void>
  error: Error | undefined
  readonly #borrowed: LentSocket
  #settle: { resolve(): void; reject(error: Error): void } = {
    resolve: () => undefined,
    reject: () => undefined,
  }
  #begin: () => void = () => undefined
  #settled = false

  constructor(client: Client, take: (rows: Buffer) => boolean) {
    const messages = new ServerMessages(({ code, body }) => this.#receive(code, body))
    this.finished = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.finished.catch(() => undefined)
    this.ready = Promise.race([
      new Promise<void>((resolve) => {
        this.#begin = resolve
      }),
      this.finished,
    ])
    this.ready.catch(() => undefined)
    this.#borrowed = borrowSocket(client, (data) => {
      const rows = messages.strip(data)
      return rows === 0 || take(data.subarray(0, rows))
    })
    this.socket.once('error', this.#broken)
    this.socket.once('close', this.#broken)
    if (this.socket.destroyed) this.#broken()
  }

  get socket(): Duplex {
    return this.#borrowed.socket
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Resolves when there is room for more. */
  async sendData(chunk: Buffer): Promise<void> {
    const header = Buffer.allocUnsafe(headerBytes)
    header.write('d')
    header.writeInt32BE(chunk.length + 4, 1)
    this.socket.write(header)
    if (this.socket.write(chunk)) return
    await Promise.race([once(this.socket, 'drain'), this.finished])
  }

  /** Ends the connection where the COPY has not ended by itself. */
  end(): Promise<void> {
    if (!this.#settled) this.socket.destroy()
    return this.finished.catch(() => undefined)
  }

  #receive(code: string, body: Buffer): void {
    if (code === 'G') this.#begin()
    else if (code === 'E') this.error = serverError({ code, body })
    else if (code === 'Z') this.#end()
  }

  #end(): void {
    if (this.#settled) return
    this.#settled = true
    this.socket.off('error', this.#broken)
    this.socket.off('close', this.#broken)
    this.#borrowed.giveBack()
    if (this.error === undefined) this.#settle.resolve()
    else this.#settle.reject(this.error)
  }

  readonly #broken = (cause?: unknown) => {
    this.error ??=
      cause instanceof Error ? cause : new HoldfastError('database.unreachable', 'the connection was closed')
    this.#settled = true
    this.#settle.reject(this.error)
  }
}

/** A simple query: it takes no parameters and ends with ReadyForQuery, whatever happens. */
function query(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`))
}

function message(code: string, body: Buffer): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  header.write(code)
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}
