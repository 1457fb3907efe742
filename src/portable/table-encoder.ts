import { createHash } from 'node:crypto'
import type { RowChunk } from '../engine/row-chunk.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import type { TableEncoder, TableFooter } from './codec.js'
import { headerLine } from './header-line.js'
import { RowDigest } from './row-digest.js'

/** Writes one table: header, rows, footer. */
export function tableEncoder(header: TableHeader): TableEncoder {
  const sha256 = createHash('sha256')
  const digest = new RowDigest()
  let rows = 0
  const measured = (text: string) => {
    sha256.update(text)
    return text
  }
  return {
    header: () => measured(`${headerLine(header)}\n`),
    rows(chunk: RowChunk) {
      const { lines } = chunk
      digest.addLines(lines)
      rows += chunk.count
      return measured(lines)
    },
    end() {
      const footer = { rows, sum64: digest.sum64, sha256: sha256.digest('hex') }
      return { line: `${footerLine(header, footer)}\n`, footer }
    },
  }
}

export function footerLine({ table }: TableHeader, footer: TableFooter): string {
  return JSON.stringify({ end: tableText(table), ...footer })
}
