import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../catalog/manifest.js'
import { periodNames, periods } from './periods.js'
import { planRetention, type RetentionSubject } from './plan.js'
import type { RetentionPolicy } from './policy.js'
import { backup, now } from './sample-backups.js'

const count = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined })
const policies = fc
  .record({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    within: fc.constantFrom(undefined, '0d', '12h', '3d', '2w', '1m', '1y'),
    keep: fc.constantFrom(undefined, ({ created }: Manifest) => created.endsWith('7Z')),
    timeZone: fc.constantFrom(undefined, 'UTC', 'Europe/Oslo', 'America/New_York', 'Australia/Lord_Howe'),
  })
  .map(
    (policy) =>
      Object.fromEntries(
        Object.entries(policy).filter(([, value]) => value !== undefined),
      ) as RetentionPolicy,
  )

/** Times are few, so that several backups fall into one period; some lie after `now`. */
const subjects = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: -600 * 24, max: 40 * 24 }), fc.integer({ min: 0, max: 9 }), fc.boolean())
    .map(([hours, ms, good]) =>
      backup(new Date(now.getTime() + hours * 3_600_000 + ms).toISOString() + (good ? '' : '!')),
    ),
  { selector: ({ id }) => id, maxLength: 60 },
)

/** Ids, newest first. */
const keptAt = (time: Date, backups: readonly RetentionSubject[], policy: RetentionPolicy): string[] =>
  planRetention(backups, policy, time).flatMap(({ id, keep }) => (keep ? [id] : []))

const keptBy = (backups: readonly RetentionSubject[], policy: RetentionPolicy): string[] =>
  keptAt(now, backups, policy)

const last = (backups: readonly RetentionSubject[]): string | undefined =>
  backups
    .map(({ id }) => id)
    .sort()
    .at(-1)

function grouped<Key>(
  backups: readonly RetentionSubject[],
  keyOf: (backup: RetentionSubject) => Key,
): ReadonlyMap<Key, RetentionSubject[]> {
  const groups = new Map<Key, RetentionSubject[]>()
  for (const each of backups) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each])
  return groups
}

describe('retention of any backups by any policy', () => {
  it('keeps the newest good one, and all where none is good', () => {
    fc.assert(
      fc.property(subjects, policies, (backups, policy) => {
        const known = backups.filter(({ created }) => created <= now)
        const newest = known.filter(({ good }) => good).sort((a, b) => (a.id < b.id ? 1 : -1))[0]
        const kept = keptBy(backups, policy)
        if (newest === undefined) expect(kept).toHaveLength(backups.length)
        else expect(kept).toContain(newest.id)
      }),
    )
  })

  it('keeps all without a rule', () => {
    fc.assert(
      fc.property(subjects, (backups) => {
        expect(keptBy(backups, {})).toHaveLength(backups.length)
      }),
    )
  })

  it('decides about every backup once, newest first, with a reason', () => {
    fc.assert(
      fc.property(subjects, policies, (backups, policy) => {
        const plan = planRetention(backups, policy, now)
        const ids = backups.map(({ id }) => id)
        expect(plan.map(({ id }) => id)).toEqual(ids.sort().reverse())
        for (const { reasons } of plan) expect(reasons.length).toBeGreaterThan(0)
      }),
    )
  })

  it('does not depend on the order of the backups', () => {
    fc.assert(
      fc.property(
        subjects.chain((backups) =>
          fc.tuple(fc.constant(backups), fc.shuffledSubarray(backups, { minLength: backups.length })),
        ),
        policies,
        ([backups, shuffled], policy) => {
          expect(planRetention(shuffled, policy, now)).toEqual(planRetention(backups, policy, now))
        },
      ),
    )
  })

  it('removes nothing more when it is applied again', () => {
    fc.assert(
      fc.property(subjects, policies, (backups, policy) => {
        const kept = new Set(keptBy(backups, policy))
        const left = backups.filter(({ id }) => kept.has(id))
        expect(keptBy(left, policy)).toHaveLength(left.length)
      }),
    )
  })

  it('does not bring back what it gave up when a newer backup comes', () => {
    fc.assert(
      fc.property(subjects, policies, fc.boolean(), (backups, policy, good) => {
        const newer = backup(`${now.toISOString()}${good ? '' : '!'}`)
        const before = backups.filter(({ id }) => id !== newer.id)
        const kept = new Set(keptBy(before, policy))
        for (const id of keptBy([...before, newer], policy))
          expect(id === newer.id || kept.has(id)).toBe(true)
      }),
    )
  })

  it('leaves what it would leave of all of them when it is applied after each', () => {
    fc.assert(
      fc.property(subjects, policies, (backups, policy) => {
        const inOrder = [...backups].sort((a, b) => (a.id < b.id ? -1 : 1))
        let left: RetentionSubject[] = []
        for (const each of inOrder) {
          const kept = new Set(keptAt(each.created, [...left, each], policy))
          left = [...left, each].filter(({ id }) => kept.has(id))
        }
        const latest = inOrder.at(-1)?.created ?? now
        expect(left.map(({ id }) => id)).toEqual(keptAt(latest, backups, policy).reverse())
      }),
    )
  })

  it('of whole days, weeks, … is the newest of each of so many, and the oldest of all until there are so many', () => {
    const most = fc.integer({ min: 1, max: 5 })
    const zones = fc.constantFrom('UTC', 'Europe/Oslo', 'Australia/Lord_Howe')
    fc.assert(
      fc.property(subjects, fc.constantFrom(...periods), most, zones, (backups, period, places, timeZone) => {
        const good = backups.filter(({ good, created }) => good && created <= now)
        const names = periodNames(timeZone)
        const inPeriods = grouped(good, ({ created }) => names(created)[period])
        const newest = [...inPeriods.values()].map(last).sort().reverse().slice(0, places)
        const oldest =
          inPeriods.size < places
            ? good
                .map(({ id }) => id)
                .sort()
                .slice(0, 1)
            : []
        const expected = new Set([...newest, ...oldest])
        expect(new Set(keptBy(good, { [period]: places, timeZone }))).toEqual(expected)
      }),
    )
  })

  it('keeps at least as much with a rule more', () => {
    const rules = fc.constantFrom<RetentionPolicy>(
      { last: 3 },
      { weekly: 2 },
      { within: '1w' },
      { keep: () => true },
    )
    fc.assert(
      fc.property(subjects, rules, fc.integer({ min: 1, max: 4 }), (backups, rule, daily) => {
        const more = new Set(keptBy(backups, { daily, ...rule }))
        for (const id of keptBy(backups, { daily })) expect(more.has(id)).toBe(true)
        for (const id of keptBy(backups, rule)) expect(more.has(id)).toBe(true)
      }),
    )
  })

  it('keeps what is dated after now', () => {
    fc.assert(
      fc.property(subjects, policies, (backups, policy) => {
        const kept = keptBy(backups, policy)
        for (const { id, created } of backups) if (created > now) expect(kept).toContain(id)
      }),
    )
  })
})
