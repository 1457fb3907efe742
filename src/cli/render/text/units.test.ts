import { counted } from '../../../env/counted.js'
import { describe, expect, it } from 'vitest'
import { humanBytes, humanSeconds, localTime, relativeAge } from './units.js'

describe('units', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [10 * 1024, '10.0 KiB'],
    [480 * 1024 ** 2, '480 MiB'],
    [1024 ** 2 - 1, '1.00 MiB'],
    [1024 ** 3, '1.00 GiB'],
    [5.5 * 1024 ** 4, '5.50 TiB'],
    [2000 * 1024 ** 5, '2000 PiB'],
  ])('%d bytes', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text)
  })

  it.each([
    [-1, '0.0 s'],
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min 0 s'],
    [200, '3 min 20 s'],
    [7500, '2 h 5 min'],
  ])('%d seconds', (seconds, text) => {
    expect(humanSeconds(seconds)).toBe(text)
  })

  it.each([
    [10, 'just now'],
    [60, '1 minute ago'],
    [2 * 3600 + 59 * 60, '2 hours ago'],
    [86_400, '1 day ago'],
    [13 * 86_400, '1 week ago'],
    [70 * 86_400, '2 months ago'],
    [800 * 86_400, '2 years ago'],
    [-200, 'in 3 minutes'],
  ])('%d seconds ago', (seconds, text) => {
    const now = new Date('2026-11-20T12:00:00Z')
    expect(relativeAge(new Date(now.getTime() - seconds * 1000), now)).toBe(text)
  })

  it('times are those of this machine', () => {
    expect(localTime(new Date(2026, 0, 2, 3, 4))).toBe('2026-01-02 03:04')
  })

  it('counts', () => {
    expect([counted(1, 'backup'), counted(2, 'backup'), counted(0, 'copy', 'copies')]).toEqual([
      '1 backup',
      '2 backups',
      '0 copies',
    ])
  })
})
