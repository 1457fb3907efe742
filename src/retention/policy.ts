import type { Manifest } from '../catalog/manifest.js'
import { HoldfastError } from '../errors.js'
import { periods } from './periods.js'

/**
 * Which backups to keep. Each rule keeps on its own account; what no rule keeps is removed. A policy without rules keeps
 * everything, and the newest good backup is always kept. A count of 0 is no rule.
 *
 * @example
 * { last: 7, daily: 14, weekly: 8, monthly: 12, within: '48h', timeZone: 'Europe/Oslo' }
 */
export interface RetentionPolicy {
  /** The newest so many. */
  readonly last?: number
  /**
   * The newest of each of the last so many hours (days, …) that have a backup; hours and days without one do not count. Until there
   * are so many, the oldest backup is kept as well.
   */
  readonly hourly?: number
  readonly daily?: number
  /** Weeks of ISO 8601, which begin on Monday. */
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /**
   * Everything not older than this before the newest good backup: a number and `h`, `d` (24 hours), `w` (7 days), `m` (calendar
   * months) or `y`, as `36h`. Before the newest backup and not before now, so that nothing is lost while backups fail.
   */
  readonly within?: string
  /** Keeps what it says true of. */
  readonly keep?: (backup: Manifest) => boolean
  /** IANA name of the zone in which hours, days, weeks, months and years begin. Default `UTC`. */
  readonly timeZone?: string
}

const countRules = ['last', ...periods] as const

export const defaultTimeZone = 'UTC'

/**
 * Checks a policy, as it comes from a configuration.
 * @param place of the policy, for errors: `databases.default.retention`
 * @throws config.invalid
 */
export function checkPolicy(policy: RetentionPolicy, place = 'retention'): void {
  for (const rule of countRules) {
    const count = policy[rule]
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0)) {
      throw invalid(`${place}.${rule} must be a whole number, 0 or more: ${String(count)}`)
    }
  }
  if (policy.within !== undefined) parseWithin(policy.within, `${place}.within`)
  if (policy.keep !== undefined && typeof policy.keep !== 'function') {
    throw invalid(`${place}.keep must be a function`)
  }
  if (policy.timeZone === undefined) return
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: policy.timeZone })
  } catch (error) {
    throw new HoldfastError('config.invalid', `${place}.timeZone is not a time zone: ${policy.timeZone}`, {
      cause: error,
      hint: 'use a name such as UTC or Europe/Oslo',
    })
  }
}

/** Whether the policy has a rule; without one, everything is kept. */
export function hasRules(policy: RetentionPolicy): boolean {
  return (
    countRules.some((rule) => (policy[rule] ?? 0) > 0) ||
    policy.within !== undefined ||
    policy.keep !== undefined
  )
}

const hourMs = 60 * 60 * 1000
const unitMs: Readonly<Record<string, number>> = { h: hourMs, d: 24 * hourMs, w: 7 * 24 * hourMs }

/** The time so long before another: `30d`, `6m`. Of months and years by the calendar in UTC: a month before 31 March is 28 or 29 February. */
export function timeBefore(time: Date, within: string): Date {
  const { count, unit } = parseWithin(within, 'within')
  const ms = unitMs[unit]
  if (ms !== undefined) return new Date(time.getTime() - count * ms)
  const months = unit === 'y' ? 12 * count : count
  const earlier = new Date(time)
  earlier.setUTCMonth(earlier.getUTCMonth() - months)
  // There is no such day in that month, so Date went on into the next one.
  if (earlier.getUTCDate() !== time.getUTCDate()) earlier.setUTCDate(0)
  return earlier
}

function parseWithin(within: string, place: string): { readonly count: number; readonly unit: string } {
  const [, count, unit] = /^(\d{1,5})([hdwmy])$/u.exec(within) ?? []
  if (count === undefined || unit === undefined) {
    throw invalid(`${place} must be a number and one of h, d, w, m, y, such as 30d: ${within}`)
  }
  return { count: Number(count), unit }
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('config.invalid', message)
}
