import { describe, expect, it } from 'vitest'
import { planRetention, type RetentionSubject } from './plan.js'
import type { RetentionPolicy } from './policy.js'
import { backup, noons, now } from './sample-backups.js'

const week = noons(0, 1, 2, 3, 4, 5, 6)

interface Case {
  readonly name: string
  readonly policy: RetentionPolicy
  /** In any order. */
  readonly backups: readonly string[]
  /** Those that stay, newest first. */
  readonly kept: readonly string[]
  readonly now?: string
}

const cases: readonly Case[] = [
  { name: 'no rule keeps everything', policy: {}, backups: week, kept: week },
  { name: 'a zone alone is no rule', policy: { timeZone: 'Europe/Oslo' }, backups: week, kept: week },
  { name: 'a count of 0 is no rule', policy: { last: 0 }, backups: week, kept: week },
  { name: 'nothing to keep', policy: { last: 3 }, backups: [], kept: [] },
  { name: 'last keeps the newest', policy: { last: 3 }, backups: week, kept: noons(0, 1, 2) },
  {
    name: 'last keeps fewer where there are fewer',
    policy: { last: 10 },
    backups: noons(0, 9),
    kept: noons(0, 9),
  },
  {
    name: 'last counts backups, not days',
    policy: { last: 2 },
    backups: ['2026-03-15T12:00Z', '2026-03-15T11:59Z', '2026-03-15T11:58Z'],
    kept: ['2026-03-15T12:00Z', '2026-03-15T11:59Z'],
  },
  {
    name: 'hourly keeps the newest of each hour',
    policy: { hourly: 2 },
    backups: [
      '2026-03-15T12:59Z',
      '2026-03-15T12:00Z',
      '2026-03-15T11:59Z',
      '2026-03-15T11:00Z',
      '2026-03-15T10:30Z',
    ],
    kept: ['2026-03-15T12:59Z', '2026-03-15T11:59Z'],
  },
  {
    name: 'hourly passes over hours without a backup',
    policy: { hourly: 3 },
    backups: ['2026-03-15T12:10Z', '2026-03-15T09:10Z', '2026-03-14T01:10Z', '2026-03-13T01:10Z'],
    kept: ['2026-03-15T12:10Z', '2026-03-15T09:10Z', '2026-03-14T01:10Z'],
  },
  { name: 'daily keeps one a day', policy: { daily: 3 }, backups: week, kept: noons(0, 1, 2) },
  {
    name: 'daily keeps the newest of a day',
    policy: { daily: 2 },
    backups: ['2026-03-15T02:00Z', '2026-03-15T14:00Z', '2026-03-14T23:59Z', '2026-03-14T00:00Z'],
    kept: ['2026-03-15T14:00Z', '2026-03-14T23:59Z'],
  },
  {
    name: 'daily passes over days without a backup',
    policy: { daily: 3 },
    backups: noons(0, 10, 20, 30),
    kept: noons(0, 10, 20),
  },
  {
    name: 'days begin at midnight in UTC by default',
    policy: { daily: 2 },
    backups: ['2026-03-15T00:00:00Z', '2026-03-14T23:59:59.999Z', '2026-03-14T00:00:00Z'],
    kept: ['2026-03-15T00:00:00Z', '2026-03-14T23:59:59.999Z'],
  },
  {
    name: 'days begin at midnight in the zone',
    policy: { daily: 2, timeZone: 'Asia/Tokyo' },
    // 15:00 in UTC is midnight in Tokyo.
    backups: [
      '2026-03-15T14:59Z',
      '2026-03-14T15:00Z',
      '2026-03-14T14:59Z',
      '2026-03-13T15:00Z',
      '2026-03-13T14:59Z',
    ],
    kept: ['2026-03-15T14:59Z', '2026-03-14T14:59Z'],
  },
  {
    name: 'days begin at midnight in a zone behind UTC',
    policy: { daily: 2, timeZone: 'America/Los_Angeles' },
    backups: ['2026-03-15T07:00Z', '2026-03-15T06:59Z', '2026-03-14T08:00Z', '2026-03-14T07:59Z'],
    kept: ['2026-03-15T07:00Z', '2026-03-15T06:59Z'],
  },
  {
    name: 'a day of 23 hours is a day',
    policy: { daily: 2, timeZone: 'Europe/Oslo' },
    // Summer time began on the 29th: its midnights are at 23:00 and 22:00 in UTC.
    backups: ['2026-03-29T22:00Z', '2026-03-29T21:59Z', '2026-03-28T23:00Z', '2026-03-28T22:59Z'],
    kept: ['2026-03-29T22:00Z', '2026-03-29T21:59Z'],
    now: '2026-03-30T12:00Z',
  },
  {
    name: 'a day of 25 hours is a day',
    policy: { daily: 2, timeZone: 'Europe/Oslo' },
    backups: ['2026-10-25T23:00Z', '2026-10-25T22:59Z', '2026-10-24T22:00Z', '2026-10-24T21:59Z'],
    kept: ['2026-10-25T23:00Z', '2026-10-25T22:59Z'],
    now: '2026-10-26T12:00Z',
  },
  {
    name: 'the hour that comes twice is two hours',
    policy: { hourly: 3, timeZone: 'Europe/Oslo' },
    backups: [
      '2026-10-25T01:45Z',
      '2026-10-25T01:15Z',
      '2026-10-25T00:45Z',
      '2026-10-25T00:15Z',
      '2026-10-24T23:45Z',
    ],
    kept: ['2026-10-25T01:45Z', '2026-10-25T00:45Z', '2026-10-24T23:45Z'],
    now: '2026-10-26T12:00Z',
  },
  {
    name: 'weekly keeps the newest of each week, which ends on Sunday',
    policy: { weekly: 2 },
    backups: noons(0, 1, 6, 7, 8, 13, 14),
    kept: noons(0, 7),
  },
  {
    name: 'a week goes over the end of the year',
    policy: { weekly: 2 },
    backups: ['2026-01-04T12:00Z', '2026-01-01T12:00Z', '2025-12-29T12:00Z', '2025-12-28T12:00Z'],
    kept: ['2026-01-04T12:00Z', '2025-12-28T12:00Z'],
  },
  {
    name: 'week 1 of two years is two weeks',
    policy: { weekly: 2 },
    backups: ['2026-01-01T12:00Z', '2025-01-01T12:00Z', '2024-12-30T12:00Z'],
    kept: ['2026-01-01T12:00Z', '2025-01-01T12:00Z'],
  },
  {
    name: 'monthly keeps the newest of each month',
    policy: { monthly: 3 },
    backups: [
      '2026-03-15T12:00Z',
      '2026-03-01T00:00Z',
      '2026-02-28T23:59Z',
      '2026-02-01T00:00Z',
      '2025-12-31T12:00Z',
      '2025-11-30T12:00Z',
    ],
    kept: ['2026-03-15T12:00Z', '2026-02-28T23:59Z', '2025-12-31T12:00Z'],
  },
  {
    name: 'the same month of two years is two months',
    policy: { monthly: 2 },
    backups: ['2026-03-10T12:00Z', '2025-03-10T12:00Z', '2025-03-09T12:00Z'],
    kept: ['2026-03-10T12:00Z', '2025-03-10T12:00Z'],
  },
  {
    name: 'yearly keeps the newest of each year',
    policy: { yearly: 2 },
    backups: [
      '2026-03-15T12:00Z',
      '2026-01-01T00:00Z',
      '2025-12-31T23:59Z',
      '2025-06-01T12:00Z',
      '2024-12-31T12:00Z',
    ],
    kept: ['2026-03-15T12:00Z', '2025-12-31T23:59Z'],
  },
  {
    name: 'rules keep each on its own account',
    policy: { last: 2, daily: 3 },
    backups: [
      '2026-03-15T12:00Z',
      '2026-03-15T11:00Z',
      '2026-03-15T10:00Z',
      '2026-03-14T12:00Z',
      '2026-03-13T12:00Z',
      '2026-03-12T12:00Z',
    ],
    kept: ['2026-03-15T12:00Z', '2026-03-15T11:00Z', '2026-03-14T12:00Z', '2026-03-13T12:00Z'],
  },
  {
    name: 'a backup kept by one rule counts for the others',
    policy: { daily: 2, weekly: 2, monthly: 2 },
    backups: noons(0, 1, 7, 14, 15, 16),
    kept: noons(0, 1, 7, 15),
  },
  {
    name: 'grandfather, father, son',
    policy: { daily: 3, weekly: 3, monthly: 3, yearly: 2 },
    backups: noons(...Array.from({ length: 400 }, (_, index) => index)),
    // Days 0-2, Sundays 0, 7, 14 days ago, the last of February and January, the last of 2025.
    kept: noons(0, 1, 2, 7, 14, 15, 43, 74),
  },
  {
    name: 'the oldest stays while a rule is not full, so that it reaches back as far as it can',
    policy: { daily: 2, yearly: 3 },
    backups: noons(0, 1, 2, 30, 60),
    kept: noons(0, 1, 60),
  },
  {
    name: 'a full rule lets the oldest go',
    policy: { daily: 2, yearly: 2 },
    backups: [...noons(0, 1, 2), '2025-12-31T12:00Z', '2025-02-01T12:00Z'],
    kept: [...noons(0, 1), '2025-12-31T12:00Z'],
  },
  {
    name: 'the oldest that stays is a good one',
    policy: { yearly: 3 },
    backups: [...noons(0, 1, 30), '2026-01-20T12:00Z!'],
    kept: noons(0, 30),
  },
  { name: 'within keeps what is no older', policy: { within: '3d' }, backups: week, kept: noons(0, 1, 2, 3) },
  {
    name: 'within includes its own beginning, to the millisecond',
    policy: { within: '1h' },
    backups: ['2026-03-15T12:00:00.000Z', '2026-03-15T11:00:00.000Z', '2026-03-15T10:59:59.999Z'],
    kept: ['2026-03-15T12:00:00.000Z', '2026-03-15T11:00:00.000Z'],
  },
  {
    name: 'within counts calendar months',
    policy: { within: '1m' },
    backups: noons(0, 28, 29),
    kept: noons(0, 28),
  },
  {
    name: 'FAILURES 21: within counts from the newest backup, however long ago backups stopped',
    policy: { within: '3d' },
    backups: week,
    kept: noons(0, 1, 2, 3),
    now: '2027-03-15T12:00Z',
  },
  {
    name: 'FAILURES 21: counts stay as they are, however long ago backups stopped',
    policy: { hourly: 2, daily: 3 },
    backups: week,
    kept: noons(0, 1, 2),
    now: '2036-03-15T12:00Z',
  },
  {
    name: 'FAILURES 21: the newest backup stays where no rule keeps it',
    policy: { keep: () => false },
    backups: week,
    kept: noons(0),
  },
  {
    name: 'FAILURES 21: the last good one stays while newer ones are damaged, and so do they',
    policy: { last: 1 },
    backups: ['2026-03-15T12:00Z!', '2026-03-14T12:00Z!', '2026-03-13T12:00Z', '2026-03-12T12:00Z'],
    kept: ['2026-03-15T12:00Z!', '2026-03-14T12:00Z!', '2026-03-13T12:00Z'],
  },
  {
    name: 'FAILURES 21: a damaged one takes the place of no good one',
    policy: { last: 2, daily: 2 },
    backups: [
      '2026-03-15T12:00Z',
      '2026-03-14T14:00Z!',
      '2026-03-14T13:00Z!',
      '2026-03-14T12:00Z',
      '2026-03-13T12:00Z',
    ],
    kept: ['2026-03-15T12:00Z', '2026-03-14T12:00Z'],
  },
  {
    name: 'FAILURES 21: nothing is removed while nothing is good',
    policy: { last: 1 },
    backups: ['2026-03-15T12:00Z!', '2026-03-14T12:00Z!', '2026-03-13T12:00Z!'],
    kept: ['2026-03-15T12:00Z!', '2026-03-14T12:00Z!', '2026-03-13T12:00Z!'],
  },
  {
    name: 'within keeps damaged ones too',
    policy: { within: '2d' },
    backups: ['2026-03-15T12:00Z', '2026-03-14T12:00Z!', '2026-03-12T12:00Z!'],
    kept: ['2026-03-15T12:00Z', '2026-03-14T12:00Z!'],
  },
  {
    name: 'FAILURES 14: what is dated after now is kept, and takes no place',
    policy: { last: 2 },
    backups: ['2031-01-01T12:00Z', '2030-01-01T12:00Z', ...noons(0, 1, 2)],
    kept: ['2031-01-01T12:00Z', '2030-01-01T12:00Z', ...noons(0, 1)],
  },
  {
    name: 'FAILURES 14: the newest good backup is one whose time has come',
    policy: { yearly: 1 },
    backups: ['2031-01-01T12:00Z', ...noons(3, 4)],
    kept: ['2031-01-01T12:00Z', ...noons(3)],
  },
  {
    name: 'FAILURES 14: a clock set back removes nothing that is newer than it',
    policy: { last: 1 },
    backups: week,
    kept: noons(0, 1, 2, 3, 4),
    now: '2026-03-11T18:00Z',
  },
  {
    name: 'keep keeps what it says',
    policy: { last: 1, keep: ({ metadata }) => metadata['release'] === true },
    backups: week,
    kept: noons(0, 2),
  },
]

