import { expect, it } from 'vitest'
import { didYouMean, nearestName } from './nearest.js'

const known = ['exclude', 'excludeData', 'schemas', 'host', 'port']

it.each([
  ['exlude', 'exclude'],
  ['exclude-data', 'excludeData'],
  ['Schemas', 'schemas'],
  ['hsot', 'host'],
  ['pot', 'port'],
  ['wibble', undefined],
  ['', undefined],
])('%s is %s', (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest)
})

it('is a piece of a message', () => {
  expect(didYouMean('exlude', known)).toBe('; did you mean exclude')
  expect(didYouMean('wibble', known)).toBe('')
})
