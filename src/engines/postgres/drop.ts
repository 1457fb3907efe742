import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError } from '../../errors.js'
import { resolveConnection } from './connection.js'
import { dropDatabase, dropSubscriptions } from './database-options.js'
import { maintenanceConnection } from './restore-target.js'
import { withSession } from './session.js'
import { readOverview } from './catalog.js'

/** Removes a database with all that hangs on it, from another one of its server. */
export async function dropWhole(cx: Context, settings: ConnectionSettings): Promise<void> {
  const connection = await resolveConnection(cx.env, settings)
  await withSession(cx, connection, dropSubscriptions).catch((thrown: unknown) => {
    if (asHoldfastError(thrown).code !== 'database.not-found') throw thrown
  })
  const maintenance = await maintenanceConnection(cx, connection, {})
  await withSession(cx, maintenance, async (session) => {
    const { version } = await readOverview(session)
    await dropDatabase(session, connection.database, version.major)
  })
}
