import { buildCommand, type Command, type CommandContext, type TypedCommandParameters } from '@stricli/core'
import type { Readable, Writable } from 'node:stream'
import type { Env } from '../env/env.js'
import type { HoldfastError } from '../errors.js'
import type { GlobalFlags } from './global-flags.js'
import type { Reporter } from './reporter.js'

/** What a command finds as `this`. */
export interface CommandLine extends CommandContext {
  readonly env: Env
  readonly globals: GlobalFlags
  readonly reporter: Reporter
  /** Aborted by Ctrl-C and its like. */
  readonly signal: AbortSignal
  /** Does the same from within: Ctrl-C at a question comes as an answer. */
  interrupt(reason: HoldfastError): void
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** For bytes; text goes through the reporter. */
  readonly stdout: Writable & { readonly isTTY?: boolean }
  /** For prompts, which draw on it. */
  readonly stderr: Writable
}

export interface Example {
  readonly line: string
  readonly meaning: string
}

export interface CommandSpec<
  Flags extends Readonly<Partial<Record<keyof Flags, unknown>>>,
  Args extends readonly unknown[],
> {
  readonly name: string
  /** One line, for the list of commands. */
  readonly brief: string
  /** What a user should know, a paragraph an item. */
  readonly description: readonly string[]
  readonly examples: readonly Example[]
  readonly parameters: TypedCommandParameters<Flags, Args, CommandLine>
  readonly run: (this: CommandLine, flags: Flags, ...args: Args) => void | Promise<void>
}

/** A flag or argument as help shows it; what all kinds of them have in common. */
export interface ParameterDocs {
  readonly brief: string
  readonly placeholder?: string
  readonly kind?: string
  readonly variadic?: boolean | string
  readonly optional?: boolean
  readonly hidden?: boolean
  readonly values?: readonly string[]
  readonly withNegated?: boolean
}

export interface DocumentedCommand extends Pick<
  CommandSpec<never, never>,
  'name' | 'brief' | 'description' | 'examples'
> {
  readonly flags: Readonly<Record<string, ParameterDocs>>
  readonly letters: Readonly<Record<string, string>>
  readonly positional: readonly (ParameterDocs & { readonly many: boolean })[]
  readonly command: Command<CommandLine>
}

/** A command with what help tells of it. */
export function command<
  Flags extends Readonly<Partial<Record<keyof Flags, unknown>>>,
  Args extends readonly unknown[] = [],
>(spec: CommandSpec<Flags, Args>): DocumentedCommand {
  const { name, brief, description, examples, parameters, run } = spec
  // The parameters' own types differ with every command; help looks at what they share.
  const shown = parameters as {
    readonly flags?: Readonly<Record<string, ParameterDocs>>
    readonly aliases?: Readonly<Record<string, string>>
    readonly positional?:
      | { readonly kind: 'array'; readonly parameter: ParameterDocs }
      | { readonly kind: 'tuple'; readonly parameters: readonly ParameterDocs[] }
  }
  const { positional } = shown
  return {
    name,
    brief,
    description,
    examples,
    flags: shown.flags ?? {},
    letters: shown.aliases ?? {},
    positional:
      positional === undefined
        ? []
        : positional.kind === 'array'
          ? [{ ...positional.parameter, many: true }]
          : positional.parameters.map((each) => ({ ...each, many: false })),
    command: buildCommand<Flags, Args, CommandLine>({ parameters, docs: { brief }, func: run }),
  }
}

/** The commands of two words that begin with this one: `files` has `files backup`. */
export function commandsOf(
  group: string,
  commands: readonly DocumentedCommand[],
): readonly DocumentedCommand[] {
  return commands.filter(({ name }) => name.startsWith(`${group} `))
}

/** `excludeData` as it is typed: `exclude-data`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)
}
