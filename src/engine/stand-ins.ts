import type { Context } from '../env/context.js'
import type { HoldfastError } from '../errors.js'
import type { ConnectionSettings } from './engine.js'

/**
 * Accounts in place of those that a backup names and a server for drills does not have: no dump of a database brings them along. Nobody can log in
 * as one.
 */
export interface StandIns {
  /** The accounts that a restore has failed for want of, before it changed anything; none where it failed for something else. */
  missedBy(error: HoldfastError): readonly string[]
  /** Those that restored objects run as, and the server does not know. @throws database.* */
  missing(cx: Context, settings: ConnectionSettings): Promise<readonly string[]>
  /** Makes them, with the right to all that is in the database where it is there. @throws database.* */
  make(cx: Context, settings: ConnectionSettings, names: readonly string[]): Promise<void>
}
