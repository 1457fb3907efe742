import type { ConnectorSettings } from '../../engine/connector.js'
import type {
  Beside,
  Exchanged,
  KeptDatabase,
  SessionsInTheWay,
  Swapper,
  SwapSession,
} from '../../engine/swapper.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import { quoteName } from './quoting.js'
import { endOthers } from './restore-run.js'
import { ServerSession } from './session.js'
import { adoptSequences, codeOf, dropTriggers, replaceCode } from './swap-code.js'
import { changePhase, readRecord, writeRecord, type StoredRecord } from './swap-record.js'
import { hasMoved, isThere, lockOf, nameBeside, readDatabases, readState, tablesOf } from './swap-state.js'

/** How long the tables may be in use by statements and transactions of others before a swap gives up; seconds. */
const longestWait = 60

/**
 * Swaps by one RENAME TABLE of all tables, old and new: a database itself has no rename in either family. Views, triggers, routines and
 * events do not move; they are made anew right after.
 */
export const mysqlSwapper: Swapper = {
  endsSessions: true,
  async look(cx, { connection }) {
    const session = await ServerSession.open(cx, connection, { withoutDatabase: true })
    try {
      return await readState(session)
    } finally {
      await session.close()
    }
  },
  async open(cx, settings) {
    const { connection } = settings
    const session = await ServerSession.open(cx, connection, { withoutDatabase: true })
    try {
      await session.query(`SET SESSION wait_timeout = 604800, lock_wait_timeout = ${longestWait}`)
      const [lock] = await session.query<{ taken: number | string | null }>(
        'SELECT GET_LOCK(?, 0) AS taken',
        [lockOf(connection.name)],
      )
      if (Number(lock?.taken) !== 1) {
        throw new HoldfastError(
          'locked.by-another-run',
          `another run restores beside ${placeOf(connection)} or swaps it`,
        )
      }
      return new MysqlSwap(cx, session, settings)
    } catch (error) {
      await session.close()
      throw error
    }
  },
}

class MysqlSwap implements SwapSession {
  readonly #cx: Context
  /** In no database; holds the lock for as long as it is open. */
  readonly #session: ServerSession
  readonly #settings: ConnectorSettings
  readonly #name: string

  constructor(cx: Context, session: ServerSession, settings: ConnectorSettings) {
    this.#cx = cx
    this.#session = session
    this.#settings = settings
    this.#name = settings.connection.name
  }

