import type { StandIns } from '../../engine/stand-ins.js'
import { resolveConnection } from './connection.js'
import { identifier } from './quoting.js'
import { maintenanceConnection, missingRoles } from './restore-target.js'
import { withSession } from './session.js'

/** Roles that policies name: a restore without owners and privileges needs these all the same. */
export const postgresStandIns: StandIns = {
  missedBy({ details, message }) {
    const known = details[missingRoles]
    if (Array.isArray(known)) return known.map(String)
    // Of a plain dump only its end tells.
    const role = /role "(.+)" does not exist/u.exec(message)?.[1]
    return role === undefined ? [] : [role]
  },
  missing: () => Promise.resolve([]),
  async make(cx, settings, names) {
    const connection = await resolveConnection(cx.env, settings)
    await withSession(cx, await maintenanceConnection(cx, connection, {}), async (session) => {
      for (const name of names) await session.rows(`CREATE ROLE ${identifier(name)} NOLOGIN`)
    })
  },
}
