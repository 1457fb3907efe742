import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { DatabaseSettings } from '../config/settings.js'
import type { Dump, DumpPart } from '../engine/connector.js'
import type { ServerFacts } from '../engine/engine.js'
import type { RowSource } from '../engine/row-source.js'
import type { TableHeader } from '../engine/table-header.js'
import { selectTables } from '../engine/selection.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { dumpStream, type DumpedSource } from '../portable/dump-stream.js'
import { loadOrder } from '../portable/load-order.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { compressedAtOnce } from './dump.js'
import { rowsOf } from './live-source.js'
import { chooseTables } from './table-choice.js'
import type { Workspace } from './workspace.js'

/** What a portable dump beside a native one leaves out, as that does. */
export interface LeftOut {
  readonly exclude: readonly string[]
  readonly excludeData: readonly string[]
  readonly schemas: readonly string[]
}

export const portablePartName = 'portable.ndjson'

/**
 * Adds a portable dump to a native one: of the same moment where the connector can share it, which it says where not. All its values
 * are as they are: masks and subsets are for dumps that are given away.
 */
export class PortableBeside {
  readonly #cx: Context
  readonly #workspace: Workspace
  readonly #database: DatabaseSettings
  readonly #leftOut: LeftOut
  readonly #migrations: ServerFacts['migrations']
  readonly #warnings: string[] = []
  #source: RowSource | undefined
  #failure: HoldfastError | undefined

  constructor(
    cx: Context,
    workspace: Workspace,
    database: DatabaseSettings,
    leftOut: LeftOut,
    migrations: ServerFacts['migrations'],
  ) {
    this.#cx = cx
    this.#workspace = workspace
    this.#database = database
    this.#leftOut = leftOut
    this.#migrations = migrations
  }

  /** Why there is no portable dump, though there is a native one. */
  failure(): HoldfastError | undefined {
    return this.#failure
  }

  /** The same dump with one more part. */
  added(dump: Dump): Dump {
    return {
      ...dump,
      parts: this.#parts(dump),
      facts: async () => {
        const facts = await dump.facts()
        const missing = this.#failure === undefined ? [] : [`missing: ${this.#failure.message}`]
        const said = [...this.#warnings, ...missing].map((each) => `portable dump: ${each}`)
        return { ...facts, warnings: [...facts.warnings, ...said] }
      },
    }
  }

  async *#parts(dump: Dump): AsyncGenerator<DumpPart> {
    try {
      let tables: readonly TableHeader[] | undefined
      for await (const part of dump.parts) {
        tables ??= await this.#open(dump)
        yield part
      }
      const bytes = Readable.from(this.#bytes(dump, tables ?? []), { objectMode: false })
      try {
        yield { name: portablePartName, role: 'portable', bytes }
        // Where several parts are read at once, the next one may be asked for before this one has been read.
        await finished(bytes).catch(() => undefined)
      } finally {
        bytes.destroy()
      }
    } finally {
      // The native dump may have failed before its first part, with the rows open.
      await (this.#source ?? dump.rows?.().source)?.close()
    }
  }

  /** When the first part is there, the connector has opened what it can share. What fails here fails the portable dump alone. */
  async #open(dump: Dump): Promise<readonly TableHeader[]> {
    const shared = dump.rows?.()
    this.#source = shared?.source
    try {
      if (this.#source === undefined) {
        this.#warnings.push(
          shared?.apart === undefined
            ? `of a moment of its own: the connector ${this.#database.connector.name} shares none`
            : `of a moment of its own: ${shared.apart}`,
        )
        this.#source = await rowsOf(this.#database).openSource(this.#cx, this.#database.backupConnection)
      }
      const tables = this.#chosen(await this.#source.tables())
      await this.#source.hold?.(tables.filter(({ stamps = [] }) => !stamps.includes('subset')))
      return tables
    } catch (error) {
      this.#failed(error)
      return []
    }
  }

  #chosen(all: readonly TableHeader[]): readonly TableHeader[] {
    const { exclude, excludeData, schemas } = this.#leftOut
    const within = all.filter(({ table }) => schemas.length === 0 || schemas.includes(table.schema ?? ''))
    const chosen = loadOrder(chooseTables(within, { exclude, allowMissing: true }, {}))
    const names = chosen.map(({ table }) => table)
    const empty = new Set(selectTables(excludeData, names, 'excludeData', true))
    return chosen.map((header) => (empty.has(header.table) ? { ...header, stamps: ['subset'] } : header))
  }

  async *#bytes(dump: Dump, tables: readonly TableHeader[]): AsyncGenerator<Buffer> {
    try {
      if (this.#failure !== undefined) throw this.#failure
      const source = this.#source
      if (source === undefined) throw new HoldfastError('integrity.empty', 'the native dump has no parts')
      const apart = dump.rows?.().apart
      if (apart !== undefined && this.#warnings.length === 0)
        this.#warnings.push(`of a moment of its own: ${apart}`)
      this.#warnings.push(...source.warnings)
      yield* dumpStream(this.#dumped(source, tables), new ChunkPool(compressedAtOnce))
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  #dumped(source: RowSource, headers: readonly TableHeader[]): DumpedSource {
    const { env, settings } = this.#workspace
    const { alias, engine } = this.#database
    const isSubset = (header: TableHeader) => header.stamps !== undefined
    return {
      name: alias,
      headers,
      manifest: {
        holdfast: 1,
        kind: 'portable',
        created: env.clock.now().toISOString(),
        engine: engine.name,
        server: settings.serverName,
        database: alias,
        migrations: this.#migrations,
        tables: [],
        ...(headers.some(isSubset) ? { subset: true as const } : {}),
        warnings: [...this.#warnings],
      },
      async *tables(wanted) {
        for (const header of wanted) {
          const rows = isSubset(header) ? nothing() : source.rows(header)
          yield await Promise.resolve({ header, rows, place: (index: number) => `row ${index + 1}` })
        }
      },
      close: () => source.close(),
    }
  }

  #failed(error: unknown): void {
    this.#failure ??= asHoldfastError(error)
  }
}

async function* nothing(): AsyncGenerator<never> {}
