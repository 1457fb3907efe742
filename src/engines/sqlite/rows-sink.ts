import type { Context } from '../../env/context.js'
import type { Row } from '../../engine/cell.js'
import type { ConnectionSettings } from '../../engine/engine.js'
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
import { mappingOf } from './rows-mapping.js'
import { RowsTalk } from './rows-talk.js'
import { cellWriter, storageClasses } from './rows-write.js'
import { requireFile } from './session.js'

export async function openSink(
  cx: Context,
  settings: ConnectionSettings,
  request: RowSinkRequest,
): Promise<RowSink> {
  await requireFile(settings.name)
  const talk = new RowsTalk(cx, 'rows-in', { path: settings.name, ...request })
  try {
    const sink = new SqliteSink(talk, request)
    await sink.tables()
    return sink
  } catch (error) {
    await talk.close()
    throw error
  }
}

class SqliteSink implements RowSink {
  readonly capabilities: RowSinkCapabilities = { schemas: false, wrappers: storageClasses }
  readonly #talk: RowsTalk
  readonly #request: RowSinkRequest
  #tables: readonly TableHeader[] = []

  constructor(talk: RowsTalk, request: RowSinkRequest) {
    this.#talk = talk
    this.#request = request
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
      return { warnings: [], deleted }
    } finally {
      await this.#talk.close()
    }
  }

  async abandon(): Promise<void> {
    await this.#talk.close()
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
