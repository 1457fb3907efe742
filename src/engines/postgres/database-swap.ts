import type { RestoreRequest } from '../../engine/connector.js'
import type { Env } from '../../env/env.js'
import { nameWithEnding } from '../../engine/swapper.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { placeOf } from './connection.js'
import { dropDatabase, endSessions, otherSessions } from './database-options.js'
import { identifier } from './quoting.js'
import { busy } from './restore-target.js'
import type { PostgresSession } from './session.js'
import type { Version } from './version.js'

/** PostgreSQL cuts longer names off (NAMEDATALEN), in silence. */
export const longestNameBytes = 63
/** Applications reconnect as fast as they can; between ending their sessions and renaming there is a moment. */
const attempts = 20

/** A name for the database that is restored beside an old one: `shop_restoring_1a2b3c4d`. */
export function temporaryName(
  env: Env,
  name: string,
  purpose: 'restoring' | 'replaced' = 'restoring',
): string {
  const ending = `_${purpose}_${Buffer.from(env.randomBytes(4)).toString('hex')}`
  return nameWithEnding(name, ending, longestNameBytes)
}

/**
 * Puts the restored database in the old one's place. Both names change in one transaction, so that there is always a whole
 * database of the old name; then the old one is dropped.
 * @returns warnings, where the old database could not be dropped
 * @throws database.busy, with the old database in its place
 */
export async function swapDatabases(
  session: PostgresSession,
  swap: {
    readonly env: Env
    readonly from: string
    readonly to: string
    readonly version: Version
    readonly request: RestoreRequest
  },
): Promise<readonly string[]> {
  const { env, from, to, version, request } = swap
  const old = temporaryName(env, to, 'replaced')
  await renameDatabases(session, [renaming(to, old), renaming(from, to)], [to], request)
  try {
    await dropDatabase(session, old, version.major)
    return []
  } catch (error) {
    return [`the old database is still there, as ${old}: ${asHoldfastError(error).message}`]
  }
}

export function renaming(from: string, to: string): string {
  return `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`
}

/**
 * Runs renames and what belongs to them as one transaction.
 * @param used the databases that sessions may use, which are in the way of it
 * @throws database.busy, with nothing renamed
 */
export async function renameDatabases(
  session: PostgresSession,
  statements: readonly string[],
  used: readonly string[],
  { disconnect }: Pick<RestoreRequest, 'disconnect'>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (disconnect) for (const name of used) await endSessions(session, name)
    try {
      await session.rows(`BEGIN; ${statements.join('; ')}; COMMIT`)
      return
    } catch (error) {
      await session.rows('ROLLBACK')
      const inUse = error instanceof HoldfastError && error.code === 'database.busy'
      if (!inUse) throw error
      if (!disconnect || attempt === attempts) throw await busyOf(session, used)
    }
  }
}

async function busyOf(session: PostgresSession, used: readonly string[]): Promise<HoldfastError> {
  for (const name of used) {
    const sessions = await otherSessions(session, name)
    if (sessions.length > 0) return busy(placeOf({ ...session.connection, database: name }), sessions)
  }
  const [name = ''] = used
  return busy(placeOf({ ...session.connection, database: name }), ['a session that has just ended'])
}
