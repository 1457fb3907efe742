import { run as runApplication } from '@stricli/core'
import type { Readable, Writable } from 'node:stream'
import type { Env } from '../env/env.js'
import { HoldfastError } from '../errors.js'
import { application, commands } from './application.js'
import { commandsOf, type CommandLine, type DocumentedCommand } from './command.js'
import { complete } from './completion.js'
import { splitGlobalFlags, type GlobalFlags } from './global-flags.js'
import { renderCommandHelp, renderGroup, renderOverview } from './help.js'
import { ProgressDisplay } from './progress.js'
import { Reporter } from './reporter.js'
import { stopOnSignals, type SignalSource } from './signals.js'
import { printable, Terminal, type TextStream } from './terminal.js'
import { unknownCommand, usageError } from './usage-error.js'

/** What the command line runs in: the process, or what a test puts in its place. */
export interface CommandMachine {
  readonly env: Env
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & TextStream
  readonly stderr: Writable & TextStream
  readonly signals: SignalSource
  /** Ends the process at once. */
  exitNow(code: number): void
}

/** Runs one command. @returns the exit code */
export async function run(argv: readonly string[], machine: CommandMachine): Promise<number> {
  if (argv[0] === '__complete') return completeWords(argv.slice(1), machine)
  const { globals, rest, error } = splitGlobalFlags(argv)
  const terminal = new Terminal(machine, { noColor: globals.noColor, variables: machine.env.variables })
  const progress = new ProgressDisplay(terminal, globals.progress, globals.quiet)
  const reporter = new Reporter(terminal, progress, globals)
  const [name, ...words] = commandWords(rest)
  try {
    if (error !== undefined) throw error
    if (name === undefined) terminal.result(renderOverview(commands, terminal.style, terminal.columns))
    else if (globals.help && commandsOf(name, commands).length > 0)
      terminal.result(renderGroup(name, commandsOf(name, commands), terminal.style, terminal.columns))
    else {
      const command = commandNamed(name)
      if (globals.help) terminal.result(renderCommandHelp(command, terminal.style, terminal.columns))
      else await runCommand(command, words, commandLine(machine, globals, reporter))
    }
  } catch (thrown) {
    reporter.fatal(name, thrown)
  }
  return reporter.exitCode
}

/** The command's name first: `files backup` is one. */
function commandWords(rest: readonly string[]): readonly string[] {
  const [first, second, ...others] = rest
  if (first === '--version') return ['version', ...rest.slice(1)]
  const isGroup = first !== undefined && commandsOf(first, commands).length > 0
  return isGroup && second !== undefined ? [`${first} ${second}`, ...others] : rest
}

function commandNamed(name: string): DocumentedCommand {
  const command = commands.find((each) => each.name === name)
  if (command !== undefined) return command
  const inGroup = commandsOf(name, commands)
  if (inGroup.length > 0)
    throw new HoldfastError('usage.invalid', `${name} what? ${inGroup.map((each) => each.name).join(', ')}`, {
      hint: `see holdfast help ${name}`,
    })
  if (!name.startsWith('-')) throw unknownCommand(name, commands)
  throw new HoldfastError(
    'usage.invalid',
    `${name} stands before the command and is no option of every command`,
    {
      hint: 'see holdfast help',
    },
  )
}

function commandLine(machine: CommandMachine, globals: GlobalFlags, reporter: Reporter): CommandLine {
  const { env, stdin, stdout, stderr } = machine
  const stopping = stopOnSignals(
    machine.signals,
    (code) => machine.exitNow(code),
    ({ message }) => reporter.note((style) => style('dim', `${message}: cleaning up; again to stop at once`)),
  )
  return {
    process: { stdout, stderr: silent },
    env,
    globals,
    reporter,
    signal: stopping.signal,
    interrupt: (reason) => stopping.abort(reason),
    stdin,
    stdout,
    stderr,
  }
}

const silent: TextStream = { write: () => true }

/** @throws what the command threw, or what is wrong with its arguments */
async function runCommand(
  command: DocumentedCommand,
  words: readonly string[],
  cli: CommandLine,
): Promise<void> {
  const errors: unknown[] = []
  const failed = (error: unknown) => errors.push(error)
  await runApplication(application(failed), [command.name, ...words], cli)
  if (errors.length > 0) throw usageError(errors[0], command)
}

/** What a shell may put in place of the last word. */
async function completeWords(words: readonly string[], { env, stdout }: CommandMachine): Promise<number> {
  for (const proposal of await complete(words, env, commands)) stdout.write(`${printable(proposal)}\n`)
  return 0
}
