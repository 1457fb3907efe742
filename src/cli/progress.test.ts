import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ProgressEvent } from '../env/context.js'
import { Recorder } from './fixture.js'
import type { ProgressMode } from './global-flags.js'
import { ProgressDisplay } from './progress.js'
import { Terminal } from './terminal.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const event = (bytes: number, done = false): ProgressEvent => ({
  type: 'progress',
  subject: 'shop',
  phase: 'dump',
  bytes,
  totalBytes: 1000 * 1024 * 1024,
  ...(done ? { done } : {}),
})

/** 100 MiB a second, an event every 10 ms. */
function work(mode: ProgressMode, isTTY: boolean, quiet = false) {
  const stderr = new Recorder(isTTY)
  const terminal = new Terminal({ stdout: new Recorder(), stderr }, { noColor: true, variables: {} })
  const display = new ProgressDisplay(terminal, mode, quiet)
  for (let ms = 0; ms <= 9_000; ms += 10) {
    display.update(event((ms / 1000) * 100 * 1024 * 1024))
    vi.advanceTimersByTime(10)
  }
  const during = stderr.text
  display.update(event(0, true))
  return { during, after: stderr.text }
}

describe('progress', () => {
  it('is one line on a terminal, redrawn ten times a second at most, and gone at the end', () => {
    const { during, after } = work('auto', true)
    const drawn = during.split('\r').filter((line) => line.includes('shop'))
    expect(drawn.length).toBeGreaterThan(50)
    expect(drawn.length).toBeLessThan(110)
    expect(drawn.at(-1)).toMatch(
      /^shop {2}backing up {2}━+─+ {2}(89|90) % {2}\d+ MiB of about 1000 MiB {2}100 MiB\/s {2}1\.\d s left/u,
    )
    expect(during).not.toContain('\n')
    expect(after.endsWith('\r\u001b[K')).toBe(true)
  })

  it('is nothing in a pipe, nor with --quiet or never', () => {
    expect(work('auto', false).after).toBe('')
    expect(work('auto', true, true).after).toBe('')
    expect(work('never', true).after).toBe('')
  })

  it('is a line every five seconds in a pipe with always', () => {
    const lines = work('always', false).after.trimEnd().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^shop: backing up, (?:49|50) %, \d+ MiB of about 1000 MiB, [\d.]+ MiB\/s, 5\.0 s left$/u,
    )
  })

  it('shows a rate that falls while nothing moves', () => {
    const stderr = new Recorder(true)
    const terminal = new Terminal({ stdout: new Recorder(), stderr }, { noColor: true, variables: {} })
    const display = new ProgressDisplay(terminal, 'auto', false)
    display.update(event(0))
    vi.advanceTimersByTime(1_000)
    display.update(event(500 * 1024 * 1024))
    vi.advanceTimersByTime(20_000)
    expect(stderr.text.split('\r').at(-1)).toContain('0 B/s')
    display.clear()
  })
})
