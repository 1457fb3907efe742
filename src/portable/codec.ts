import type { Hash } from 'node:crypto'
import type { RowChunk } from '../engine/row-chunk.js'
import type { TableHeader } from '../engine/table-header.js'
import type { PortableManifest } from './portable-manifest.js'

/** The last line of a table's file. */
export interface TableFooter {
  readonly rows: number
  /** 16 hex digits: the sum of the first 64 bits of SHA-256 of each row, modulo 2^64. The same in any order. */
  readonly sum64: string
  /** Of all bytes before the footer. */
  readonly sha256: string
}

/** Turns one table into the text of its file. */
export interface TableEncoder {
  /** The header's line. */
  header(): string
  rows(chunk: RowChunk): string
  /**
   * The footer's line.
   * @param sha256 of the bytes of all that was given before, in hex
   */
  end(sha256: string): { readonly line: string; readonly footer: TableFooter }
}

/** Turns the bytes of one or several tables, split anywhere, into headers, rows and footers. */
export interface TableDecoder {
  /** @throws integrity.format, integrity.newer-format, integrity.checksum, naming file and line */
  push(bytes: Buffer): readonly DecodedItem[]
  /** @throws integrity.truncated where a footer is missing */
  end(): void
}

/** The first line of a dump that is one stream: all that is known before the rows. */
export interface StreamHead {
  readonly manifest: PortableManifest
  readonly headers: readonly TableHeader[]
}

export type DecodedItem =
  | { readonly kind: 'head'; readonly head: StreamHead; readonly line: number }
  | {
      readonly kind: 'header'
      readonly header: TableHeader
      readonly line: number
      readonly begun: () => Hash
    }
  | { readonly kind: 'rows'; readonly chunk: RowChunk; readonly line: number }
  | { readonly kind: 'footer'; readonly footer: TableFooter; readonly line: number }
