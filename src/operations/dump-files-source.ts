import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { tableText, type TableHeader } from '../engine/table-header.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { parsePortableManifest, type PortableManifest } from '../portable/portable-manifest.js'
import { StreamTables } from '../portable/stream-tables.js'
import type { SourceTable, TableSource } from '../portable/table-source.js'

/** The files of a dump, wherever they lie. */
export interface DumpFiles {
  /** Of the folder or archive. */
  readonly path: string
  /** As it is written. @throws integrity.missing-artifact */
  manifest(): Promise<string>
  /** The plain bytes of a file that the manifest names. @throws ENOENT where it is not there; storage.unsafe-key */
  open(file: string): Promise<Readable>
}

/** @throws integrity.* */
export async function openDumpFiles(dump: DumpFiles, acceptEdits: boolean): Promise<TableSource> {
  const manifest = await readManifest(dump)
  const files = new Map<string, string>()
  const headers: TableHeader[] = []
  const open = async (file: string) =>
    new StreamTables(await dump.open(file), { name: basename(file), acceptEdits })
  for (const { file } of manifest.tables) {
    const header = await headerOf(open(file)).catch((error: unknown) => {
      throw missing(error, file)
    })
    if (header === undefined) throw new HoldfastError('integrity.format', `${file} holds no table`)
    headers.push(header)
    files.set(tableText(header.table), file)
  }
  return {
    name: dump.path,
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

async function readManifest(dump: DumpFiles): Promise<PortableManifest> {
  const text = await dump.manifest()
  try {
    return parsePortableManifest(JSON.parse(text), `${dump.path}/manifest.json`)
  } catch (error) {
    throw asHoldfastError(error, 'integrity.manifest')
  }
}

function missing(error: unknown, file: string): unknown {
  const gone = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return gone
    ? new HoldfastError('integrity.missing-artifact', `${file}, which the manifest names, is not there`, {
        cause: error,
      })
    : error
}
