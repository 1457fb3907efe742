import { isDrillDatabase, type DrillDatabases } from '../../engine/drill-databases.js'
import { drillMark } from './collections.js'
import { MongoSession } from './session.js'

const beatMs = 30_000
/** A mark that is older, by the server's own clock, is of a drill that is gone. */
const staleMs = 10 * beatMs

/** There are no locks that end with a session: a mark in the database says when its drill was last at work. */
export const mongodbDrillDatabases: DrillDatabases = {
  async claim(cx, settings) {
    const session = await MongoSession.open(cx, settings)
    const beat = () =>
      session.ask((database) =>
        database.collection(drillMark).updateOne({}, { $currentDate: { alive: true } }, { upsert: true }),
      )
    try {
      await beat()
    } catch (error) {
      await session.close()
      throw error
    }
    // One that fails may be followed by one that does not.
    const timer = setInterval(() => void beat().catch(() => undefined), beatMs)
    timer.unref()
    return {
      release: async () => {
        clearInterval(timer)
        await session.close()
      },
    }
  },
  async abandoned(cx, settings) {
    const session = await MongoSession.open(cx, settings)
    try {
      const [databases, { localTime }] = await session.ask(async (database) => {
        const admin = database.admin()
        const { databases } = await admin.listDatabases({ nameOnly: true })
        return [databases, (await admin.command({ hello: 1 })) as { readonly localTime: Date }] as const
      })
      const found: string[] = []
      for (const { name } of databases.filter((each) => isDrillDatabase(each.name))) {
        const mark = await session.askOf(name, (database) => database.collection(drillMark).findOne())
        const alive: unknown = mark?.['alive']
        if (alive instanceof Date && localTime.getTime() - alive.getTime() > staleMs) found.push(name)
      }
      return found.sort()
    } finally {
      await session.close()
    }
  },
  async drop(cx, settings) {
    const session = await MongoSession.open(cx, settings)
    try {
      await session.ask((database) => database.dropDatabase())
    } finally {
      await session.close()
    }
  },
}
