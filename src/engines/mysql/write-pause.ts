import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError } from '../../errors.js'
import { quoteName } from './quoting.js'
import { ServerSession } from './session.js'

/** Whom to hold up. */
export interface WriteLock {
  /** Asks for FLUSH TABLES WITH READ LOCK; else the tables are locked one by one. */
  readonly mayLockServer: boolean
  readonly tables: readonly { readonly name: string }[]
}

/** Seconds to wait for writers to let us in: whoever comes after us waits as long. */
const lockWaitSeconds = 5
/** So long at most are writers held up. */
const longestHoldMs = 20_000

/**
 * Writers are held up for a moment: snapshots that are opened meanwhile are of one state. Those of the dump tool are its own, of which
 * nobody else can have a share.
 */
export class WritePause {
  readonly #session: ServerSession
  readonly #timer: NodeJS.Timeout
  #late = false
  #ended: Promise<boolean> | undefined

  private constructor(session: ServerSession) {
    this.#session = session
    this.#timer = setTimeout(() => {
      this.#late = true
      void this.end()
    }, longestHoldMs)
  }

  /**
   * @param tries so often is the lock asked for where others do not let us in
   * @throws database.*
   */
  static async begin(
    cx: Context,
    connection: ConnectionSettings,
    lock: WriteLock,
    tries = 1,
  ): Promise<WritePause> {
    const session = await ServerSession.open(cx, connection)
    try {
      await lockTables(session, lock, tries)
      return new WritePause(session)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  /** Lets writers go on. @returns whether they have been held up until now */
  end(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<boolean> {
    // A session that somebody has ended has lost its locks before.
    const held = await this.#session.query('DO 1').then(
      () => !this.#late,
      () => false,
    )
    await this.#session.close()
    return held
  }
}

/**
 * For the whole server where the account may, which waits for no open transaction; else for the tables that are dumped. Some providers
 * grant the privilege and refuse the statement all the same.
 */
async function lockTables(
  session: ServerSession,
  { mayLockServer, tables }: WriteLock,
  tries: number,
): Promise<void> {
  await session.query(`SET SESSION lock_wait_timeout = ${lockWaitSeconds}`)
  if (mayLockServer) {
    const refused = await lock(session, 'FLUSH TABLES WITH READ LOCK', tries).then(
      () => undefined,
      (error: unknown) => asHoldfastError(error),
    )
    if (refused === undefined) return
    if (refused.code === 'database.busy') throw refused
  }
  if (tables.length === 0) return
  await lock(session, `LOCK TABLES ${tables.map(({ name }) => `${quoteName(name)} READ`).join(', ')}`, tries)
}

async function lock(session: ServerSession, statement: string, tries: number): Promise<void> {
  for (let left = tries - 1; ; left--) {
    try {
      await session.query(statement)
      return
    } catch (error) {
      if (left <= 0 || asHoldfastError(error).code !== 'database.busy') throw error
    }
  }
}
