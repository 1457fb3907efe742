import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { ownProgramCall, programError, programLines, programWarnings } from '../process/own-program.js'
import { filterTool, readTool, runTool } from '../process/run.js'
import type { ToolCall } from '../process/tool.js'
import { ChunkPool } from '../streams/chunk-pool.js'
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

/**
 * Of an archive, on its way. Pictures and videos do not compress: of each frame, memory holds as much after compression as before,
 * and an upload in parts holds more of it.
 */
const chunkBytes = 2 * 1024 * 1024

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

/** A folder as a tar archive. @throws (its stream) storage.not-found, storage.denied; see `programError` */
export function packFolder(cx: Context, input: PackInput): Archive {
  const { stdout, finished } = readTool(cx, programCall('pack', input), undefined, new ChunkPool(chunkBytes))
  const facts = finished.then(({ messages }) => {
    const said = programLines<MessageLine>(messages).find((line) => 'facts' in line)
    if (said === undefined) throw new HoldfastError('internal.unexpected', 'the archive has no facts')
    return { ...said.facts, warnings: programWarnings(messages) }
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
    throw programError(error)
  }
}

async function textOf(stdout: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdout) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function programCall<Name extends CommandName>(name: Name, input: Commands[Name]['input']): ToolCall {
  return ownProgramCall(['dist', 'files', 'program', 'main.js'], name, input)
}
