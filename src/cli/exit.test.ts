import { describe, expect, it } from 'vitest'
import { HoldfastError, type ErrorCode } from '../errors.js'
import { exitOfChecks, exitOfDrills, exitOfOutcomes } from './exit.js'

const done = { ok: true } as const
const failed = (code: ErrorCode) => ({ ok: false, error: new HoldfastError(code, 'x') }) as const

describe('several outcomes', () => {
  it.each([
    [[], 0],
    [[done, done], 0],
    [[done, failed('database.unreachable')], 3],
    [[{ ...failed('backup.partial'), partial: {} }], 3],
    [[{ ...failed('backup.partial'), partial: {} }, failed('database.unreachable')], 3],
    [[failed('database.unreachable')], 4],
    [[failed('database.unreachable'), failed('database.not-found')], 4],
    [[failed('database.unreachable'), failed('tool.missing')], 1],
  ])('%#', (outcomes, code) => {
    expect(exitOfOutcomes(outcomes)).toBe(code)
  })
})

describe('checks', () => {
  const error = (code: ErrorCode) => new HoldfastError(code, 'x')
  it.each([
    [[], 0],
    [[error('storage.denied')], 6],
    [[error('storage.denied'), error('integrity.checksum')], 7],
    [[error('storage.denied'), error('tool.missing')], 1],
    [[undefined], 1],
  ])('%#', (errors, code) => {
    expect(exitOfChecks(errors)).toBe(code)
  })
})

describe('drills', () => {
  it.each([
    [[done, done], 0],
    [[failed('integrity.differs')], 7],
    [[done, failed('drill.check-failed'), failed('tool.missing')], 7],
    [[done, failed('tool.version-missing')], 3],
    [[failed('tool.version-missing'), failed('tool.missing')], 5],
    [[failed('key.missing'), failed('tool.missing')], 1],
  ])('%#', (results, code) => {
    expect(exitOfDrills(results)).toBe(code)
  })
})
