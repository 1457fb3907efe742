import type { RowChunk } from '../engine/row-chunk.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import type { TableEncoder, TableFooter } from './codec.js'
import { headerLine } from './header-line.js'
import { RowDigest } from './row-digest.js'

/** Writes one table: header, rows, footer. */
export function tableEncoder(header: TableHeader): TableEncoder {
  const digest = new RowDigest()
  let rows = 0
  return {
    header: () => `${headerLine(header)}\n`,
    rows({ lines, count }: RowChunk) {
      digest.addLines(lines)
      rows += count
      return lines
    },
    end(sha256) {
      const footer = { rows, sum64: digest.sum64, sha256 }
      return { line: `${footerLine(header, footer)}\n`, footer }
    },
  }
}

export function footerLine({ table }: TableHeader, footer: TableFooter): string {
  return JSON.stringify({ end: tableText(table), ...footer })
}
