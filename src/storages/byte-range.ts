import { HoldfastError } from '../errors.js'
import type { ByteRange } from './storage.js'

/**
 * A range within an object of `bytes` bytes: what lies beyond its end is left out.
 * @throws usage.invalid for a range that no object can have
 */
export function clipRange(range: ByteRange | undefined, bytes: number): { start: number; end: number } {
  const { start, end = bytes } = range ?? { start: 0 }
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < 0) {
    throw new HoldfastError('usage.invalid', `not a range of bytes: ${start} to ${end}`)
  }
  const last = Math.min(end, bytes)
  return { start: Math.min(start, last), end: last }
}
