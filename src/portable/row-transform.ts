import type { Row } from '../engine/cell.js'
import type { RowQuery, RowSource } from '../engine/row-source.js'
import type { DumpStamp, TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'

/**
 * What a dump does to rows on their way out. `prepare` sees the snapshot before the first row is written, and may read it: a
 * subset finds its rows there, a mask checks that every column has a rule.
 */
export interface RowTransform {
  /** What is written into the manifest of a dump that went through it. */
  readonly stamp: DumpStamp
  prepare(cx: Context, source: RowSource, tables: readonly TableHeader[]): Promise<PreparedTransform>
}

export interface PreparedTransform {
  /** What to ask the engine for; absent for all rows, `none` to leave the rows out. */
  query?(header: TableHeader): RowQuery | 'none' | undefined
  /** What becomes of each row; `undefined` leaves it out. Absent where rows stay as they are. */
  row?(header: TableHeader): ((row: Row) => Row | undefined) | undefined
}
