import { describe, expect, it } from 'vitest'
import type { Row } from '../engine/cell.js'
import { RowChunk } from '../engine/row-chunk.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { fileBytes } from './dump-stream.js'
import { planTable } from './evolution.js'
import { SentRows } from './sent-rows.js'
import { StreamTables } from './stream-tables.js'
import { emptyHeader, testColumn } from './test-tables.js'

const header = {
  ...emptyHeader('users'),
  columns: [testColumn('id', 'i64'), testColumn('name', 'text')],
}
const rows: readonly Row[] = [
  [1, 'a'],
  [2, 'b "quoted"'],
  [3, null],
]

/** What is found of rows that the table holds after those of a file were sent to it. */
async function found(
  held: readonly Row[],
  { acceptEdits = false, sameEngine = true, keepsOrder = true, sent = rows } = {},
) {
  const written = { header, rows: oneOf(RowChunk.ofRows(rows)), place: String }
  const tables = new StreamTables(fileBytes(written, new ChunkPool(1024)), {
    name: 'users.ndjson',
    acceptEdits,
  })
  for await (const table of tables.tables()) {
    const plan = planTable(header, header, { tables: {}, sameEngine })
    const compared = new SentRows(plan.columns, plan, table, {
      compare: true,
      fixedScale: true,
      keepsOrder,
    })
    let place = 0
    for await (const chunk of table.rows)
      for (const read of chunk.rows) compared.add(sent[place++] ?? read, read)
    let reads = 0
    const difference = await compared.difference(() => {
      reads += 1
      return oneOf(RowChunk.ofRows(held))
    })
    return { difference, reads }
  }
  throw new Error('there is no table')
}

async function* oneOf<Item>(item: Item): AsyncGenerator<Item> {
  yield await Promise.resolve(item)
}

describe('rows that were sent, compared with what is there', () => {
  it('are read once where they are the lines of the file', async () => {
    expect(await found(rows)).toEqual({ difference: undefined, reads: 1 })
  })

  it('are read once by an engine that keeps no order', async () => {
    expect(await found([...rows].reverse(), { keepsOrder: false })).toEqual({
      difference: undefined,
      reads: 1,
    })
  })

  it('may be there in any order', async () => {
    expect(await found([...rows].reverse())).toEqual({ difference: undefined, reads: 2 })
  })

  it.each([
    ['a value is another', [rows[0], [2, 'c'], rows[2]], 'it holds other values than were sent'],
    [
      'one is there twice, and another not',
      [rows[0], rows[0], rows[2]],
      'it holds other values than were sent',
    ],
    ['one is missing', rows.slice(1), 'it holds 2 rows, and 3 were sent'],
    ['there is one more', [...rows, [4, 'd']], 'it holds 4 rows, and 3 were sent'],
  ])('differ where %s', async (_what, held, difference) => {
    for (const options of [{}, { acceptEdits: true }, { sameEngine: false }])
      expect((await found(held as readonly Row[], options)).difference).toBe(difference)
  })

  it('are those that were made of the file where a cell was changed on the way', async () => {
    const sent: readonly Row[] = [[1, 'A'], ...rows.slice(1)]
    expect((await found(sent, { sent })).difference).toBeUndefined()
    expect((await found(rows, { sent })).difference).toBe('it holds other values than were sent')
  })
})
