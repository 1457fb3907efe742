import { tableText } from '../engine/table-header.js'
import { headerObject } from './header-line.js'
import type { PortableManifest, PortableTable } from './portable-manifest.js'
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

/** A dump as one stream: all tables one after another, with a line before and one after them. */
export async function* dumpStream(source: DumpedSource): AsyncGenerator<string> {
  yield lineOf(streamHead(source))
  let tables = 0
  for await (const table of source.tables(source.headers)) {
    tables += 1
    yield* fileText(table)
  }
  yield lineOf(streamEnd(tables))
}

/**
 * The file of one table.
 * @param told of each piece with how many rows it holds, and of the footer at the end
 */
export async function* fileText(
  { header, rows }: SourceTable,
  told: {
    readonly rows?: (count: number, bytes: number) => void
    readonly ended?: (facts: Omit<PortableTable, 'file'>) => void
  } = {},
): AsyncGenerator<string> {
  const encoder = tableEncoder(header)
  yield encoder.header()
  for await (const chunk of rows) {
    const lines = encoder.rows(chunk)
    told.rows?.(chunk.count, Buffer.byteLength(lines))
    yield lines
  }
  const { line, footer } = encoder.end()
  told.ended?.({ table: tableText(header.table), rows: footer.rows, sum64: footer.sum64 })
  yield line
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}
