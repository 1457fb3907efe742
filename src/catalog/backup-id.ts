import type { Env } from '../env/env.js'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A new id: the time in UTC to the millisecond, so that ids sort by time, and 30 random bits, so that two runs in the same
 * millisecond differ.
 */
export function newBackupId(env: Env): string {
  const time = env.clock.now().toISOString().replace(/[-:.]/gu, '')
  const random = Array.from(env.randomBytes(6), (byte) => alphabet.charAt(byte & 31)).join('')
  return `${time}-${random}`
}
