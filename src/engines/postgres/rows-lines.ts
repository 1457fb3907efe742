import { RowChunk } from '../../engine/row-chunk.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { cellReader, type CellReader } from './rows-read.js'

/**
 * Makes rows of whole lines of COPY. These are looked through by `indexOf`: lists of lines and of fields were half as slow
 * again. Every piece that is put behind the others costs time, so what stands between two cells is one.
 */
export function lineMaker(columns: readonly ColumnHeader[]): (copied: string) => RowChunk {
  const readers = columns.map(cellReader)
  const last = readers.length - 1
  return (copied) => {
    // A table may have no column, and rows all the same.
    if (last < 0) return RowChunk.ofLines('[]\n'.repeat(copied.length), copied.length)
    let [lines, rows] = ['', 0]
    for (let at = 0; at < copied.length; rows++) {
      let open = false
      for (let index = 0; index <= last; index++) {
        const { quoted, read } = readers[index] as CellReader
        const end = copied.indexOf(index === last ? '\n' : '\t', at)
        const field = copied.slice(at, end)
        const isNull = field === '\\N'
        const opens = quoted && !isNull
        lines += index === 0 ? start(opens) : between(open, opens)
        lines += isNull ? 'null' : read(field)
        open = opens
        at = end + 1
      }
      lines += open ? '"]\n' : ']\n'
    }
    return RowChunk.ofLines(lines, rows)
  }
}

function start(opens: boolean): string {
  return opens ? '["' : '['
}

/** @param closes whether the cell before is a string that has no end yet */
function between(closes: boolean, opens: boolean): string {
  if (closes) return opens ? '","' : '",'
  return opens ? ',"' : ','
}
