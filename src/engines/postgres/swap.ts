import { createHash } from 'node:crypto'
import type { ConnectorSettings } from '../../engine/connector.js'
import {
  nameWithEnding,
  swapIdIn,
  swapIdPattern,
  timeOfSwap,
  type Beside,
  type Exchanged,
  type KeptDatabase,
  type SessionsInTheWay,
  type Swapper,
  type SwapPurpose,
  type SwapSession,
  type SwapState,
} from '../../engine/swapper.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { readOverview } from './catalog.js'
import { placeOf, resolveConnection, type Connection } from './connection.js'
import {
  createDatabase,
  databaseProperties,
  dropDatabase,
  dropSubscriptions,
  otherSessions,
} from './database-options.js'
import { longestNameBytes, renameDatabases, renaming } from './database-swap.js'
import { maintenanceConnection } from './restore-target.js'
import { connectSession, withSession, type PostgresSession } from './session.js'
import { commentOf, parseRecord, setComment, type SwapRecord } from './swap-record.js'

/**
 * Swaps by renaming: both names and their comments change in one transaction, so that there is no moment at which a database of the
 * name is missing.
 */
export const postgresSwapper: Swapper = {
  endsSessions: true,
  async look(cx, settings) {
    const connection = await resolveConnection(cx.env, settings.connection)
    const session = await connectSession(cx, connection).catch(async (error: unknown) => {
      if (asHoldfastError(error).code !== 'database.not-found') throw error
      return connectSession(cx, await maintenanceConnection(cx, connection, settings))
    })
    try {
      return await readState(session, connection)
    } finally {
      await session.close()
    }
  },
  async open(cx, settings) {
    const connection = await resolveConnection(cx.env, settings.connection)
    const maintenance = await maintenanceConnection(cx, connection, settings)
    const session = await connectSession(cx, maintenance)
    try {
      // The lock of a machine that is gone is not to last for the hours that TCP would give it.
      await session.rows(
        'SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3',
      )
      const [lock] = await session.rows<{ readonly taken: boolean }>(
        'SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS taken',
        [lockOf(connection.database).toString()],
      )
      if (lock?.taken !== true) {
        throw new HoldfastError(
          'locked.by-another-run',
          `another run restores beside ${placeOf(connection)} or swaps it`,
        )
      }
      const { version } = await readOverview(session)
      return new PostgresSwap(cx, session, settings, connection, version.major)
    } catch (error) {
      await session.close()
      throw error
    }
  },
}

function nameBeside(name: string, purpose: SwapPurpose, id: string): string {
  return nameWithEnding(name, `_${purpose}_${id}`, longestNameBytes)
}

class PostgresSwap implements SwapSession {
  readonly #cx: Context
  /** In another database; holds the lock for as long as it is open. */
  readonly #session: PostgresSession
  readonly #settings: ConnectorSettings
  readonly #connection: Connection
  readonly #major: number

  constructor(
    cx: Context,
    session: PostgresSession,
    settings: ConnectorSettings,
    connection: Connection,
    major: number,
  ) {
    this.#cx = cx
    this.#session = session
    this.#settings = settings
    this.#connection = connection
    this.#major = major
  }

