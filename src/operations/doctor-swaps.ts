import type { DatabaseSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { connectorSettings } from './create-connector.js'
import { attempt } from './doctor-check.js'
import type { DoctorCheck } from './reports.js'

/** What restores by swap have left: old databases that are kept, and what an interrupted one has begun. */
export async function checkSwaps(
  cx: Context,
  subject: string,
  database: DatabaseSettings,
): Promise<readonly DoctorCheck[]> {
  const { swap } = database.engine
  if (swap === undefined || database.connector.capabilities.restoresBeside !== true) return []
  const name = 'swap'
  const found: DoctorCheck[] = []
  const looked = await attempt(cx, subject, name, async () => {
    const { kept, interrupted, running } = await swap.look(
      cx,
      connectorSettings(database, database.connection),
    )
    for (const message of interrupted) {
      found.push({
        subject,
        name,
        status: 'warning',
        message,
        hint: 'the next restore of this database settles it, and so does restore --undo',
      })
    }
    if (running) return 'a restore beside it is under way'
    return kept.length === 0 ? '' : `kept: ${kept.map((each) => each.name).join(', ')}`
  })
  // What cannot be looked at has been said by the check of the database itself.
  return looked.status === 'ok' && looked.message !== '' ? [looked, ...found] : found
}
