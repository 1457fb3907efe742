import { Transform, type Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { ownProgramCall, programError, programWarnings } from '../../process/own-program.js'
import { feedTool, readTool, runTool } from '../../process/run.js'
import type { ToolCall } from '../../process/tool.js'
import { connect } from '../../streams/connect.js'
import { guarded } from './guarded.js'
import { endOfSql, type CommandName, type Commands } from './program/protocol.js'

/** Asks the SQLite program for something. @throws database.*, as the command says */
export async function ask<Name extends CommandName>(
  cx: Context,
  name: Name,
  input: Commands[Name]['input'],
): Promise<{ readonly answer: Commands[Name]['output']; readonly warnings: readonly string[] }> {
  try {
    const { stdout, messages } = await runTool(cx, programCall(name, input))
    return { answer: JSON.parse(stdout) as Commands[Name]['output'], warnings: programWarnings(messages) }
  } catch (error) {
    throw programError(error)
  }
}

/**
 * The bytes that a command writes. A clean end means that it ended well.
 * @param onOutput told as soon as it writes something: then it has its snapshot
 */
export function read<Name extends 'copy' | 'dump'>(
  cx: Context,
  name: Name,
  input: Commands[Name]['input'],
  onOutput?: () => void,
): { readonly bytes: Readable; readonly warnings: Promise<readonly string[]> } {
  const { stdout, finished } = readTool(cx, programCall(name, input), onOutput)
  const warnings = finished.then(({ messages }) => programWarnings(messages))
  warnings.catch(() => undefined)
  return { bytes: guarded(stdout, { explain: programError }), warnings }
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
    return programWarnings((await finished).messages)
  } catch (error) {
    // Before the caller looks at the database, the program must be gone.
    await finished.catch(() => undefined)
    throw programError(error)
  }
}

export function programCall<Name extends CommandName>(name: Name, input: Commands[Name]['input']): ToolCall {
  return ownProgramCall(['dist', 'engines', 'sqlite', 'program', 'main.js'], name, input)
}
