import type { Row } from '../engine/cell.js'
import { RowChunk } from '../engine/row-chunk.js'
import type { RowQuery, RowSource } from '../engine/row-source.js'
import type { TableHeader } from '../engine/table-header.js'
import type { PreparedTransform } from './row-transform.js'

/** The rows of a table as masks and subsets leave them. */
export async function* transformedRows(
  source: RowSource,
  header: TableHeader,
  query: RowQuery,
  transforms: readonly PreparedTransform[],
): AsyncGenerator<RowChunk> {
  const asked = transforms.map((transform) => transform.query?.(header))
  if (asked.includes('none')) return
  const whole = asked.reduce<RowQuery>(
    (all, each) => (each === undefined || each === 'none' ? all : bothOf(all, each)),
    query,
  )
  const changes = transforms.flatMap((transform) => {
    const change = transform.row?.(header)
    return change === undefined ? [] : [change]
  })
  for await (const chunk of source.rows(header, whole))
    yield changes.length === 0 ? chunk : RowChunk.ofRows(changed(chunk.rows, changes))
}

function bothOf(a: RowQuery, b: RowQuery): RowQuery {
  const where = [a.where, b.where].filter((each) => each !== undefined)
  return {
    ...a,
    ...b,
    ...(where.length === 0 ? {} : { where: where.map((each) => `(${each})`).join(' AND ') }),
  }
}

function changed(rows: readonly Row[], changes: readonly ((row: Row) => Row | undefined)[]): readonly Row[] {
  return rows.flatMap((row) => {
    let now: Row | undefined = row
    for (const change of changes) now = now === undefined ? undefined : change(now)
    return now === undefined ? [] : [now]
  })
}
