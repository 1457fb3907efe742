import { frame, frames } from '../frames.js'
import { quoteName } from '../quoting.js'
import { openDatabase, type Database } from './database.js'
import { write } from './output.js'
import type { FileInput, ReadRequest, RowsOutRequest } from './protocol.js'
import { readTableHeaders } from './rows-catalog.js'
import { rowExpression, rowReader } from './rows-read.js'

const chunkCharacters = 256 * 1024

/** Answers questions about one snapshot until stdin ends. @throws database.* */
export async function answerRows({ path }: FileInput): Promise<null> {
  const database = await openDatabase(path, 'read')
  // The schema was read already; the first question of the transaction takes the snapshot.
  database.execute('BEGIN')
  for await (const { head } of frames<RowsOutRequest>(process.stdin)) {
    if (head.do === 'tables') await write(frame(readTableHeaders(database)))
    else await sendRows(database, head)
  }
  database.close()
  return null
}

export async function sendRows(database: Database, { table, columns, rest }: ReadRequest): Promise<void> {
  const read = rowReader(columns, database.text('PRAGMA encoding'))
  const sql = `SELECT CAST(${rowExpression(columns)} AS BLOB) FROM ${quoteName(table)}${rest}`
  let [text, count] = ['', 0]
  for (const bytes of database.column(sql)) {
    text += read(Buffer.from(bytes as Uint8Array))
    count += 1
    if (text.length < chunkCharacters) continue
    await write(frame({ rows: count }, Buffer.from(text)))
    ;[text, count] = ['', 0]
  }
  if (count > 0) await write(frame({ rows: count }, Buffer.from(text)))
  await write(frame({ rows: 0 }))
}
