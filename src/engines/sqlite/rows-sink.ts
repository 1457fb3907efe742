import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { RowChunk } from '../../engine/row-chunk.js'
import type {
  EncodedRow,
  LoadFacts,
  RowSink,
  RowSinkCapabilities,
  RowSinkRequest,
  TableMapping,
  TableWriter,
  WriteCounts,
} from '../../engine/row-sink.js'
import { keyOf } from '../../engine/row-key.js'
import { columnNamed, tableText, type Sequence, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { mappingOf } from './rows-mapping.js'
import { readRows } from './rows-source.js'
import { RowsTalk } from './rows-talk.js'
import { cellWriter, storageClasses } from './rows-write.js'
import { requireFile } from './session.js'

export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  const { path, unmake } = await targetFile(cx, settings.name, request)
  await requireFile(path)
  const { mode, dryRun } = request
  const talk = new RowsTalk(cx, 'rows-in', { path, mode, dryRun })
  try {
    const sink = new SqliteSink(talk, request, unmake)
    await sink.tables()
    return sink
  } catch (error) {
    await talk.close()
    await unmake()
    throw error
  }
}

interface TargetFile {
  readonly path: string
  /** Removes the file where it was made for this load. */
  readonly unmake: () => Promise<void>
}

/** A file that is to be made is there from now on. One that would only be made stands in a folder of its own. */
async function targetFile(
  cx: Context,
  path: string,
  { create, dryRun }: RowSinkRequest,
): Promise<TargetFile> {
  const kept = { path, unmake: () => Promise.resolve() }
  if (!create) return kept
  if (!dryRun) return (await madeFile(path)) ? { path, unmake: () => rm(path, { force: true }) } : kept
  if ((await stat(path).catch(() => undefined)) !== undefined) return kept
  const folder = await cx.env.temporaryDirectory()
  const standIn = join(folder.path, 'empty.db')
  await madeFile(standIn)
  return { path: standIn, unmake: () => folder.remove() }
}

/** An empty file is an empty database. @returns whether it was not there */
async function madeFile(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new HoldfastError('database.not-found', `${path} cannot be made: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

class SqliteSink implements RowSink {
  readonly capabilities: RowSinkCapabilities = {
    schemas: false,
    wrappers: storageClasses,
    fixedScale: false,
    keepsOrder: true,
    looseTypes: [],
  }
  readonly #talk: RowsTalk
  readonly #request: RowSinkRequest
  readonly #unmake: () => Promise<void>
  #finished = false
  #tables: readonly TableHeader[] = []

  /** @param unmake removes the file where it was made for this load */
  constructor(talk: RowsTalk, request: RowSinkRequest, unmake: () => Promise<void>) {
    this.#talk = talk
    this.#request = request
    this.#unmake = unmake
  }

  async tables(): Promise<readonly TableHeader[]> {
    return (await this.#talk.ask<{ tables: TableHeader[] }>({ do: 'tables' })).tables
  }

  mapping(header: TableHeader): TableMapping {
    return mappingOf(header)
  }

  async create(mappings: readonly TableMapping[]): Promise<void> {
    await this.#talk.ask({ do: 'create', statements: mappings.flatMap(({ statements }) => statements) })
  }

  async begin(tables: readonly TableHeader[]): Promise<void> {
    this.#tables = tables
    await this.#talk.ask({ do: 'begin', tables: tables.map(({ table }) => table.name) })
  }

  writer(table: TableHeader, columns: readonly string[]): TableWriter {
    return tableWriter(this.#talk, this.#request, table, columns)
  }

  rows(table: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk> {
    return readRows(this.#talk, table, { columns, anyOrder: true })
  }

  async finish(sequences: Readonly<Record<string, Readonly<Record<string, Sequence>>>>): Promise<LoadFacts> {
    const next: Record<string, string> = {}
    for (const { table, sequences: own } of this.#tables) {
      const [column] = Object.keys(own)
      const dumped = column === undefined ? undefined : sequences[tableText(table)]?.[column]
      const now = column === undefined ? undefined : own[column]
      if (dumped !== undefined) next[table.name] = dumped.next
      else if (now !== undefined && this.#request.mode !== 'replace') next[table.name] = now.next
    }
    try {
      const { deleted } = await this.#talk.ask<{ deleted: Readonly<Record<string, number>> }>({
        do: 'finish',
        next,
      })
      this.#finished = true
      return { warnings: [], deleted }
    } finally {
      await this.#talk.close()
    }
  }

  async abandon(): Promise<void> {
    await this.#talk.close()
    if (!this.#finished) await this.#unmake()
  }
}

function tableWriter(
  talk: RowsTalk,
  { mode }: RowSinkRequest,
  table: TableHeader,
  columns: readonly string[],
): TableWriter {
  const writers = columns.map((name) => cellWriter(columnNamed(table, name)))
  return {
    encode: (row: Row): string =>
      `${JSON.stringify(row.map((cell, index) => (cell === null ? null : writers[index]?.(cell))))}\n`,
    async write(rows: AsyncIterable<readonly EncodedRow[]>): Promise<WriteCounts> {
      await talk.send({ do: 'load', table: table.table.name, columns, key: keyOf(table, columns, mode) })
      for await (const batch of rows)
        await talk.send({ do: 'rows' }, Buffer.from((batch as readonly string[]).join('')))
      return talk.ask<WriteCounts>({ do: 'end' })
    },
  }
}
