import { command, commandsOf, type DocumentedCommand } from '../command.js'
import { renderCommandHelp, renderGroup, renderOverview } from '../help.js'
import { unknownCommand } from '../usage-error.js'

/** @param all every command, this one too: asked for when it is run */
export function help(all: () => readonly DocumentedCommand[]): DocumentedCommand {
  return command<Record<never, never>, readonly string[]>({
    name: 'help',
    brief: 'explain a command',
    description: ['Explains a command, or lists all of them.'],
    examples: [
      { line: 'holdfast help', meaning: 'all commands' },
      { line: 'holdfast help restore', meaning: 'one of them' },
      { line: 'holdfast help files', meaning: 'those of a group' },
      { line: 'holdfast help files backup', meaning: 'one of two words' },
    ],
    parameters: {
      positional: {
        kind: 'array',
        parameter: { brief: 'name of a command', placeholder: 'command', parse: String },
      },
    },
    run(_flags, ...words) {
      const { terminal } = this.reporter
      const name = words.join(' ')
      if (name === '') {
        terminal.result(renderOverview(all(), terminal.style, terminal.columns))
        return
      }
      const group = commandsOf(name, all())
      if (group.length > 0) {
        terminal.result(renderGroup(name, group, terminal.style, terminal.columns))
        return
      }
      const found = all().find((each) => each.name === name)
      if (found === undefined) throw unknownCommand(name, all())
      terminal.result(renderCommandHelp(found, terminal.style, terminal.columns))
    },
  })
}
