import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { tableText, type TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { parsePortableManifest, type PortableManifest } from '../portable/portable-manifest.js'
import { StreamTables } from '../portable/stream-tables.js'
import type { SourceTable, TableSource } from '../portable/table-source.js'
import { connected } from '../streams/connect.js'
import { fileChunks } from '../streams/file-chunks.js'
import { headOf } from '../streams/head.js'
import { mostStages, recogniseStages } from './restore-source.js'
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
  return found.isDirectory()
    ? openFolder(cx, workspace, path, acceptEdits)
    : openStream(await decodedFile(cx, workspace, path), basename(path), acceptEdits)
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
    const source = await openStream(await decodedStream(cx, workspace, input), 'standard input', acceptEdits)
    return { ...source, close: () => source.close().finally(() => input.destroy()) }
  } catch (error) {
    input.destroy()
    throw error
  }
}

/** So many tell what something is. Whoever writes slowly is not waited for longer. */
const recognisedBytes = 64

/** The same of a stream, which is read but once: its beginning is looked at and put back. */
async function decodedStream(cx: Context, { registry, keys }: Workspace, input: Readable): Promise<Readable> {
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
    `standard input is compressed or encrypted more than ${mostStages} times`,
  )
}

async function* joined(head: Buffer, rest: AsyncIterable<Buffer> | undefined): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  if (rest !== undefined) yield* rest
}

async function openFolder(
  cx: Context,
  workspace: Workspace,
  folder: string,
  acceptEdits: boolean,
): Promise<TableSource> {
  const manifest = await readManifest(folder)
  const files = new Map<string, { readonly path: string; readonly name: string }>()
  const headers: TableHeader[] = []
  const open = async ({ path, name }: { readonly path: string; readonly name: string }) =>
    new StreamTables(await decodedFile(cx, workspace, path), { name, acceptEdits })
  for (const { file } of manifest.tables) {
    const path = below(folder, file)
    const header = await headerOf(open({ path, name: basename(file) })).catch((error: unknown) => {
      throw missing(error, file)
    })
    if (header === undefined) throw new HoldfastError('integrity.format', `${file} holds no table`)
    headers.push(header)
    files.set(tableText(header.table), { path, name: basename(file) })
  }
  return {
    name: folder,
    manifest,
    headers,
    async *tables(wanted) {
      for (const header of wanted) {
        const file = files.get(tableText(header.table))
        if (file !== undefined) yield* countedAs((await open(file)).tables(), manifest, acceptEdits)
      }
    },
    close: () => Promise.resolve(),
  }
}

async function headerOf(opened: Promise<StreamTables>): Promise<TableHeader | undefined> {
  const tables = await opened
  try {
    return await tables.peek()
  } finally {
    await tables.close()
  }
}

/** A file that is whole in itself, but not the one that the manifest knows, was put in its place. */
async function* countedAs(
  tables: AsyncIterable<SourceTable>,
  manifest: PortableManifest,
  acceptEdits: boolean,
): AsyncGenerator<SourceTable> {
  for await (const table of tables) {
    const known = manifest.tables.find((each) => each.table === tableText(table.header.table))
    if (known === undefined || acceptEdits) yield table
    else yield { ...table, rows: counted(table, known.rows) }
  }
}

async function* counted(table: SourceTable, expected: number) {
  let rows = 0
  for await (const chunk of table.rows) {
    rows += chunk.count
    yield chunk
  }
  if (rows !== expected) {
    const name = tableText(table.header.table)
    throw new HoldfastError(
      'integrity.checksum',
      `${name} has ${rows} rows, and the manifest says ${expected}`,
      {
        hint: 'if its file was edited, pass --accept-edits, or make the dump valid again with holdfast reseal',
      },
    )
  }
}

async function readManifest(folder: string): Promise<PortableManifest> {
  const path = join(folder, 'manifest.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new HoldfastError(
      'integrity.missing-artifact',
      `${folder} has no manifest.json: it is no whole portable dump`,
      { cause: error },
    )
  })
  try {
    return parsePortableManifest(JSON.parse(text), path)
  } catch (error) {
    throw asHoldfastError(error, 'integrity.manifest')
  }
}

/** A manifest may say anything: nothing outside of its folder is read. */
function below(folder: string, file: string): string {
  const path = resolve(folder, file)
  if (path.startsWith(join(folder, 'tables'))) return path
  throw new HoldfastError('storage.unsafe-key', `the manifest names ${file}, which is not below its folder`)
}

function missing(error: unknown, file: string): unknown {
  const gone = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return gone
    ? new HoldfastError('integrity.missing-artifact', `${file}, which the manifest names, is not there`, {
        cause: error,
      })
    : error
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
