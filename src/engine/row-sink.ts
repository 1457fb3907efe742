import type { Cell, Row } from './cell.js'
import type { RowChunk } from './row-chunk.js'
import type { ColumnHeader, Sequence, TableHeader } from './table-header.js'

/**
 * - `replace`: the tables are emptied first.
 * - `append`: rows are added; one whose key is there already is an error.
 * - `skip`: one whose key is there already is left as it is.
 * - `update`: one whose key is there already gets the file's values, in the columns that the file has.
 * - `sync`: as `update`, and rows that the file does not have are deleted.
 */
export type LoadMode = 'replace' | 'append' | 'skip' | 'update' | 'sync'
export const loadModes: readonly LoadMode[] = ['replace', 'append', 'skip', 'update', 'sync']

export interface RowSinkRequest {
  readonly mode: LoadMode
  /** Nothing will be written: no lock is taken. */
  readonly dryRun: boolean
  /** Tables may be made, and the database itself where it is a file that is not there. */
  readonly create: boolean
}

/**
 * A database that rows are loaded into, in one transaction. In this order: `tables`, `create` (where asked for), `begin`,
 * `writer` for each table, `finish`; or `abandon` at any point, which leaves the database as it was.
 */
export interface RowSink {
  readonly capabilities: RowSinkCapabilities
  tables(): Promise<readonly TableHeader[]>
  /** How a table of a dump would look here, and what of it this engine cannot hold. Asks nothing. */
  mapping(header: TableHeader): TableMapping
  /** Makes tables. @throws database.* */
  create(mappings: readonly TableMapping[]): Promise<void>
  /** The tables that will be loaded, of `tables()`, parents first; empties them, children first, in the mode `replace`. */
  begin(tables: readonly TableHeader[]): Promise<void>
  /** @param columns of the table, those that rows will have; the others get the database's defaults */
  writer(table: TableHeader, columns: readonly string[]): TableWriter
  /** What the table holds now, in the transaction and in any order: to be compared with what was sent. */
  rows(table: TableHeader, columns: readonly string[]): AsyncIterable<RowChunk>
  /**
   * Checks the constraints of the loaded tables, sets the next ids, and commits.
   * @param sequences by `tableText`, then by column
   * @throws refused.constraint with the orphans; then the database is as it was
   */
  finish(sequences: Readonly<Record<string, Readonly<Record<string, Sequence>>>>): Promise<LoadFacts>
  /** Takes everything back, as far as it has been done, and closes. */
  abandon(): Promise<void>
}

/** Data, so that nothing outside an engine's home asks for its name. */
export interface RowSinkCapabilities {
  readonly schemas: boolean
  /** Where tables of other engines go: `public`. */
  readonly defaultSchema?: string
  /** Kinds of wrapped cells that say what no logical type of the column does, and that this engine can hold. */
  readonly wrappers: readonly string[]
  /** Its tables take rows of any columns: `mapping` says how they are held, also by a table that is there. */
  readonly anyColumns?: true
  /** A number comes back with all the decimals of its column: `12.50`. */
  readonly fixedScale: boolean
  /** `rows` gives them in the order in which they were written, or in that of the key, with few exceptions. */
  readonly keepsOrder?: true
  /** Types that do not keep a value as it was written. */
  readonly looseTypes: readonly LooseType[]
}

export interface LooseType {
  /** The engine's own name of the type. */
  readonly db: RegExp
  /** `jsonb keeps neither the order of keys nor equal keys` */
  readonly loses: string
}

export interface LoadFacts {
  readonly warnings: readonly string[]
  /** Rows that the mode `sync` has deleted, by `tableText`. */
  readonly deleted: Readonly<Record<string, number>>
}

export interface TableMapping {
  /** With the engine's own types. */
  readonly table: TableHeader
  /** What does not carry over, each a few words: `users.id: u64 becomes TEXT`. */
  readonly losses: readonly string[]
  /** Statements in the engine's own language, in the order to run them; those of `after` when all tables are there. */
  readonly statements: readonly string[]
  readonly after: readonly string[]
}

/** What the engine takes in place of a row. */
export type EncodedRow = unknown

export interface WriteCounts {
  readonly inserted: number
  readonly updated: number
  readonly skipped: number
  readonly deleted: number
}

export interface TableWriter {
  /** Asks nothing. @throws CellRefused */
  encode(row: Row): EncodedRow
  /** @throws database.*, refused.* */
  write(rows: AsyncIterable<readonly EncodedRow[]>): Promise<WriteCounts>
}

/** A cell that a column cannot hold: caught by whoever knows the file and the line. */
export class CellRefused extends Error {
  override readonly name = 'CellRefused'
  readonly column: string
  /** What the column could hold in its place, where the user allows such a loss. */
  readonly instead: Cell | undefined

  constructor(column: ColumnHeader, reason: string, instead?: Cell) {
    super(reason)
    this.column = column.name
    this.instead = instead
  }
}
