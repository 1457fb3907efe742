import type { Row, Value } from './rows.js'

const chunkLength = 1024 * 1024

/** Rows as lines of tab-separated cells, in chunks of about 1 MiB. */
export function* lines(rows: Iterable<Row>, cell: (value: Value) => string): Generator<string> {
  let chunk = ''
  for (const row of rows) {
    chunk += `${row.map(cell).join('\t')}\n`
    if (chunk.length < chunkLength) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}
