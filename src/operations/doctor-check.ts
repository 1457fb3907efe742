import type { Context } from '../env/context.js'
import { asHoldfastError } from '../errors.js'
import type { DoctorCheck } from './reports.js'

/** Runs a check; what it throws is its result. */
export async function attempt(
  cx: Context,
  subject: string,
  name: string,
  check: () => Promise<string>,
): Promise<DoctorCheck> {
  try {
    return { subject, name, status: 'ok', message: await check() }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const error = asHoldfastError(thrown)
    return { subject, name, status: 'error', message: error.message, hint: error.hint, error }
  }
}
