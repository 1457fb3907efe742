import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { attempt } from './doctor-check.js'
import { redaction } from './known-secrets.js'
import type { DoctorCheck } from './reports.js'
import type { Workspace } from './workspace.js'

/** Whether those who are to be told of runs can be reached. Nobody is sent a message. */
export async function checkNotifiers(cx: Context, { settings }: Workspace): Promise<readonly DoctorCheck[]> {
  if (settings.notifiers.length === 0) return []
  const { checkNotifier } = await import('../hooks/notifiers/notifications.js')
  const redact = redaction(settings, {})
  return Promise.all(
    settings.notifiers.map((notifier) =>
      attempt(cx, `notifier ${notifier.name}`, notifier.kind, async () => {
        try {
          return await checkNotifier(cx, notifier)
        } catch (thrown) {
          // A server may repeat what it was given.
          const { code, message, hint } = asHoldfastError(thrown)
          throw new HoldfastError(code, redact(message), { hint })
        }
      }),
    ),
  )
}
