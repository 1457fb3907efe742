import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { Client } from 'pg'
import type { Context } from '../../env/context.js'
import type { ConnectionSettings, ServerFacts, Session } from '../../engine/engine.js'
import type { ChunkPool } from '../../streams/chunk-pool.js'
import { readMigrations } from './applied-migrations.js'
import { readFacts } from './catalog.js'
import { resolveConnection, type Connection } from './connection.js'
import { copyIn, copyOut } from './copy.js'
import { loadDriver } from './driver.js'
import { databaseFailure, stateOf } from './failures.js'
import { lendableSocket } from './lent-socket.js'
import { lookUpPassword } from './passfile.js'
import { literal } from './quoting.js'
import { tlsAttempts, type TlsAttempt } from './tls.js'

/** One connection to a PostgreSQL server. */
export interface PostgresSession extends Session {
  readonly connection: Connection
  /** Runs one statement, or several apart by semicolons where there are no values. @throws database.* */
  rows<Row extends object>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Runs statements in one transaction; read only, and at one moment of the database. */
  snapshot<Result>(read: () => Promise<Result>): Promise<Result>
  /** Takes the bytes of a `COPY … FROM STDIN`; finished when the server has taken all. Its errors are the driver's. */
  copyIn(sql: string): Promise<Writable>
  /** Begins the transaction of `snapshot`, which lasts as long as the session. */
  begin(transaction?: SnapshotTransaction): Promise<void>
  /**
   * The bytes of a `COPY … TO STDOUT`, in chunks of the pool; the stream's clean end is the server's word that it is complete.
   * Nothing else may run beside it.
   */
  copyOutInChunks(sql: string, pool: ChunkPool): Readable
  /**
   * `copyIn` for much data: takes what a source gives, which must end cleanly.
   * @param bytes how many there must be
   * @throws database.*, integrity.truncated, what the source throws: the server has taken nothing then
   */
  copyInFrom(sql: string, source: Readable, bytes?: number): Promise<void>
}

export interface SnapshotTransaction {
  /** The snapshot of another session, by the name under which it is exported, in place of one of its own. */
  readonly snapshot?: string
  /** Tables that nobody may change the definition of, from before the snapshot is taken to the end of the transaction; quoted. */
  readonly locked?: readonly string[]
}

/**
 * @throws database.unreachable, database.login-refused, database.not-found, database.denied, config.invalid; the signal's
 * reason when aborted
 */
export async function openSession(cx: Context, settings: ConnectionSettings): Promise<PostgresSession> {
  return connectSession(cx, await resolveConnection(cx.env, settings))
}

/** Runs `use` with a session and closes it, whatever happens. */
export async function withSession<Result>(
  cx: Context,
  connection: Connection,
  use: (session: PostgresSession) => Promise<Result>,
): Promise<Result> {
  const session = await connectSession(cx, connection)
  try {
    return await use(session)
  } finally {
    await session.close()
  }
}

/** A session whose connection is fit for much data, by `copyOutInChunks` and `copyInFrom`. */
export async function connectForCopy(cx: Context, connection: Connection): Promise<PostgresSession> {
  return connectSession(cx, connection, lendableSocket)
}

export async function connectSession(
  cx: Context,
  connection: Connection,
  socket?: () => Socket,
): Promise<PostgresSession> {
  cx.signal.throwIfAborted()
  const attempts = await tlsAttempts(cx.env, connection)
  for (const [index, tls] of attempts.entries()) {
    try {
      return sessionOf(cx, connection, await connectClient(cx, connection, tls, socket))
    } catch (error) {
      if (cx.signal.aborted) throw cx.signal.reason
      if (index === attempts.length - 1 || !otherWayMayWork(error)) throw databaseFailure(error, connection)
    }
  }
  throw new TypeError('there is at least one way to connect')
}

/** The server does not speak TLS, or its pg_hba.conf wants the other way, or the handshake failed: what libpq tries again for. */
function otherWayMayWork(error: unknown): boolean {
  if (stateOf(error) === '28000') return true
  const { code, message } = error as NodeJS.ErrnoException
  return (
    stateOf(error) === undefined &&
    code !== 'ECONNREFUSED' &&
    /SSL|TLS|certificate/iu.test(`${code} ${message}`)
  )
}

