import { describe, expect, it } from 'vitest'
import { parseDate } from './flags.js'

const now = new Date('2026-11-28T06:00:00Z')

describe('dates', () => {
  it('a day begins here', () => {
    expect(parseDate('2026-11-20', now)).toEqual(new Date(2026, 10, 20))
  })

  it.each([
    ['2026-11-20T13:00:00Z', Date.UTC(2026, 10, 20, 13)],
    ['2026-11-20T13:00', new Date(2026, 10, 20, 13).getTime()],
    ['2026-11-20 13:00', new Date(2026, 10, 20, 13).getTime()],
    ['2026-11-20T13:00:00+02:00', Date.UTC(2026, 10, 20, 11)],
    ['7d', Date.UTC(2026, 10, 21, 6)],
    ['36h', Date.UTC(2026, 10, 26, 18)],
    ['2w', Date.UTC(2026, 10, 14, 6)],
  ])('%s', (text, time) => {
    expect(parseDate(text, now).getTime()).toBe(time)
  })

  it.each(['yesterday', '2026', '20.11.2026', '2026-13-01', '2026-11-20Tnoon', '7', '7y', '-7d', ''])(
    '%j is none',
    (text) => {
      expect(() => parseDate(text, now)).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
    },
  )
})
