import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { tableText } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { tarFormat } from '../files/tar/format.js'
import { StreamTables } from '../portable/stream-tables.js'
import type { TableSource } from '../portable/table-source.js'
import { connected } from '../streams/connect.js'
import { fileChunks } from '../streams/file-chunks.js'
import { headOf } from '../streams/head.js'
import { openDumpFiles, type DumpFiles } from './dump-files-source.js'
import { mostStages, recogniseStages } from './restore-source.js'
import { tarFiles } from './tar-files.js'
import type { Workspace } from './workspace.js'

/** @throws storage.not-found, integrity.* */
export async function openFileSource(
  cx: Context,
  workspace: Workspace,
  input: string | Readable,
  acceptEdits: boolean,
): Promise<TableSource> {
  if (typeof input !== 'string') return openInputStream(cx, workspace, input, acceptEdits)
  const path = resolve(cx.env.workingDirectory, input)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined)
    throw new HoldfastError('storage.not-found', `there is no portable dump ${input}`, {
      hint: 'name its folder or file; holdfast dump makes one',
    })
  if (found.isDirectory()) return openDumpFiles(folderFiles(cx, workspace, path), acceptEdits)
  const { kinds, head } = await recogniseStages(cx, path, {
    kinds: workspace.registry.stages,
    keys: workspace.keys,
  })
  if (!tarFormat.recognises(head))
    return openStream(await decodedFile(cx, workspace, path), basename(path), acceptEdits)
  if (kinds.length > 0) throw packedTar(basename(path))
  const files = await tarFiles(path, (bytes) => decodedStream(cx, workspace, bytes, basename(path)))
  return openDumpFiles(files, acceptEdits)
}

/** The plain bytes of a file, whatever it went through: its first bytes say so, since anybody may have named it. */
export async function decodedFile(
  cx: Context,
  { registry, keys }: Workspace,
  path: string,
): Promise<Readable> {
  const { kinds } = await recogniseStages(cx, path, { kinds: registry.stages, keys })
  const decoders = kinds.map((kind) => kind.create(undefined, keys).decode(cx, {}))
  const file = fileChunks(path, 256 * 1024)
  return decoders.length === 0 ? file : connected([file, ...decoders], cx.signal)
}

async function openInputStream(
  cx: Context,
  workspace: Workspace,
  input: Readable,
  acceptEdits: boolean,
): Promise<TableSource> {
  try {
    const source = await openStream(
      await decodedStream(cx, workspace, input, 'standard input'),
      'standard input',
      acceptEdits,
    )
    return { ...source, close: () => source.close().finally(() => input.destroy()) }
  } catch (error) {
    input.destroy()
    throw error
  }
}

/** So many tell what something is. Whoever writes slowly is not waited for longer. */
const recognisedBytes = 64

/** Its files are read in the order of the tables, which takes one that can be read anywhere. */
function packedTar(name: string): HoldfastError {
  return new HoldfastError(
    'usage.not-supported',
    `${name} is a tar archive that has to be unpacked before it can be read`,
    {
      hint: 'unpack it, and name its folder, or the tar itself as a file',
    },
  )
}

function folderFiles(cx: Context, workspace: Workspace, folder: string): DumpFiles {
  return {
    path: folder,
    manifest: () =>
      readFile(join(folder, 'manifest.json'), 'utf8').catch((error: unknown) => {
        throw new HoldfastError(
          'integrity.missing-artifact',
          `${folder} has no manifest.json: it is no whole portable dump`,
          { cause: error },
        )
      }),
    open: async (file) => decodedFile(cx, workspace, below(folder, file)),
  }
}

/** A manifest may say anything: nothing outside of its folder is read. */
function below(folder: string, file: string): string {
  const path = resolve(folder, file)
  if (path.startsWith(join(folder, 'tables'))) return path
  throw new HoldfastError('storage.unsafe-key', `the manifest names ${file}, which is not below its folder`)
}

/** The same of a stream, which is read but once: its beginning is looked at and put back. */
async function decodedStream(
  cx: Context,
  { registry, keys }: Workspace,
  input: Readable,
  name: string,
): Promise<Readable> {
  let stream = input
  for (let stages = 0; stages <= mostStages; stages++) {
    const { bytes, rest } = await headOf(stream, recognisedBytes)
    const plain = Readable.from(joined(bytes, rest), { objectMode: false, highWaterMark: 256 * 1024 })
    const kind = registry.stages.find((each) => each.recognises(bytes))
    if (kind === undefined) return plain
    stream = connected([plain, kind.create(undefined, keys).decode(cx, {})], cx.signal)
  }
  stream.destroy()
  throw new HoldfastError(
    'integrity.format',
    `${name} is compressed or encrypted more than ${mostStages} times`,
  )
}

async function* joined(head: Buffer, rest: AsyncIterable<Buffer> | undefined): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  if (rest !== undefined) yield* rest
}

async function openStream(bytes: Readable, name: string, acceptEdits: boolean): Promise<TableSource> {
  const stream = new StreamTables(bytes, { name, acceptEdits })
  const head = await stream.head()
  const first = head === undefined ? await stream.peek() : undefined
  if (head === undefined && first === undefined)
    throw new HoldfastError('integrity.truncated', `${name} is empty`)
  const headers = head?.headers ?? (first === undefined ? [] : [first])
  return {
    name,
    ...(head === undefined ? {} : { manifest: head.manifest }),
    headers,
    async *tables(wanted) {
      const names = new Set(wanted.map(({ table }) => tableText(table)))
      for await (const table of stream.tables()) {
        const own = tableText(table.header.table)
        if (names.has(own)) yield table
        else if (!headers.some(({ table: known }) => tableText(known) === own))
          throw new HoldfastError(
            'integrity.format',
            `${name}: ${own} is not among the tables that its first line names`,
          )
      }
    },
    close: async () => {
      bytes.destroy()
      await stream.close().catch(() => undefined)
    },
  }
}
