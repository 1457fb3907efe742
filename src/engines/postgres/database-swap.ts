import type { RestoreRequest } from '../../engine/connector.js'
import type { Env } from '../../env/env.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { placeOf } from './connection.js'
import { dropDatabase, endSessions, otherSessions } from './database-options.js'
import { identifier } from './quoting.js'
import { busy } from './restore-target.js'
import type { PostgresSession } from './session.js'
import type { Version } from './version.js'

/** PostgreSQL cuts longer names off (NAMEDATALEN), in silence. */
const longestNameBytes = 63
/** Applications reconnect as fast as they can; between ending their sessions and renaming there is a moment. */
const attempts = 20

/** A name for the database that is restored beside an old one: `shop_restoring_1a2b3c4d`. */
export function temporaryName(
  env: Env,
  name: string,
  purpose: 'restoring' | 'replaced' = 'restoring',
): string {
  const ending = `_${purpose}_${Buffer.from(env.randomBytes(4)).toString('hex')}`
  let beginning = name
  while (Buffer.byteLength(beginning + ending) > longestNameBytes)
    beginning = [...beginning].slice(0, -1).join('')
  return beginning + ending
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
  for (let attempt = 1; ; attempt++) {
    if (request.disconnect) await endSessions(session, to)
    try {
      await session.rows(
        `BEGIN; ALTER DATABASE ${identifier(to)} RENAME TO ${identifier(old)};
         ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}; COMMIT`,
      )
      break
    } catch (error) {
      await session.rows('ROLLBACK')
      const inUse = error instanceof HoldfastError && error.code === 'database.busy'
      if (!inUse) throw error
      if (!request.disconnect || attempt === attempts) {
        throw busy(placeOf({ ...session.connection, database: to }), await otherSessions(session, to))
      }
    }
  }
  try {
    await dropDatabase(session, old, version.major)
    return []
  } catch (error) {
    return [`the old database is still there, as ${old}: ${asHoldfastError(error).message}`]
  }
}
