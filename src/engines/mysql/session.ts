import { isIP } from 'node:net'
import type { Connection, ConnectionOptions, RowDataPacket } from 'mysql2/promise'
import type { Context } from '../../env/context.js'
import type { ConnectionSettings, ServerFacts, Session } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'
import { databaseError } from './database-error.js'
import { productOf, versionNumbers, type ServerIdentity } from './identity.js'
import { defaultPort, hostOf, userOf } from './option-file.js'
import { quoteName } from './quoting.js'
import { serverFacts } from './catalog.js'
import { driverTls, tlsOf } from './tls.js'

const connectTimeoutMs = 15_000

/** The part of the driver's connection that its promises do not show. */
interface Core {
  query(options: object): { stream(options: object): AsyncIterable<unknown> }
}

export interface ConnectChoice {
  /** Do not enter the database: it may not exist. */
  readonly withoutDatabase?: boolean
}

/** One connection to a server of either family, for questions. */
export class ServerSession implements Session {
  readonly identity: ServerIdentity
  readonly settings: ConnectionSettings
  readonly #connection: Connection
  readonly #signal: AbortSignal

  private constructor(
    connection: Connection,
    identity: ServerIdentity,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ) {
    this.#connection = connection
    this.identity = identity
    this.settings = settings
    this.#signal = signal
  }

  /** @throws database.unreachable, database.login-refused, database.not-found, database.denied, config.invalid */
  static async open(
    { env, signal }: Context,
    settings: ConnectionSettings,
    { withoutDatabase = false }: ConnectChoice = {},
  ): Promise<ServerSession> {
    signal.throwIfAborted()
    const options: ConnectionOptions = {
      ...(settings.socket === undefined
        ? { host: hostOf(settings), port: settings.port ?? defaultPort }
        : { socketPath: settings.socket }),
      user: userOf(env.variables, settings),
      password: settings.password?.reveal() ?? '',
      ...(withoutDatabase ? {} : { database: settings.name }),
      charset: 'utf8mb4',
      timezone: 'Z',
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      connectTimeout: connectTimeoutMs,
    }
    const connection = await connect(options, settings)
    // A connection that breaks while nothing is asked shows in the next question.
    connection.on('error', () => undefined)
    try {
      const identity = await identify(connection, settings)
      signal.throwIfAborted()
      return new ServerSession(connection, identity, settings, signal)
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** @throws database.*; the signal's reason when aborted */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    this.#signal.throwIfAborted()
    let stop = () => undefined as void
    const aborted = new Promise<never>((_resolve, reject) => {
      stop = () => {
        this.#connection.destroy()
        reject(this.#signal.reason as Error)
      }
      this.#signal.addEventListener('abort', stop, { once: true })
    })
    try {
      const [rows] = await Promise.race([this.#connection.query<RowDataPacket[]>(sql, [...values]), aborted])
      return rows as Row[]
    } catch (error) {
      this.#signal.throwIfAborted()
      throw databaseError(error, this.settings, sql)
    } finally {
      this.#signal.removeEventListener('abort', stop)
    }
  }

  /**
   * The rows of a question as they come, each an array of what `read` makes of its fields.
   * @throws database.*; the signal's reason when aborted
   */
  async *stream<Value>(
    sql: string,
    width: number,
    read: (
      field: { string(encoding: string): string | null; buffer(): Buffer | null },
      place: number,
    ) => Value,
  ): AsyncGenerator<readonly Value[]> {
    let place = 0
    const core = (this.#connection as unknown as { readonly connection: Core }).connection
    const asked = core.query({
      sql,
      rowsAsArray: true,
      typeCast: (field: Parameters<typeof read>[0]) => read(field, place++ % width),
    })
    const rows = asked.stream({ highWaterMark: 500 })
    try {
      for await (const row of rows) {
        this.#signal.throwIfAborted()
        yield row as readonly Value[]
      }
    } catch (error) {
      this.#signal.throwIfAborted()
      throw databaseError(error, this.settings, sql)
    }
  }

  async exists(): Promise<boolean> {
    const rows = await this.query(
      `SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`,
      [this.settings.name],
    )
    return rows.length > 0
  }

  /** Makes the database the current one, on a connection that was opened without it. */
  async enter(): Promise<void> {
    await this.query(`USE ${quoteName(this.settings.name)}`)
  }

  facts(): Promise<ServerFacts> {
    return serverFacts(this)
  }

  async close(): Promise<void> {
    // A connection that the server has closed already is closed.
    await this.#connection.end().catch(() => this.#connection.destroy())
  }
}

async function connect(options: ConnectionOptions, settings: ConnectionSettings): Promise<Connection> {
  // Only when used: an unused driver costs nothing at start-up.
  const { createConnection } = await import('mysql2/promise')
  const tls = tlsOf(settings)
  if (tls.mode === 'VERIFY_IDENTITY' && isIP(hostOf(settings)) !== 0) {
    // The driver would compare the certificate with `localhost`.
    throw new HoldfastError(
      'config.invalid',
      `the identity of ${hostOf(settings)} cannot be verified: it is no name`,
      {
        hint: 'use the name that is in the certificate, or ssl-mode=VERIFY_CA',
      },
    )
  }
  const ssl = await driverTls(tls)
  try {
    return await createConnection({ ...options, ...(ssl === undefined ? {} : { ssl }) })
  } catch (error) {
    const withoutTls = ['HANDSHAKE_NO_SSL_SUPPORT', 'HANDSHAKE_SSL_ERROR'].includes(
      (error as { code?: string }).code ?? '',
    )
    if (!withoutTls || tls.mode !== 'PREFERRED') throw databaseError(error, settings)
  }
  try {
    return await createConnection(options)
  } catch (error) {
    throw databaseError(error, settings)
  }
}

async function identify(connection: Connection, settings: ConnectionSettings): Promise<ServerIdentity> {
  try {
    // What SHOW CREATE answers, and how values are escaped, must not depend on the server's own settings.
    await connection.query(`SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = 1`)
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT VERSION() AS version, @@version_comment AS comment, @@max_allowed_packet AS packet,
        @@lower_case_table_names AS folds`,
    )
    const row = rows[0] as {
      version: string
      comment: string
      packet: number | string
      folds: number | string
    }
    const numbers = versionNumbers(row.version)
    return {
      product: productOf(row.version, row.comment),
      version: numbers.join('.'),
      numbers,
      maxAllowedPacket: Number(row.packet),
      foldsCase: Number(row.folds) !== 0,
    }
  } catch (error) {
    throw databaseError(error, settings)
  }
}
