import type { Hash } from 'node:crypto'
import type { RowChunk } from '../engine/row-chunk.js'
import type { TableHeader } from '../engine/table-header.js'
import type { PortableManifest } from './portable-manifest.js'

/**
 * What a load reads: a folder of files, a stream, a live database, or what a converter makes of some other tool's file. All
 * headers are known before the first row, since the plan needs them.
 */
export interface TableSource {
  /** For people: the folder's path, or `stdin`. */
  readonly name: string
  /** Absent where the source has none, as files of other tools. */
  readonly manifest?: PortableManifest
  readonly headers: readonly TableHeader[]
  /**
   * The tables' rows. A source that can be read in any order gives them in the order of `wanted`; one that is a stream gives
   * them as they come, and those not wanted are passed over.
   */
  tables(wanted: readonly TableHeader[]): AsyncIterable<SourceTable>
  close(): Promise<void>
}

export interface SourceTable {
  readonly header: TableHeader
  /** To be read to the end, where the footer is compared. @throws integrity.*, naming file and line */
  readonly rows: AsyncIterable<RowChunk>
  /**
   * The digest of the rows as `RowDigest` makes it, once they are read, where a file that nobody has edited says it; undefined
   * otherwise.
   */
  readonly sum64?: () => string | undefined
  /** The digest of the table's lines, where such a file says it. */
  readonly lines?: LinesDigest
  /** Where row `index` (from 0) stands, for messages: `users.ndjson:12`. */
  place(index: number): string
}

/** SHA-256 of the lines of a table's file: of its header, then of each row in order. */
export interface LinesDigest {
  /** One to go on with, the header already in it. */
  begun(): Hash
  /** What it is at the last row, in hex, once the rows are read. */
  sha256(): string | undefined
}
