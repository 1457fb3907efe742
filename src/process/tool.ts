import type { Account } from '../env/account.js'
import type { Secret } from '../env/secret.js'

/** A program to run: words, never a line for a shell. */
export interface ToolCall {
  /** The program, by path or by a name to look up in PATH. */
  readonly program: string
  readonly args: readonly string[]
  /** `program` is a line for the system's shell, and there are no words: only for lines that the user has configured as such. */
  readonly shell?: boolean
  /** It writes its output in small pieces where nobody gives it a larger buffer. */
  readonly smallWrites?: true
  /** Added to, or with `inheritEnv: false` used with PATH instead of, this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Default true. */
  readonly inheritEnv?: boolean
  readonly workingDirectory?: string
  /** Runs as this account, which only root may ask for. */
  readonly account?: Account
  /** Replaced by `***` wherever the program's messages are shown. */
  readonly secrets?: readonly Secret[]
  /** Longest time without the program ending, in milliseconds; none by default. */
  readonly timeoutMs?: number
}

/** What a program that ended with status 0 said on stderr, a line each; at most the first and last 500 lines. */
export interface ToolReport {
  readonly messages: readonly string[]
}

/** The program and arguments with the user's prefix and suffix around them. */
export function withPrefixAndSuffix(
  command: readonly string[],
  args: readonly string[],
  prefix: readonly string[],
  suffix: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  const [program, ...rest] = [...prefix, ...command, ...args, ...suffix]
  if (program === undefined) throw new TypeError('a command has at least one word')
  return { program, args: rest }
}
