import { createHash } from 'node:crypto'
import type { Env } from '../env/env.js'
import { nodeEnv } from '../env/node-env.js'

export interface FakeEnv extends Env {
  /** Sets the clock; it stands still until it is set again. */
  setTime(time: Date | string): void
  advance(ms: number): void
}

export type FakeEnvOverrides = Partial<Omit<Env, 'clock' | 'randomBytes'>> & {
  /** What the clock shows at first. Default: 2026-03-15T12:00:00Z. */
  readonly time?: Date | string
  /** Another seed, other random bytes. */
  readonly seed?: string
}

/**
 * A machine for tests: its clock is set by hand, its random bytes are the same in every run, it has only the variables it is
 * given. Its temporary folders are real.
 *
 * @example
 * const env = fakeEnv({ time: '2026-10-25T00:30:00Z', variables: { DATABASE_URL: 'sqlite:./app.db' } })
 * env.advance(60_000)
 */
export function fakeEnv({
  time = '2026-03-15T12:00:00Z',
  seed = '',
  ...overrides
}: FakeEnvOverrides = {}): FakeEnv {
  const real = nodeEnv()
  let now = new Date(time)
  let drawn = 0
  return {
    variables: {},
    platform: real.platform,
    hostName: 'test-host',
    workingDirectory: real.workingDirectory,
    homeDirectory: real.homeDirectory,
    cores: 2,
    temporaryDirectory: () => real.temporaryDirectory(),
    ...overrides,
    clock: { now: () => new Date(now) },
    randomBytes(length) {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
        createHash('sha256').update(`${seed}:${drawn++}`).digest(),
      )
      return Buffer.concat(blocks).subarray(0, length)
    },
    setTime(next) {
      now = new Date(next)
    },
    advance(ms) {
      now = new Date(now.getTime() + ms)
    },
  }
}