  async settle(): Promise<readonly string[]> {
    const done: string[] = []
    for (const { name } of (await readDatabases(this.#session, this.#connection.database)).restoring) {
      await this.#drop(name)
      done.push(`${name}, which an interrupted restore had left, is removed`)
    }
    return done
  }

  async make(id: string): Promise<Beside> {
    const { connection } = this.#settings
    const name = nameBeside(connection.name, 'restoring', id)
    const beside = { id, connection: { ...connection, name } }
    const old = await this.#session
      .snapshot(() => databaseProperties(this.#session, connection.name, this.#major))
      .catch((error: unknown) => {
        if (asHoldfastError(error).code !== 'database.not-found') throw error
        return undefined
      })
    if (old === undefined) return { ...beside, made: false, warnings: [] }
    const major = this.#major
    const warnings = await createDatabase(this.#session, name, old.owner, { major, options: old.options })
    await this.#session.rows(
      ['BEGIN', ...old.dress(name), commentOf(name, this.#record('restoring', null)), 'COMMIT'].join('; '),
    )
    return { ...beside, made: true, warnings }
  }

  exchange({ id, connection: { name } }: Beside, ending: SessionsInTheWay): Promise<Exchanged> {
    return this.#putInPlace(name, id, ending)
  }

  undo({ name }: KeptDatabase, id: string, ending: SessionsInTheWay): Promise<Exchanged> {
    return this.#putInPlace(name, id, ending)
  }

  async abandon({ connection: { name } }: Beside): Promise<void> {
    await this.#drop(name)
  }

  async discard({ name }: KeptDatabase): Promise<void> {
    await this.#drop(name)
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  async #putInPlace(from: string, id: string, ending: SessionsInTheWay): Promise<Exchanged> {
    const target = this.#connection.database
    const kept = nameBeside(target, 'before', id)
    const now = await readComment(this.#session, target)
    const came = parseRecord((await readComment(this.#session, from))?.comment ?? null)
    // A database that comes back has its own comment again; a new one has the old one's.
    const comment = came?.role === 'before' ? came.comment : (now?.comment ?? null)
    const statements = [
      ...(now === undefined
        ? []
        : [renaming(target, kept), commentOf(kept, this.#record('before', now.comment))]),
      renaming(from, target),
      setComment(target, comment),
    ]
    try {
      await renameDatabases(this.#session, statements, now === undefined ? [from] : [target, from], ending)
    } catch (error) {
      // The answer to the COMMIT may have been lost.
      if (await this.#isThere(from).catch(() => true)) throw error
    }
    return { ...(now === undefined ? {} : { kept }), warnings: [] }
  }

  #record(role: SwapRecord['role'], comment: string | null): SwapRecord {
    return { role, of: this.#connection.database, at: this.#cx.env.clock.now().toISOString(), comment }
  }

  #isThere(name: string): Promise<boolean> {
    return withSession(
      this.#cx,
      this.#session.connection,
      async (session) => (await readComment(session, name)) !== undefined,
    )
  }

  /** Subscriptions of a database that is not in its place have never been connected, or are no more. */
  async #drop(name: string): Promise<void> {
    const connection = { ...this.#session.connection, database: name }
    await withSession(this.#cx, connection, dropSubscriptions).catch(() => undefined)
    await dropDatabase(this.#session, name, this.#major)
  }
}

interface SwapDatabases {
  readonly kept: readonly KeptDatabase[]
  readonly restoring: readonly { readonly name: string; readonly since: Date }[]
}

async function readDatabases(session: PostgresSession, database: string): Promise<SwapDatabases> {
  const rows = await session.rows<{
    readonly name: string
    readonly comment: string | null
    readonly bytes: string | null
  }>(
    `SELECT d.datname::text AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
            CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid)::text END AS bytes
     FROM pg_catalog.pg_database d WHERE d.datname ~ $1 ORDER BY d.datname DESC`,
    [`_(restoring|before)_${swapIdPattern}$`],
  )
  const kept: KeptDatabase[] = []
  const restoring: { name: string; since: Date }[] = []
  for (const { name, comment, bytes } of rows) {
    const record = parseRecord(comment)
    const id = swapIdIn(name, 'restoring', (...of) => nameBeside(database, ...of))
    if (record?.role === 'before' && record.of === database) {
      kept.push({ name, since: new Date(record.at), ...(bytes === null ? {} : { sizeBytes: Number(bytes) }) })
    } else if (id !== undefined && (record === undefined || record.of === database)) {
      // A run that was killed right after it made the database has left no record in it.
      restoring.push({ name, since: timeOfSwap(id) })
    }
  }
  kept.sort((a, b) => b.since.getTime() - a.since.getTime())
  return { kept, restoring }
}

async function readState(session: PostgresSession, connection: Connection): Promise<SwapState> {
  const { database: name } = connection
  const place = placeOf(connection)
  const { kept, restoring } = await readDatabases(session, name)
  const lock = lockOf(name)
  const holders = await session.rows(
    `SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
     AND (classid::bigint << 32) | objid::bigint = $1::bigint`,
    [lock.toString()],
  )
  const slots = await session.rows<{ readonly name: string }>(
    'SELECT slot_name::text AS name FROM pg_catalog.pg_replication_slots WHERE database = $1 ORDER BY 1',
    [name],
  )
  const running = holders.length > 0
  return {
    place,
    exists: session.connection.database === name,
    keptAs: (id) => nameBeside(name, 'before', id),
    kept,
    running,
    users: await otherSessions(session, name),
    interrupted: running
      ? []
      : restoring.map(
          (left) =>
            `a restore beside ${place} that began at ${left.since.toISOString()} was interrupted: ${place} is as it was, and ${left.name} is removed`,
        ),
    warnings:
      slots.length === 0
        ? []
        : [
            `logical replication slots stay with the old database: ${slots.map((slot) => slot.name).join(', ')}`,
          ],
  }
}

/** Absent where there is no such database. */
async function readComment(
  session: PostgresSession,
  name: string,
): Promise<{ readonly comment: string | null } | undefined> {
  const [row] = await session.rows<{ readonly comment: string | null }>(
    "SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database WHERE datname = $1",
    [name],
  )
  return row
}

/** 63 bits of a digest: advisory locks have numbers for names, and are of one database, the one for maintenance. */
function lockOf(database: string): bigint {
  return (
    createHash('sha256').update(`holdfast swap ${database}`).digest().readBigInt64BE() &
    0x7fff_ffff_ffff_ffffn
  )
}
