import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { feedTool, readTool, runTool } from '../../process/run.js'
import type { ToolCall, ToolReport } from '../../process/tool.js'
import { connect } from '../../streams/connect.js'
import { guarded } from './guarded.js'
import { endOfSql, type CommandName, type Commands, type MessageLine } from './program/protocol.js'

/** Asks the SQLite program for something. @throws database.*, as the command says */
export async function ask<Name extends CommandName>(
  cx: Context,
  name: Name,
  input: Commands[Name]['input'],
): Promise<{ readonly answer: Commands[Name]['output']; readonly warnings: readonly string[] }> {
  try {
    const { stdout, messages } = await runTool(cx, programCall(name, input))
    return { answer: JSON.parse(stdout) as Commands[Name]['output'], warnings: warningsIn(messages) }
  } catch (error) {
    throw explained(error)
  }
}

/** The bytes that a command writes. A clean end means that it ended well. */
export function read<Name extends 'copy' | 'dump'>(
  cx: Context,
  name: Name,
  input: Commands[Name]['input'],
): { readonly bytes: Readable; readonly warnings: Promise<readonly string[]> } {
  const { stdout, finished } = readTool(cx, programCall(name, input))
  const warnings = finished.then(({ messages }) => warningsIn(messages))
  warnings.catch(() => undefined)
  return { bytes: guarded(stdout, { explain: explained }), warnings }
}

/** Gives SQL to the command `load`; resolves when it has been committed. @throws as the command, or the error of the SQL's stream */
export async function load(
  cx: Context,
  input: Commands['load']['input'],
  sql: Readable,
): Promise<readonly string[]> {
  const { stdin, finished } = feedTool(cx, programCall('load', input))
  const closing = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) => done(null, Buffer.of(endOfSql)),
  })
  try {
    await connect([sql, closing, stdin], cx.signal)
    return warningsIn((await finished).messages)
  } catch (error) {
    // Before the caller looks at the database, the program must be gone.
    await finished.catch(() => undefined)
    throw explained(error)
  }
}

/**
 * The program is a part of this package, run by the Node that runs us. From source, as in tests, it is run through the
 * loader that also reads configurations written in TypeScript.
 */
function programCall<Name extends CommandName>(name: Name, input: Commands[Name]['input']): ToolCall {
  const require = createRequire(import.meta.url)
  const besides = (module: string, ...path: string[]) =>
    join(dirname(require.resolve(`${module}/package.json`)), ...path)
  const file = import.meta.url.endsWith('.ts')
    ? [besides('jiti', 'lib', 'jiti-cli.mjs'), fileURLToPath(new URL('program/main.ts', import.meta.url))]
    : [besides('holdfast', 'dist', 'engines', 'sqlite', 'program', 'main.js')]
  // Options for this process, such as a debugger's port, are not for the program.
  return {
    program: process.execPath,
    args: [...file, name, JSON.stringify(input)],
    env: { NODE_OPTIONS: '' },
  }
}

function parsed(lines: readonly string[]): MessageLine[] {
  return lines.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as MessageLine)
}

function warningsIn(messages: ToolReport['messages']): string[] {
  return parsed(messages).flatMap((line) => ('warning' in line ? [line.warning] : []))
}

/** The error that the program has said, where it has ended with one. */
function explained(thrown: unknown): HoldfastError {
  const error = asHoldfastError(thrown)
  const { messages } = error.details
  if (error.code !== 'tool.failed' || !Array.isArray(messages)) return error
  const said = parsed(messages as string[]).find((line) => 'error' in line)
  return said === undefined
    ? error
    : new HoldfastError(said.error.code, said.error.message, { cause: error, hint: said.error.hint })
}
