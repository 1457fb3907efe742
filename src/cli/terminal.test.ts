import { describe, expect, it } from 'vitest'
import { Recorder } from './fixture.js'
import { printable, printableLines, Terminal } from './terminal.js'

const escape = String.fromCharCode(27)

function terminal(isTTY: boolean, variables: Record<string, string> = {}, noColor = false) {
  const machine = { stdout: new Recorder(isTTY), stderr: new Recorder(isTTY) }
  return { ...machine, terminal: new Terminal(machine, { noColor, variables }) }
}

describe('colours', () => {
  it.each([
    ['on a terminal', true, {}, false, true],
    ['not in a pipe', false, {}, false, false],
    ['in a pipe where forced', false, { FORCE_COLOR: '1' }, false, true],
    ['not with NO_COLOR', true, { NO_COLOR: '1' }, false, false],
    ['with an empty NO_COLOR', true, { NO_COLOR: '' }, false, true],
    ['not with NO_COLOR, forced or not', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false, false],
    ['not with --no-color', true, {}, true, false],
    ['not on a dumb terminal', true, { TERM: 'dumb' }, false, false],
  ] as const)('%s', (_title, isTTY, variables, noColor, coloured) => {
    const { terminal: shown } = terminal(isTTY, variables, noColor)
    expect(shown.style('red', 'x') !== 'x').toBe(coloured)
    expect(shown.noteStyle('red', 'x') !== 'x').toBe(coloured)
  })
})

describe('the status line', () => {
  it('goes while something else is written, and comes back below it', () => {
    const { terminal: shown, stderr, stdout } = terminal(true)
    shown.status('50 %')
    shown.note('warning')
    expect(stderr.text).toBe(`\r50 %${escape}[K\r${escape}[Kwarning\n\r50 %${escape}[K`)
    shown.status('')
    shown.result('done')
    expect(stdout.text).toBe('done\n')
    expect(stderr.text.endsWith(`\r${escape}[K`)).toBe(true)
  })

  it('is not there without a terminal', () => {
    const { terminal: shown, stderr } = terminal(false)
    shown.status('50 %')
    expect(stderr.text).toBe('')
  })
})

describe('texts from elsewhere', () => {
  it.each([
    [`${escape}[2Jgone`, '\\u{1b}[2Jgone'],
    ['two\nlines', 'two\\nlines'],
    ['right\u202eleft', 'right\\u{202e}left'],
    ['c1\u009b31m', 'c1\\u{9b}31m'],
    ['täble 表 🎉', 'täble 表 🎉'],
  ])('%j cannot move the cursor', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('may have lines where lines are shown', () => {
    expect(printableLines(`a\nb${escape}`)).toBe('a\nb\\u{1b}')
  })
})
