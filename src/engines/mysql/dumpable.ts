import { HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import type { Grants } from './grants.js'
import type { Inventory } from './inventory.js'
import { listNames } from './quoting.js'
import type { ServerSession } from './session.js'

/**
 * A dump would lack rows or definitions without the tool saying so.
 * @throws database.denied, saying what to grant
 */
export function assertDumpable(session: ServerSession, inventory: Inventory, grants: Grants): void {
  const { name, user } = session.settings
  const denied = (message: string, privilege: string) =>
    new HoldfastError('database.denied', `${placeOf(session.settings)}: ${message}`, {
      hint: `grant ${privilege} to ${user ?? 'the account'}, or use another account for backups`,
    })
  if (!grants.onDatabase('SELECT')) {
    throw denied('tables on which the account has no privilege would be missing', `SELECT on all of ${name}`)
  }
  if (inventory.views.length > 0 && !grants.onDatabase('SHOW VIEW')) {
    throw denied(
      `the account may not read the definitions of ${listNames(inventory.views)}`,
      `SHOW VIEW on ${name}`,
    )
  }
  const unreadable = inventory.routines.filter(({ readable }) => !readable).map((routine) => routine.name)
  if (unreadable.length > 0) {
    const privilege = session.identity.product === 'MySQL' ? 'SHOW_ROUTINE' : 'SELECT on mysql.proc'
    throw denied(`the account may not read the definitions of ${listNames(unreadable)}`, privilege)
  }
}
