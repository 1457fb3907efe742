import { isDrillDatabase, type DrillDatabases } from '../../engine/drill-databases.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { quoteName } from './quoting.js'
import { ServerSession } from './session.js'

/** `GET_LOCK` says that a drill is at work: the lock ends with the session of the drill. */
export const mysqlDrillDatabases: DrillDatabases = {
  async claim(cx, settings) {
    const session = await ServerSession.open(cx, settings, { withoutDatabase: true })
    try {
      await session.query('SET SESSION wait_timeout = 604800')
      await session.query('DO GET_LOCK(?, 60)', [settings.name])
    } catch (error) {
      await session.close()
      throw error
    }
    return { release: () => session.close() }
  },
  abandoned: (cx, settings) =>
    withServer(cx, settings, async (session) => {
      const databases = await session.query<{ name: string; used: unknown }>(
        `SELECT SCHEMA_NAME AS name, IS_USED_LOCK(SCHEMA_NAME) AS used FROM information_schema.SCHEMATA
          WHERE SCHEMA_NAME LIKE 'holdfast\\_drill\\_%' ORDER BY 1`,
      )
      return databases
        .filter(({ name, used }) => isDrillDatabase(name) && used === null)
        .map(({ name }) => name)
    }),
  drop: (cx, settings) =>
    withServer(cx, settings, async (session) => {
      await session.query(`DROP DATABASE IF EXISTS ${quoteName(settings.name)}`)
    }),
}

async function withServer<Result>(
  cx: Context,
  settings: ConnectionSettings,
  work: (session: ServerSession) => Promise<Result>,
): Promise<Result> {
  const session = await ServerSession.open(cx, settings, { withoutDatabase: true })
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}
