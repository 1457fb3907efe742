import { HoldfastError } from '../errors.js'
import type { ObjectKey } from './storage.js'

/**
 * Whether an object is locked at least for so long. Services count in seconds.
 * @param until as the service says
 */
export function isLockedUntil(until: Date | undefined, wanted: Date): boolean {
  return until !== undefined && until.getTime() > wanted.getTime() - 1000
}

/** A service that knows no locks may store an object, and say nothing of the lock: the put has failed, and taken the object back. */
export function notLocked(doing: string, key: ObjectKey, hint: string): HoldfastError {
  return new HoldfastError('storage.failed', `${doing}: the service has not locked it`, {
    hint,
    details: { key, passing: false },
  })
}
