import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
 * A call of a program that is a part of this package, run by the Node that runs us. From source, as in tests, it is run through the
 * loader that also reads configurations written in TypeScript.
 * @param source its main file in the sources, as a URL relative to the caller's
 * @param built where the same file lies in the package
 */
export function ownProgramCall(
  source: URL,
  built: readonly string[],
  name: string,
  input: unknown,
): ToolCall {
  const require = createRequire(import.meta.url)
  const besides = (module: string, ...path: string[]) =>
    join(dirname(require.resolve(`${module}/package.json`)), ...path)
  const file = import.meta.url.endsWith('.ts')
    ? [besides('jiti', 'lib', 'jiti-cli.mjs'), fileURLToPath(source)]
    : [besides('holdfast', ...built)]
  // Options for this process, such as a debugger's port, are not for the program.
  return {
    program: process.execPath,
    args: [...file, name, JSON.stringify(input)],
    env: { NODE_OPTIONS: '' },
  }
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
