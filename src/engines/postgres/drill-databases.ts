import { createHash } from 'node:crypto'
import { isDrillDatabase, type DrillDatabases } from '../../engine/drill-databases.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { resolveConnection } from './connection.js'
import { dropWhole } from './drop.js'
import { maintenanceConnection } from './restore-target.js'
import { connectSession, withSession, type PostgresSession } from './session.js'

/** An advisory lock says that a drill is at work: it ends with the session of the drill. */
export const postgresDrillDatabases: DrillDatabases = {
  async claim(cx, settings) {
    const session = await connectSession(cx, await maintenance(cx, settings))
    try {
      // The lock of a machine that is gone is not to last for the hours that TCP would give it.
      await session.rows(
        'SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3',
      )
      await session.rows('SELECT pg_catalog.pg_advisory_lock($1::bigint)', [lockOf(settings.name)])
    } catch (error) {
      await session.close()
      throw error
    }
    return { release: () => session.close() }
  },
  async abandoned(cx, settings) {
    return withSession(cx, await maintenance(cx, settings), async (session) => {
      const databases = await session.rows<{ readonly name: string }>(
        'SELECT datname::text AS name FROM pg_catalog.pg_database ORDER BY 1',
      )
      const found: string[] = []
      for (const { name } of databases)
        if (isDrillDatabase(name) && (await isFree(session, name))) found.push(name)
      return found
    })
  },
  drop: dropWhole,
}

async function maintenance(cx: Context, settings: ConnectionSettings) {
  return maintenanceConnection(cx, await resolveConnection(cx.env, settings), {})
}

async function isFree(session: PostgresSession, name: string): Promise<boolean> {
  const [lock] = await session.rows<{ readonly free: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_xact_lock($1::bigint) AS free',
    [lockOf(name)],
  )
  return lock?.free === true
}

/** 63 bits of a digest: advisory locks have numbers for names, and are of one database, the one for maintenance. */
function lockOf(name: string): string {
  const digest = createHash('sha256').update(`holdfast drill ${name}`).digest()
  return (digest.readBigInt64BE() & 0x7fff_ffff_ffff_ffffn).toString()
}
