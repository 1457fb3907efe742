import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { stopOnSignals } from './signals.js'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

function listening() {
  const source = new EventEmitter()
  const exits: number[] = []
  const notices: string[] = []
  const controller = stopOnSignals(
    source,
    (code) => exits.push(code),
    ({ message }) => notices.push(message),
  )
  return { source, exits, notices, signal: controller.signal }
}

it.each([
  ['SIGINT', 'interrupted.sigint', 130],
  ['SIGTERM', 'interrupted.sigterm', 143],
  ['SIGHUP', 'interrupted.sigterm', 143],
])('%s asks to stop; a second one ends at once', (name, code, exit) => {
  const { source, exits, notices, signal } = listening()
  source.emit(name)
  expect(signal.reason).toMatchObject({ code, exit })
  expect([exits, notices.length]).toEqual([[], 1])
  vi.advanceTimersByTime(1_000)
  source.emit(name)
  expect([exits, notices.length]).toEqual([[exit], 1])
})

it('one Ctrl-C that npm hands on as well is one', () => {
  const { source, exits } = listening()
  source.emit('SIGINT')
  vi.advanceTimersByTime(100)
  source.emit('SIGINT')
  expect(exits).toEqual([])
})
