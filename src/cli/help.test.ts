import { describe, expect, it } from 'vitest'
import { commands } from './application.js'
import { commandsOf, flagName } from './command.js'
import { globalFlags } from './global-flags.js'
import { renderCommandHelp, renderGroup, renderOverview } from './help.js'
import type { Style } from './terminal.js'

const plain: Style = (_look, text) => text

it('the overview names every command and every global flag, and fits a terminal of 80 columns', () => {
  const text = renderOverview(commands, plain, 80)
  for (const { name, brief } of commands.filter((each) => !each.name.startsWith('dev ')))
    expect(text).toMatch(new RegExp(`^  ${name} +${brief.slice(0, 30)}`, 'mu'))
  expect(text).toMatch(/^ {2}dev … +\S.*holdfast help dev$/mu)
  for (const { name } of globalFlags) expect(text).toContain(`--${name}`)
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
})

it.each(['files', 'dev'])(
  'help of %s names the commands that begin with it, and fits 80 columns',
  (group) => {
    const own = commandsOf(group, commands)
    const text = renderGroup(group, own, plain, 80)
    expect(text).toMatch(new RegExp(`^holdfast ${group}  \\S`, 'u'))
    expect(own.length).toBeGreaterThan(1)
    for (const { name, brief } of own)
      expect(text).toMatch(new RegExp(`^  ${name} +${brief.slice(0, 30)}`, 'mu'))
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  },
)

describe.each(commands.map((command) => [command.name, command] as const))('help of %s', (_name, command) => {
  const text = renderCommandHelp(command, plain, 80)

  it('explains every flag and argument', () => {
    for (const [key, { brief }] of Object.entries(command.flags)) {
      expect(text).toMatch(new RegExp(`--(?:\\[no-\\])?${flagName(key)}\\b`, 'u'))
      expect(brief).not.toMatch(/^[A-Z]|\.$/u)
    }
    for (const { placeholder = '' } of command.positional) expect(text).toContain(placeholder)
  })

  it('has two examples or more, of commands and flags that exist', () => {
    expect(command.examples.length).toBeGreaterThanOrEqual(2)
    const flags = [
      ...Object.keys(command.flags).map(flagName),
      ...globalFlags.map(({ name }) => name),
      'version',
    ]
    for (const { line } of command.examples) {
      expect(line).toContain('holdfast ')
      const own = (line.split('holdfast ')[1] ?? '').split(' | ')[0] ?? ''
      for (const [, name = ''] of own.matchAll(/--([a-z-]+)/gu)) {
        expect(flags.flatMap((flag) => [flag, `no-${flag}`])).toContain(name)
      }
    }
  })

  it('options fit a terminal of 60 columns', () => {
    const [, options = ''] = renderCommandHelp(command, plain, 60).split(/^Options/mu, 2)
    expect(options.split('\n').filter((line) => line.length > 60)).toEqual([])
  })

  it('fits a terminal of 80 columns', () => {
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