  async settle(): Promise<readonly string[]> {
    const { moving, remains } = await readDatabases(this.#session)
    const done: string[] = []
    for (const { name, record } of moving) {
      const moved = await hasMoved(this.#session, name, record)
      if (moved) await this.#finish(name, record)
      else await this.#takeBack(name, record)
      const which = moved ? 'the new database' : 'the old database, as before it'
      done.push(
        `a swap of ${placeOf(this.#settings.connection)} that began at ${record.at} was interrupted, and is settled: it is ${which}`,
      )
    }
    for (const name of remains) {
      if (!(await this.#isThere(name))) continue
      await this.#drop(name)
      done.push(`${name}, which an interrupted restore had left, is removed`)
    }
    return done
  }

  async make(id: string): Promise<Beside> {
    const { connection } = this.#settings
    const name = nameBeside(this.#name, 'restoring', id)
    const beside = { id, connection: { ...connection, name }, warnings: [] }
    if (!(await this.#isThere(this.#name))) return { ...beside, made: false }
    await this.#create(name, this.#name)
    return { ...beside, made: true }
  }

  async exchange({ id, connection: { name } }: Beside, ending: SessionsInTheWay): Promise<Exchanged> {
    const code = await codeOf(this.#cx, this.#settings, { ...this.#settings.connection, name })
    return this.#swap({ from: name, back: false, newCode: code }, id, ending)
  }

  async undo({ name }: KeptDatabase, id: string, ending: SessionsInTheWay): Promise<Exchanged> {
    const record = await readRecord(this.#session, name)
    if (record === undefined)
      throw new HoldfastError('database.not-found', `there is no database ${name} of a swap`)
    return this.#swap({ from: name, back: true, newCode: record.oldCode }, id, ending)
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

  /** @throws database.busy, and others, with the old database in its place; restore.incomplete, with the new one */
  async #swap(
    { from, back, newCode }: Pick<StoredRecord, 'from' | 'back' | 'newCode'>,
    id: string,
    { disconnect }: SessionsInTheWay,
  ): Promise<Exchanged> {
    const kept = nameBeside(this.#name, 'before', id)
    const existed = await this.#isThere(this.#name)
    const oldTables = existed ? (await tablesOf(this.#session, this.#name)).length : 0
    const oldCode = existed
      ? await codeOf(this.#cx, this.#settings, this.#settings.connection)
      : Buffer.alloc(0)
    const at = this.#cx.env.clock.now().toISOString()
    const record: StoredRecord = {
      phase: 'moving',
      of: this.#name,
      at,
      from,
      back,
      existed,
      oldTables,
      oldCode,
      newCode,
    }
    await this.#create(kept, from)
    try {
      await writeRecord(this.#session, kept, record)
      if (!existed) await this.#create(this.#name, from)
      if (disconnect) await endOthers(this.#session)
      for (const database of [this.#name, from]) await dropTriggers(this.#session, database)
      await this.#exchangeTables(from, kept)
    } catch (error) {
      if (!(await hasMoved(this.#session, kept, record).catch(() => false))) {
        await this.#takeBack(kept, record)
        throw error
      }
    }
    await this.#finish(kept, record).catch((thrown: unknown) => {
      const { message } = asHoldfastError(thrown)
      const place = placeOf(this.#settings.connection)
      throw new HoldfastError(
        'restore.incomplete',
        `${place} has its new tables, and not all of its views, triggers, routines and events: ${message}`,
        {
          cause: thrown,
          hint: 'the next restore makes them first; restore --undo brings the old database back',
        },
      )
    })
    return { ...(existed ? { kept } : {}), warnings: [] }
  }

  /** All tables, old and new, in one statement: others see all of them as before, or all of them as after it. */
  async #exchangeTables(from: string, kept: string): Promise<void> {
    await this.#rename([...(await this.#moves(this.#name, kept)), ...(await this.#moves(from, this.#name))])
  }

  async #moves(source: string, target: string): Promise<readonly string[]> {
    const tables = await tablesOf(this.#session, source)
    return tables.map(
      (table) => `${quoteName(source)}.${quoteName(table)} TO ${quoteName(target)}.${quoteName(table)}`,
    )
  }

  async #rename(moves: readonly string[]): Promise<void> {
    if (moves.length > 0) await this.#session.query(`RENAME TABLE ${moves.join(', ')}`)
  }

  /** What comes after the tables have moved; safe to be done again. */
  async #finish(kept: string, record: StoredRecord): Promise<void> {
    // Of a server that was killed between two of them; else there are none.
    await this.#rename(await this.#moves(record.from, this.#name))
    await adoptSequences(this.#cx, this.#settings, record.from)
    await replaceCode(this.#cx, this.#settings, record.newCode)
    await this.#session.query('START TRANSACTION')
    await changePhase(this.#session, kept, record, record.existed ? 'kept' : 'emptied')
    const cameBack = record.back ? await readRecord(this.#session, record.from) : undefined
    if (cameBack !== undefined) await changePhase(this.#session, record.from, cameBack, 'emptied')
    await this.#session.query('COMMIT')
    await this.#drop(record.from)
    if (!record.existed) await this.#drop(kept)
  }

  /** The tables have not moved: the old database gets its triggers again, and the rest goes. */
  async #takeBack(kept: string, record: StoredRecord): Promise<void> {
    await this.#rename(await this.#moves(kept, this.#name))
    if (record.existed) await replaceCode(this.#cx, this.#settings, record.oldCode)
    else await this.#drop(this.#name)
    await this.#drop(kept)
    if (!record.back) await this.#drop(record.from)
  }

  /** An empty database with the defaults of another one. */
  async #create(name: string, like: string): Promise<void> {
    const [defaults] = await this.#session.query<{ charset: string; collation: string }>(
      `SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
        FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`,
      [like],
    )
    if (defaults === undefined) throw new HoldfastError('database.not-found', `there is no database ${like}`)
    const { charset, collation } = defaults
    await this.#session.query(
      `CREATE DATABASE ${quoteName(name)} CHARACTER SET ${charset} COLLATE ${collation}`,
    )
  }

  async #drop(name: string): Promise<void> {
    await this.#session.query(`DROP DATABASE IF EXISTS ${quoteName(name)}`)
  }

  #isThere(name: string): Promise<boolean> {
    return isThere(this.#session, name)
  }
}
