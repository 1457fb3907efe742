import { expect, it } from 'vitest'
import { selectTables } from './selection.js'

const tables = [
  { schema: 'public', name: 'users' },
  { schema: 'public', name: 'user_sessions' },
  { schema: 'audit', name: 'log' },
  { schema: 'audit', name: 'we.ird*[name]' },
  { name: '-/dash-ed\n' },
]
const names = (patterns: string[], allowMissing = false) =>
  selectTables(patterns, tables, 'exclude', allowMissing).map(({ name }) => name)

it('takes names, names with a schema, and * for any characters', () => {
  expect(names(['users'])).toEqual(['users'])
  expect(names(['user*'])).toEqual(['users', 'user_sessions'])
  expect(names(['audit.*'])).toEqual(['log', 'we.ird*[name]'])
  expect(names(['*log', 'users'])).toEqual(['users', 'log'])
  expect(names(['we.ird*[name]'])).toEqual(['we.ird*[name]'])
})

it('takes any character of a name as it is', () => {
  expect(names(['-/dash-ed\n'])).toEqual(['-/dash-ed\n'])
  expect(names(['-*ed*'])).toEqual(['-/dash-ed\n'])
})

it('a pattern that matches nothing is an error that names it, unless allowed', () => {
  expect(() => names(['users', 'usres', 'x*'])).toThrowError(
    expect.objectContaining({
      code: 'usage.pattern-unmatched',
      message: 'exclude matches no table: usres, x*',
    }),
  )
  expect(names(['users', 'usres'], true)).toEqual(['users'])
})

it('takes nothing else for a wildcard', () => {
  expect(() => names(['user.'])).toThrow()
  expect(() => names(['u?ers'])).toThrow()
})