async function connectClient(
  cx: Context,
  connection: Connection,
  tls: TlsAttempt,
  socket?: () => Socket,
): Promise<Client> {
  const { host, port, user, database, password, parameters } = connection
  const client = new (loadDriver().Client)({
    host,
    port,
    user,
    database,
    password: async () =>
      (password ?? (await lookUpPassword(cx.env, { host, port, database, user })))?.reveal() ?? '',
    ssl: tls,
    connectionTimeoutMillis: Number(parameters['connect_timeout']) * 1000,
    application_name: 'holdfast',
    keepAlive: true,
    ...(socket === undefined ? {} : { stream: socket }),
    ...(parameters['options'] === undefined ? {} : { options: parameters['options'] }),
    ...(parameters['channel_binding'] === 'require' ? { enableChannelBinding: true } : {}),
  })
  // Without a listener a connection that breaks while idle would end the process; the next query says what is wrong.
  client.on('error', () => undefined)
  try {
    await untilAborted(cx.signal, client.connect(), () => undefined)
    return client
  } catch (error) {
    // A login that the driver itself gives up would stay open at the server, and hold up its DROP DATABASE.
    void client.end().catch(() => undefined)
    throw error
  }
}

/** Gives up waiting when the signal aborts, with its reason. */
async function untilAborted<Result>(
  signal: AbortSignal,
  work: Promise<Result>,
  stop: () => void,
): Promise<Result> {
  let abort = () => undefined as void
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      stop()
      reject(signal.reason as Error)
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
    // Whichever lost the race may still fail; nobody waits for it.
    work.catch(() => undefined)
  }
}

/** A lock held by somebody else ends the asking, or the dump, after this time; pg_dump by itself waits for ever. */
export const lockWaitMs = 10 * 60_000

/**
 * Everything that the deparsing of definitions depends on, for this transaction alone: a pooler's connection is left as it
 * was. Nothing of this connection's role or database (ALTER ROLE … SET) counts.
 */
const plainSettings = ({ snapshot, locked = [] }: SnapshotTransaction) => `
  BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  ${snapshot === undefined ? '' : `SET TRANSACTION SNAPSHOT ${literal(snapshot)};`}
  SET LOCAL search_path = '';
  SET LOCAL statement_timeout = 0;
  SET LOCAL lock_timeout = '${lockWaitMs}ms';
  SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL quote_all_identifiers = off;
  SET LOCAL DateStyle = ISO;
  SET LOCAL IntervalStyle = postgres;
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL extra_float_digits = 1;
  SET LOCAL bytea_output = hex;
  SET LOCAL lc_monetary = 'C';
  ${locked.length === 0 ? '' : `LOCK TABLE ONLY ${locked.join(', ONLY ')} IN ACCESS SHARE MODE;`}
  SELECT set_config('jit', 'off', true) FROM pg_settings WHERE name = 'jit'`

function sessionOf(cx: Context, connection: Connection, client: Client): PostgresSession {
  let closed: Promise<void> | undefined
  const close = () => (closed ??= client.end().catch(() => undefined))
  const rows = async <Row extends object>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> => {
    try {
      // Without values the simple protocol is used, which takes several statements.
      const asked = values.length === 0 ? client.query<Row>(sql) : client.query<Row>(sql, [...values])
      return (await untilAborted(cx.signal, asked, () => void close())).rows
    } catch (error) {
      if (cx.signal.aborted) throw cx.signal.reason
      throw databaseFailure(error, connection)
    }
  }
  const session: PostgresSession = {
    connection,
    rows,
    async snapshot(read) {
      await session.begin()
      try {
        return await read()
      } finally {
        await rows('COMMIT').catch(() => undefined)
      }
    },
    async copyIn(sql) {
      const { from } = await import('pg-copy-streams')
      return client.query(from(sql))
    },
    async begin(transaction = {}) {
      await rows(plainSettings(transaction))
    },
    copyOutInChunks(sql, pool) {
      const failed = (error: Error) => databaseFailure(error, connection)
      return copyOut(client, sql, { pool, signal: cx.signal, failed })
    },
    async copyInFrom(sql, source, bytes) {
      try {
        const failed = (error: Error) => databaseFailure(error, connection)
        await copyIn(client, sql, source, { bytes, signal: cx.signal, failed })
      } catch (error) {
        throw cx.signal.aborted ? cx.signal.reason : error
      }
    },
    facts: (): Promise<ServerFacts> => readFacts(cx, session),
    migrations: () => session.snapshot(async () => (await readMigrations(session)).migrations),
    close,
  }
  return session
}
