import type { StandIns } from '../../engine/stand-ins.js'
import { definersOf, unknownDefiners } from './definers.js'
import { quoteName, quoteText } from './quoting.js'
import { ServerSession } from './session.js'

/** Definers: a view, trigger or routine whose definer is gone cannot be used. */
export const mysqlStandIns: StandIns = {
  missedBy: () => [],
  async missing(cx, settings) {
    const session = await ServerSession.open(cx, settings)
    try {
      return await unknownDefiners(session, await definersOf(session))
    } finally {
      await session.close()
    }
  },
  async make(cx, settings, names) {
    const password = Buffer.from(cx.env.randomBytes(16)).toString('hex')
    const session = await ServerSession.open(cx, settings)
    try {
      for (const name of names) {
        const at = name.lastIndexOf('@')
        const [user, host] = [quoteText(name.slice(0, at)), quoteText(name.slice(at + 1))]
        // A role has no host.
        const account = host === quoteText('') ? user : `${user}@${host}`
        await session.query(
          host === quoteText('')
            ? `CREATE ROLE ${account}`
            : `CREATE USER ${account} IDENTIFIED BY ${quoteText(password)}`,
        )
        await session.query(`GRANT ALL PRIVILEGES ON ${quoteName(settings.name)}.* TO ${account}`)
      }
    } finally {
      await session.close()
    }
  },
}
