import { expect, it } from 'vitest'
import { formatDatetime, numberedFilename, renderFilename } from './filename.js'

const facts = {
  database: 'shop',
  server: 'web1',
  datetime: '2026-11-20-130102',
  engine: 'postgresql',
  extension: 'dump',
}

it('fills a template in', () => {
  expect(renderFilename('{database}-{server}-{datetime}.{extension}', facts)).toBe(
    'shop-web1-2026-11-20-130102.dump',
  )
  expect(renderFilename('fixed', facts)).toBe('fixed')
  expect(renderFilename(({ engine }) => `${engine}.bin`, facts)).toBe('postgresql.bin')
})

it('refuses an empty name', () => {
  expect(() => renderFilename(() => ' ', facts)).toThrowError(
    expect.objectContaining({ code: 'config.invalid' }),
  )
})

it('writes times in UTC, whatever the local zone', () => {
  const time = new Date('2026-03-29T01:30:05.007Z')
  expect(formatDatetime(time, 'YYYY-MM-DD-HHmmss')).toBe('2026-03-29-013005')
  expect(formatDatetime(time, 'DD.MM.YYYY HH:mm:ss.SSS')).toBe('29.03.2026 01:30:05.007')
})

it('numbers a name before its endings', () => {
  expect(numberedFilename('shop.dump.zst', 1)).toBe('shop.dump.zst')
  expect(numberedFilename('shop.dump.zst', 2)).toBe('shop-2.dump.zst')
  expect(numberedFilename('shop', 3)).toBe('shop-3')
  expect(numberedFilename('.hidden', 2)).toBe('.hidden-2')
})
