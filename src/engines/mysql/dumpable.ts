import type { ConnectorFacts, ConnectorSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import { readGrants, type Grants } from './grants.js'
import { readInventory, type Inventory } from './inventory.js'
import { listNames } from './quoting.js'
import { ServerSession } from './session.js'
import { findTool } from './tools.js'

/** What there is to dump, and with which tool. @throws database.*, tool.* */
export async function inspectDatabase(cx: Context, settings: ConnectorSettings): Promise<ConnectorFacts> {
  const session = await ServerSession.open(cx, settings.connection)
  try {
    assertDumpable(session, await readInventory(session), await readGrants(session))
    const tool = await findTool(cx, 'dump', session.identity, settings.tools)
    return { server: await session.facts(), tools: [tool.facts] }
  } finally {
    await session.close()
  }
}

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
