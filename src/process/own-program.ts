import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { asHoldfastError, HoldfastError, type ErrorCode } from '../errors.js'
import type { ToolCall, ToolReport } from './tool.js'

/** A line that a program of Holdfast's own says on stderr. Anything else there is not the program's own. */
export type ProgramLine =
  | { readonly warning: string }
  | {
      readonly error: {
        readonly code: ErrorCode
        readonly message: string
        readonly hint: string
        readonly details?: Readonly<Record<string, unknown>>
      }
    }

/**
 * A call of a program that is a part of this package, run by the Node that runs us. From source, as in tests, it is the built one as
 * well: the set-up of the tests builds what is older than its source.
 * @param built where its main file lies in the package
 */
export function ownProgramCall(built: readonly string[], name: string, input: unknown): ToolCall {
  // Options for this process, such as a debugger's port, are not for the program.
  return {
    program: process.execPath,
    args: [ownFile(built), name, JSON.stringify(input)],
    env: { NODE_OPTIONS: '' },
  }
}

/** The path of a file of the built package. */
export function ownFile(built: readonly string[]): string {
  return join(dirname(createRequire(import.meta.url).resolve('holdfast/package.json')), ...built)
}

/** The lines that are the program's own. */
export function programLines<Line extends object = ProgramLine>(messages: ToolReport['messages']): Line[] {
  return messages.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as Line)
}

export function programWarnings(messages: ToolReport['messages']): string[] {
  return programLines(messages).flatMap((line) => ('warning' in line ? [line.warning] : []))
}

/** The error that the program has said, where it has ended with one; otherwise the error as it is. */
export function programError(thrown: unknown): HoldfastError {
  const error = asHoldfastError(thrown)
  const { messages } = error.details
  if (error.code !== 'tool.failed' || !Array.isArray(messages)) return error
  const said = programLines(messages as string[]).find((line) => 'error' in line)
  return said === undefined
    ? error
    : new HoldfastError(said.error.code, said.error.message, {
        cause: error,
        hint: said.error.hint,
        ...(said.error.details === undefined ? {} : { details: said.error.details }),
      })
}
