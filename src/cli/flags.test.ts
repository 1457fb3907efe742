import { describe, expect, it } from 'vitest'
import { parseDate } from './flags.js'

describe('dates', () => {
  it('a day begins here', () => {
    expect(parseDate('2026-11-20')).toEqual(new Date(2026, 10, 20))
  })

  it.each([
    ['2026-11-20T13:00:00Z', Date.UTC(2026, 10, 20, 13)],
    ['2026-11-20T13:00', new Date(2026, 10, 20, 13).getTime()],
    ['2026-11-20 13:00', new Date(2026, 10, 20, 13).getTime()],
    ['2026-11-20T13:00:00+02:00', Date.UTC(2026, 10, 20, 11)],
  ])('%s', (text, time) => {
    expect(parseDate(text).getTime()).toBe(time)
  })

  it.each(['yesterday', '2026', '20.11.2026', '2026-13-01', '2026-11-20Tnoon', ''])('%j is none', (text) => {
    expect(() => parseDate(text)).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
  })
})
