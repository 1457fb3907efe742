import { describe, expect, it } from 'vitest'
import { checkPolicy, hasRules, timeBefore } from './policy.js'

describe('a policy', () => {
  it.each([
    ['nothing', {}],
    ['counts', { last: 7, hourly: 24, daily: 14, weekly: 8, monthly: 12, yearly: 3 }],
    ['zero', { last: 0 }],
    ['times', { within: '36h' }],
    ['a zone', { daily: 1, timeZone: 'America/Argentina/Buenos_Aires' }],
    ['a function', { keep: () => true }],
  ])('may say %s', (_, policy) => {
    expect(() => checkPolicy(policy)).not.toThrow()
  })

  it.each([
    ['a negative count', { last: -1 }, 'retention.last must be a whole number, 0 or more: -1'],
    ['half a day', { daily: 0.5 }, 'retention.daily must be a whole number'],
    ['no number', { weekly: Number.NaN }, 'retention.weekly must be a whole number'],
    ['a count as text', { monthly: '12' as unknown as number }, 'retention.monthly must be a whole number'],
    [
      'a time without a unit',
      { within: '30' },
      'retention.within must be a number and one of h, d, w, m, y, such as 30d: 30',
    ],
    ['a time of two units', { within: '1y6m' }, 'retention.within must be'],
    ['a time before the beginning', { within: '-3d' }, 'retention.within must be'],
    ['an unknown zone', { timeZone: 'Mars/Olympus' }, 'retention.timeZone is not a time zone: Mars/Olympus'],
    [
      'a keep that is no function',
      { keep: true as unknown as () => boolean },
      'retention.keep must be a function',
    ],
  ])('may not say %s', (_, policy, message) => {
    expect(() => checkPolicy(policy)).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        message: expect.stringContaining(message) as string,
      }) as Error,
    )
  })

  it('names its place in the configuration', () => {
    expect(() => checkPolicy({ last: -1 }, 'databases.docs.retention')).toThrow(
      'databases.docs.retention.last',
    )
  })

  it('has rules, or not', () => {
    for (const policy of [{}, { timeZone: 'UTC' }, { last: 0, daily: 0 }])
      expect(hasRules(policy)).toBe(false)
    for (const policy of [{ last: 1 }, { yearly: 1 }, { within: '1h' }, { keep: () => false }]) {
      expect(hasRules(policy)).toBe(true)
    }
  })
})

describe('a time before another', () => {
  it.each([
    ['2026-03-31T12:00:00Z', '12h', '2026-03-31T00:00:00.000Z'],
    ['2026-03-31T12:00:00Z', '30d', '2026-03-01T12:00:00.000Z'],
    ['2026-03-31T12:00:00Z', '2w', '2026-03-17T12:00:00.000Z'],
    ['2026-03-31T12:00:00Z', '1m', '2026-02-28T12:00:00.000Z'],
    ['2024-03-31T12:00:00Z', '1m', '2024-02-29T12:00:00.000Z'],
    ['2026-07-31T12:00:00Z', '1m', '2026-06-30T12:00:00.000Z'],
    ['2026-01-15T12:00:00Z', '6m', '2025-07-15T12:00:00.000Z'],
    ['2024-02-29T12:00:00Z', '1y', '2023-02-28T12:00:00.000Z'],
    ['2026-03-31T12:00:00Z', '0d', '2026-03-31T12:00:00.000Z'],
  ])('%s, %s is %s', (time, within, expected) => {
    expect(timeBefore(new Date(time), within).toISOString()).toBe(expected)
  })
})
