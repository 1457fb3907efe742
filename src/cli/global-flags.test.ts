import { describe, expect, it } from 'vitest'
import { nearestFlag, splitGlobalFlags } from './global-flags.js'

const none = { json: false, quiet: false, verbose: false, progress: 'auto', noColor: false, help: false }

describe('global flags', () => {
  it.each([
    [['backup', '--json'], { ...none, json: true }, ['backup']],
    [['--json', 'backup', 'shop'], { ...none, json: true }, ['backup', 'shop']],
    [['-qv', 'list'], { ...none, quiet: true, verbose: true }, ['list']],
    [['backup', '--config', 'a.ts', 'x'], { ...none, config: 'a.ts' }, ['backup', 'x']],
    [['--config=a.ts', 'backup'], { ...none, config: 'a.ts' }, ['backup']],
    [['list', '--no-color', '--progress', 'never'], { ...none, noColor: true, progress: 'never' }, ['list']],
    [['list', '-h'], { ...none, help: true }, ['list']],
    [['backup', '--', '--json', '-q'], none, ['backup', '--', '--json', '-q']],
    [['backup', '-o', '-'], none, ['backup', '-o', '-']],
    [['backup', '-qo', 'x'], none, ['backup', '-qo', 'x']],
    [[], none, []],
  ] as const)('%j', (argv, globals, rest) => {
    expect(splitGlobalFlags(argv)).toEqual({ globals, rest })
  })

  it.each([
    [['--config'], '--config needs FILE'],
    [['--config', '--json'], '--config needs FILE'],
    [['--config='], '--config needs FILE'],
    [['--progress', 'maybe'], '--progress is auto, always, never, not maybe'],
    [['--json=yes'], '--json takes no value'],
  ])('%j is an error', (argv, message) => {
    const { error } = splitGlobalFlags(['list', ...argv])
    expect(error).toMatchObject({ code: 'usage.invalid', message })
  })

  it('know --json also where another flag is wrong', () => {
    expect(splitGlobalFlags(['--progress', 'maybe', '--json']).globals.json).toBe(true)
  })
})

it('the nearest flag is a global one too', () => {
  expect(nearestFlag('jsn', ['storage'])).toBe('json')
  expect(nearestFlag('storge', ['storage'])).toBe('storage')
  expect(nearestFlag('wibble', ['storage'])).toBeUndefined()
})
