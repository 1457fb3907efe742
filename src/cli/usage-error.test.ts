import { describe, expect, it } from 'vitest'
import { machine } from '../config/fixture.js'
import { runHere } from './fixture.js'

describe('a wrong command line', () => {
  it.each([
    [['bakcup'], 'there is no command bakcup; did you mean backup', 'see holdfast help'],
    [['wibble'], 'there is no command wibble', 'see holdfast help'],
    [['help', 'lst'], 'there is no command lst; did you mean list', 'see holdfast help'],
    [
      ['--exclude', 'x', 'backup'],
      '--exclude stands before the command and is no option of every command',
      'see holdfast help',
    ],
    [
      ['backup', '--exlude', 'x'],
      'backup has no option --exlude; did you mean --exclude',
      'see holdfast help backup',
    ],
    [['list', '--jsn'], 'list has no option --jsn; did you mean --json', 'see holdfast help list'],
    [['backup', '-x'], 'backup has no option -x', 'see holdfast help backup'],
    [['backup', '--storage'], '--storage needs a value', 'see holdfast help backup'],
    [
      ['restore', '--storage', 'a', '--storage', 'b'],
      '--storage is given twice: a and b',
      'see holdfast help restore',
    ],
    [['restore', 'a', 'b'], 'restore takes one argument; b is too many', 'see holdfast help restore'],
    [['list', 'a'], 'list takes no argument; there is a', 'see holdfast help list'],
    [
      ['restore', '--clean', 'all'],
      '--clean is none, objects, database, not all',
      'see holdfast help restore',
    ],
    [
      ['list', '--since', 'noon'],
      '--since: noon is not a date such as 2026-11-20 or 2026-11-20T13:00, nor an age such as 12h, 7d or 2w',
      'see holdfast help list',
    ],
    [['completion', 'tcsh'], '--shell: tcsh is none of bash, zsh, fish', 'see holdfast help completion'],
    [['completion'], 'completion needs shell', 'see holdfast help completion'],
  ])('%j', async (argv, message, hint) => {
    const env = await machine()
    const text = await runHere(argv, env)
    expect(text).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: ${message} [usage.invalid]\nhint: ${hint}\n`,
    })
    const json = await runHere([...argv, '--json'], env)
    expect(json).toMatchObject({ code: 2, stderr: '' })
    expect(JSON.parse(json.stdout)).toMatchObject({
      holdfast: 1,
      error: { code: 'usage.invalid', message, hint, exit: 2 },
    })
  })
})
