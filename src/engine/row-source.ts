import type { Context } from '../env/context.js'
import type { Row } from './cell.js'
import type { ConnectionSettings } from './engine.js'
import type { RowChunk } from './row-chunk.js'
import type { RowSink, RowSinkRequest } from './row-sink.js'
import type { TableHeader } from './table-header.js'

/** What an engine offers for portable dumps: its tables' rows out of one snapshot, and rows into it in one transaction. */
export interface RowEngine {
  /** @throws database.*, usage.not-supported */
  openSource(cx: Context, settings: ConnectionSettings): Promise<RowSource>
  /** Changes nothing yet. @throws database.*, usage.not-supported */
  openSink(cx: Context, settings: ConnectionSettings, request: RowSinkRequest): Promise<RowSink>
}

/** One snapshot of a database: whatever is asked, and how often, the answers are of the same moment. */
export interface RowSource {
  /** The user's tables that hold rows of their own, in order of schema and name. Views are no tables. */
  tables(): Promise<readonly TableHeader[]>
  /** What holds rows and is none of those tables: each a sentence for the user. */
  readonly warnings: readonly string[]
  /**
   * Rows in primary-key order, or in the table's own where it has none. A table may be read several times, one after
   * another, never two at once.
   * @throws database.query-failed, also for a `where` that the engine does not understand
   */
  rows(table: TableHeader, query?: RowQuery): AsyncIterable<RowChunk>
  /**
   * Keeps tables as they are until all is read. Absent where a table that was emptied or rebuilt meanwhile cannot be read as an
   * empty one.
   * @throws database.busy, database.denied
   */
  hold?(tables: readonly TableHeader[]): Promise<void>
  close(): Promise<void>
}

export interface RowQuery {
  /** Only these columns, in this order. Default: all. */
  readonly columns?: readonly string[]
  /** A condition in the engine's own SQL, given by the user. */
  readonly where?: string
  /** Only rows whose `columns` hold one of these lists of values. At most a few thousand at a time. */
  readonly in?: { readonly columns: readonly string[]; readonly values: readonly Row[] }
  readonly limit?: number
  /** In whatever order is cheapest. */
  readonly anyOrder?: true
}
