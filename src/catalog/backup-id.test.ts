import { expect, it } from 'vitest'
import { nodeEnv } from '../env/node-env.js'
import { newBackupId } from './backup-id.js'

it('is the time and random characters, and sorts by time', () => {
  const at = (time: string) => newBackupId({ ...nodeEnv(), clock: { now: () => new Date(time) } })
  expect(at('2026-11-20T13:01:02.345Z')).toMatch(/^20261120T130102345Z-[0-9a-z]{6}$/u)
  const ids = [
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.001Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z',
  ].map(at)
  expect([...ids].sort()).toEqual(ids)
})

it('FAILURES 13: differs for many runs in the same millisecond', () => {
  const env = { ...nodeEnv(), clock: { now: () => new Date('2026-11-20T13:01:02.345Z') } }
  expect(new Set(Array.from({ length: 1000 }, () => newBackupId(env))).size).toBe(1000)
})
