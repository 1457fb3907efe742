import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { periodNames } from './periods.js'

const utc = periodNames('UTC')

describe('the names of periods', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-W01', 'a Thursday'],
    ['2026-12-31T23:59:59Z', '2026-W53', 'the last day of a year of 53 weeks'],
    ['2027-01-01T00:00:00Z', '2026-W53', 'a first of January that belongs to the year before'],
    ['2027-01-04T00:00:00Z', '2027-W01', 'the first Monday'],
    ['2024-12-30T12:00:00Z', '2025-W01', 'a December that belongs to the year after'],
    ['2021-01-03T23:59:59Z', '2020-W53', 'the last Sunday of a leap year of 53 weeks'],
    ['2024-02-29T12:00:00Z', '2024-W09', 'a leap day'],
  ])('%s is in week %s: %s', (time, week) => {
    expect(utc(new Date(time)).weekly).toBe(week)
  })

  it('are those of the zone', () => {
    const time = new Date('2026-12-31T23:30:00Z')
    expect(utc(time)).toEqual({
      hourly: '2026-12-31T23Z',
      daily: '2026-12-31',
      weekly: '2026-W53',
      monthly: '2026-12',
      yearly: '2026',
    })
    expect(periodNames('Europe/Oslo')(time)).toEqual({
      hourly: '2027-01-01T00+01:00',
      daily: '2027-01-01',
      weekly: '2026-W53',
      monthly: '2027-01',
      yearly: '2027',
    })
    expect(periodNames('Asia/Kathmandu')(time).hourly).toBe('2027-01-01T05+05:45')
    expect(periodNames('Pacific/Pago_Pago')(time).daily).toBe('2026-12-31')
  })

  it('FAILURES 14: tell the two hours of the same name in autumn apart', () => {
    const oslo = periodNames('Europe/Oslo')
    expect(oslo(new Date('2026-10-25T00:30:00Z')).hourly).toBe('2026-10-25T02+02:00')
    expect(oslo(new Date('2026-10-25T01:30:00Z')).hourly).toBe('2026-10-25T02+01:00')
    expect(oslo(new Date('2026-03-29T00:59:59Z')).hourly).toBe('2026-03-29T01+01:00')
    expect(oslo(new Date('2026-03-29T01:00:00Z')).hourly).toBe('2026-03-29T03+02:00')
  })

  it('never go back as time goes on, in any zone', () => {
    const zones = [
      'UTC',
      'Europe/Oslo',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Africa/Casablanca',
    ]
    const time = fc.date({ min: new Date('1975-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        time,
        fc.integer({ min: 0, max: 40 * 24 * 3_600_000 }),
        (zone, a, later) => {
          const names = periodNames(zone)
          const first = names(a)
          const second = names(new Date(a.getTime() + later))
          for (const period of ['daily', 'weekly', 'monthly', 'yearly'] as const) {
            expect(first[period] <= second[period]).toBe(true)
          }
          if (later >= 2 * 3_600_000) expect(first.hourly).not.toBe(second.hourly)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
