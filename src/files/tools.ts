import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { filterTool, readTool, runTool } from '../process/run.js'
import type { ToolCall, ToolReport } from '../process/tool.js'
import { connect } from '../streams/connect.js'
import type {
  CommandName,
  Commands,
  Examined,
  ExtractInput,
  MessageLine,
  PackFacts,
  PackInput,
  Unpacked,
} from './program/protocol.js'

/** An archive that is being made. */
export interface Archive {
  /** A clean end means that it is whole. */
  readonly bytes: Readable
  /** Known when the bytes have ended. */
  readonly facts: Promise<ArchiveFacts>
}

export interface ArchiveFacts extends PackFacts {
  /** What could not be read or has changed, each a sentence. */
  readonly warnings: readonly string[]
}

/** A folder as a tar archive. @throws (its stream) storage.not-found, storage.denied; see {@link explained} */
export function packFolder(cx: Context, input: PackInput): Archive {
  const { stdout, finished } = readTool(cx, programCall('pack', input))
  const facts = finished.then(({ messages }) => {
    const lines = parsed(messages)
    const said = lines.find((line) => 'facts' in line)
    if (said === undefined) throw new HoldfastError('internal.unexpected', 'the archive has no facts')
    return { ...said.facts, warnings: lines.flatMap((line) => ('warning' in line ? [line.warning] : [])) }
  })
  facts.catch(() => undefined)
  return { bytes: stdout, facts }
}

/** What restoring an archive would do; changes nothing. @throws integrity.*, refused.not-empty, and an error of the archive's stream */
export function examineArchive(cx: Context, input: ExtractInput, archive: Readable): Promise<Examined> {
  return feed(cx, 'examine', input, archive)
}

/** Restores an archive into a folder. @throws integrity.*, storage.*, and an error of the archive's stream */
export function unpackArchive(cx: Context, input: ExtractInput, archive: Readable): Promise<Unpacked> {
  return feed(cx, 'unpack', input, archive)
}

/** Removes what an interrupted `unpack` was writing. */
export async function sweepTarget(cx: Context, target: string, token: string): Promise<void> {
  await runTool(cx, programCall('sweep', { target, token }))
}

async function feed<Name extends 'examine' | 'unpack'>(
  cx: Context,
  name: Name,
  input: Commands[Name]['input'],
  archive: Readable,
): Promise<Commands[Name]['output']> {
  const { stdin, stdout, finished } = filterTool(cx, programCall(name, input))
  const answer = textOf(stdout)
  answer.catch(() => undefined)
  try {
    await connect([archive, stdin], cx.signal)
    return JSON.parse(await answer) as Commands[Name]['output']
  } catch (error) {
    // Before the caller looks at the target, the program must be gone.
    await finished.catch(() => undefined)
    throw explained(error)
  }
}

async function textOf(stdout: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdout) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * The program is a part of this package, run by the Node that runs us. From source, as in tests, it is run through the loader that
 * also reads configurations written in TypeScript.
 */
function programCall<Name extends CommandName>(name: Name, input: Commands[Name]['input']): ToolCall {
  const require = createRequire(import.meta.url)
  const besides = (module: string, ...path: string[]) =>
    join(dirname(require.resolve(`${module}/package.json`)), ...path)
  const file = import.meta.url.endsWith('.ts')
    ? [besides('jiti', 'lib', 'jiti-cli.mjs'), fileURLToPath(new URL('program/main.ts', import.meta.url))]
    : [besides('holdfast', 'dist', 'files', 'program', 'main.js')]
  // Options for this process, such as a debugger's port, are not for the program.
  return {
    program: process.execPath,
    args: [...file, name, JSON.stringify(input)],
    env: { NODE_OPTIONS: '' },
  }
}

function parsed(messages: ToolReport['messages']): MessageLine[] {
  return messages.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as MessageLine)
}

/** The error that the program has said, where an error is that it has ended with one. */
export function explained(thrown: unknown): HoldfastError {
  const error = asHoldfastError(thrown)
  const { messages } = error.details
  if (error.code !== 'tool.failed' || !Array.isArray(messages)) return error
  const said = parsed(messages as string[]).find((line) => 'error' in line)
  return said === undefined
    ? error
    : new HoldfastError(said.error.code, said.error.message, { cause: error, hint: said.error.hint })
}
