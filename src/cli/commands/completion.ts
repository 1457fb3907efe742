import { command } from '../command.js'
import { completionScripts, type Shell } from '../completion.js'

const shells = Object.keys(completionScripts) as readonly Shell[]

export const completion = command<Record<never, never>, [shell: Shell]>({
  name: 'completion',
  brief: 'print a script that completes commands in your shell',
  description: [
    'Prints a script for bash, zsh or fish. It completes commands, options, and the names of databases and storages.',
  ],
  examples: [
    { line: 'eval "$(holdfast completion bash)"', meaning: 'in ~/.bashrc' },
    { line: 'eval "$(holdfast completion zsh)"', meaning: 'in ~/.zshrc, after compinit' },
    { line: 'holdfast completion fish | source', meaning: 'in ~/.config/fish/config.fish' },
  ],
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: shells.join(', '), placeholder: 'shell', parse: parseShell }],
    },
  },
  run(_flags, shell) {
    this.reporter.terminal.result(completionScripts[shell])
  },
})

function parseShell(text: string): Shell {
  const shell = shells.find((each) => each === text)
  if (shell === undefined) throw new Error(`${text} is none of ${shells.join(', ')}`)
  return shell
}
