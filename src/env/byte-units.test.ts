import { expect, it } from 'vitest'
import { bytesOf } from './byte-units.js'

it.each([
  ['10MB', 10_000_000],
  ['512 KiB', 524_288],
  ['1.5gb', 1_500_000_000],
  ['999999B', 999_999],
])('%s are %i bytes', (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes)
  expect(bytesOf(`${text}/s`, '/s')).toBe(bytes)
})

it.each(['', '10', '0MB', '-1MB', '10MB/s', '10 MBs', '1e9B', '10TB'])('%s is no number of bytes', (text) => {
  expect(bytesOf(text)).toBeUndefined()
})

it('a number of bytes is no rate', () => {
  expect(bytesOf('10MB', '/s')).toBeUndefined()
})
