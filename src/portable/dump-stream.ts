import { createHash } from 'node:crypto'
import { tableText } from '../engine/table-header.js'
import type { ChunkPool } from '../streams/chunk-pool.js'
import { TextChunks } from '../streams/text-chunks.js'
import type { TableFooter } from './codec.js'
import { headerObject } from './header-line.js'
import type { PortableManifest } from './portable-manifest.js'
import { tableEncoder } from './table-encoder.js'
import type { SourceTable, TableSource } from './table-source.js'

/** What is known before the first table: the first line of a dump that is one stream. */
export function streamHead({ manifest, headers }: DumpedSource): object {
  return { dump: manifest, headers: headers.map(headerObject), holdfast: 1 }
}

/** Its last line. */
export function streamEnd(tables: number): object {
  return { end: 'dump', tables }
}

export type DumpedSource = TableSource & { readonly manifest: PortableManifest }

/**
 * A dump as one stream: all tables one after another, with a line before and one after them.
 * @param pool of the chunks in which its bytes come
 */
export async function* dumpStream(source: DumpedSource, pool: ChunkPool): AsyncGenerator<Buffer> {
  const chunks = new TextChunks(pool)
  yield* chunks.add(lineOf(streamHead(source)))
  let tables = 0
  for await (const table of source.tables(source.headers)) {
    tables += 1
    yield* tableBytes(table, chunks)
  }
  yield* chunks.add(lineOf(streamEnd(tables)))
  yield* chunks.rest()
}

export interface Told {
  /** Of each piece: how many rows it holds. */
  readonly rows?: (count: number, bytes: number) => void
  /** At the end. */
  readonly ended?: (table: string, footer: TableFooter) => void
}

/** The file of one table. */
export async function* fileBytes(table: SourceTable, pool: ChunkPool, told?: Told): AsyncGenerator<Buffer> {
  const chunks = new TextChunks(pool)
  yield* tableBytes(table, chunks, told)
  yield* chunks.rest()
}

async function* tableBytes(
  { header, rows }: SourceTable,
  chunks: TextChunks,
  told: Told = {},
): AsyncGenerator<Buffer> {
  const encoder = tableEncoder(header)
  const sha256 = createHash('sha256')
  yield* chunks.add(encoder.header(), sha256)
  for await (const chunk of rows) {
    const before = chunks.bytes
    yield* chunks.add(encoder.rows(chunk), sha256)
    told.rows?.(chunk.count, chunks.bytes - before)
  }
  const { line, footer } = encoder.end(sha256.digest('hex'))
  told.ended?.(tableText(header.table), footer)
  yield* chunks.add(line)
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}
