import type { Manifest } from '../catalog/manifest.js'
import { HoldfastError } from '../errors.js'
import { periodNames, periods } from './periods.js'
import { checkPolicy, defaultTimeZone, hasRules, timeBefore, type RetentionPolicy } from './policy.js'

/** A backup, as far as retention looks at it. */
export interface RetentionSubject {
  /** Sorts by time. */
  readonly id: string
  readonly created: Date
  /** Whether it can be restored, as far as is known: false where an artifact is missing or does not verify. */
  readonly good: boolean
  /** What the policy's `keep` is asked about. */
  readonly manifest: Manifest
}

export interface RetentionDecision {
  readonly id: string
  readonly keep: boolean
  /** Never empty: which rules keep it (`daily 2026-03-29`), or why it may go. */
  readonly reasons: readonly string[]
}

/** A decision for each backup, newest first. */
export type RetentionPlan = readonly RetentionDecision[]

/**
 * Decides what to keep of the backups of one database (and one server, where several back up databases of one name). Nothing
 * is removed here. The order is that of the ids.
 *
 * - The newest good backup is always kept.
 * - Only good backups take the places that `last`, `hourly`, `daily`, … have to give, so that a damaged one never pushes a
 *   good one out. A damaged one is kept while no newer good one is there, and where `within` or `keep` says so.
 * - A rule for hours, days, … that has places left keeps the oldest good one too, as restic and borg do: reaching back as far as
 *   it can until it is full.
 * - What is dated after `now` is kept and takes no place either: a clock was wrong, and nobody knows how old it is.
 *
 * @throws config.invalid for a policy that is not valid, or a `keep` that throws or does not say true or false
 */
export function planRetention(
  backups: readonly RetentionSubject[],
  policy: RetentionPolicy,
  now: Date,
): RetentionPlan {
  checkPolicy(policy)
  const newestFirst = [...backups].sort(newerFirst)
  const known = newestFirst.filter(({ created }) => created <= now)
  const good = known.filter((backup) => backup.good)
  const reasons = new Map<RetentionSubject, string[]>(newestFirst.map((backup) => [backup, []]))
  const keep = (backup: RetentionSubject, reason: string): void => void reasons.get(backup)?.push(reason)

  for (const backup of newestFirst) {
    // Said this way round, so that a time that is no time keeps its backup too.
    if (!(backup.created <= now)) keep(backup, 'its time has not come yet')
  }
  if (!hasRules(policy)) for (const backup of known) keep(backup, 'there is no rule')
  for (const backup of known.slice(0, good[0] === undefined ? undefined : known.indexOf(good[0]))) {
    keep(backup, 'there is no newer good backup')
  }
  keepByCount(good, policy, keep)
  keepByTime(known, good[0], policy, keep)
  keepByFunction(known, policy, keep)
  if (good[0] !== undefined) keep(good[0], 'the newest good backup')

  return newestFirst.map((backup) => {
    const kept = reasons.get(backup) ?? []
    if (kept.length > 0) return { id: backup.id, keep: true, reasons: kept }
    return {
      id: backup.id,
      keep: false,
      reasons: [backup.good ? 'no rule keeps it' : 'damaged, and a newer one is good'],
    }
  })
}

type Keep = (backup: RetentionSubject, reason: string) => void

function newerFirst(a: RetentionSubject, b: RetentionSubject): number {
  if (a.id !== b.id) return a.id < b.id ? 1 : -1
  // The same id twice is not to depend on the order either.
  return b.created.getTime() - a.created.getTime() || Number(b.good) - Number(a.good)
}

function keepByCount(good: readonly RetentionSubject[], policy: RetentionPolicy, keep: Keep): void {
  const { last = 0 } = policy
  for (const [index, backup] of good.slice(0, last).entries()) keep(backup, `last ${index + 1} of ${last}`)
  const namesOf = periodNames(policy.timeZone ?? defaultTimeZone)
  const seen = periods.map((period) => ({ period, names: new Set<string>(), most: policy[period] ?? 0 }))
  const unfilled = () => seen.filter(({ names, most }) => names.size < most)
  for (const backup of good) {
    const open = unfilled()
    if (open.length === 0) return
    const namesHere = namesOf(backup.created)
    for (const { period, names } of open) {
      const name = namesHere[period]
      if (!names.has(name)) keep(backup, `${period} ${name}`)
      names.add(name)
    }
  }
  const oldest = good.at(-1)
  for (const { period } of unfilled()) if (oldest !== undefined) keep(oldest, `${period}, the oldest`)
}

function keepByTime(
  known: readonly RetentionSubject[],
  newestGood: RetentionSubject | undefined,
  { within }: RetentionPolicy,
  keep: Keep,
): void {
  if (within === undefined || newestGood === undefined) return
  const from = timeBefore(newestGood.created, within)
  for (const backup of known) if (backup.created >= from) keep(backup, `within ${within}`)
}

function keepByFunction(known: readonly RetentionSubject[], policy: RetentionPolicy, keep: Keep): void {
  for (const backup of known) {
    if (policy.keep !== undefined && answerOf(policy.keep, backup)) keep(backup, 'keep says so')
  }
}

function answerOf(keep: (backup: Manifest) => boolean, { id, manifest }: RetentionSubject): boolean {
  let answer: unknown
  try {
    answer = keep(manifest)
  } catch (error) {
    throw new HoldfastError('config.invalid', `retention.keep failed for ${id}: ${String(error)}`, {
      cause: error,
    })
  }
  // A promise, from an async function, would be taken for true.
  if (typeof answer === 'boolean') return answer
  throw new HoldfastError(
    'config.invalid',
    `retention.keep must say true or false, at once, and did not for ${id}`,
  )
}