describe('retention', () => {
  it.each(cases)('$name', ({ policy, backups, kept, now: at }) => {
    const plan = planRetention(backups.map(backup).reverse(), policy, at === undefined ? now : new Date(at))
    expect(plan.filter(({ keep }) => keep).map(({ id }) => id)).toEqual(kept.map((text) => backup(text).id))
    expect(plan.map(({ id }) => id)).toEqual(
      backups
        .map((text) => backup(text).id)
        .sort()
        .reverse(),
    )
  })

  it('says for each backup why', () => {
    const backups = [
      '2030-01-01T12:00Z',
      '2026-03-15T12:00Z!',
      ...noons(1, 2, 7, 8),
      '2026-03-01T12:00Z!',
    ].map(backup)
    const policy = { last: 1, daily: 2, weekly: 2, within: '24h', timeZone: 'Europe/Oslo' }
    expect(planRetention(backups, policy, now).map(({ keep, reasons }) => [keep, ...reasons])).toEqual([
      [true, 'its time has not come yet'],
      [true, 'there is no newer good backup', 'within 24h'],
      [true, 'last 1 of 1', 'daily 2026-03-14', 'weekly 2026-W11', 'within 24h', 'the newest good backup'],
      [true, 'daily 2026-03-13', 'within 24h'],
      [true, 'weekly 2026-W10'],
      [false, 'no rule keeps it'],
      [false, 'damaged, and a newer one is good'],
    ])
    expect(planRetention(backups, {}, now)[3]).toMatchObject({ keep: true, reasons: ['there is no rule'] })
  })

  it('keeps a backup whose time is no time', () => {
    const [newest, odd] = noons(0, 1).map(backup)
    const backups = [newest, { ...odd, created: new Date(Number.NaN) }] as RetentionSubject[]
    expect(planRetention(backups, { last: 1 }, now).map(({ keep }) => keep)).toEqual([true, true])
  })

  it('refuses a policy that is not valid, and a keep that does not answer', () => {
    const plan = (policy: RetentionPolicy) => () => planRetention(week.map(backup), policy, now)
    const invalid = expect.objectContaining({ code: 'config.invalid' }) as Error
    expect(plan({ last: -1 })).toThrow(invalid)
    expect(plan({ timeZone: 'Nowhere' })).toThrow(invalid)
    expect(plan({ keep: (() => Promise.resolve(false)) as unknown as () => boolean })).toThrow(invalid)
    expect(
      plan({
        keep: () => {
          throw new Error('no such field')
        },
      }),
    ).toThrow('no such field')
  })
})
