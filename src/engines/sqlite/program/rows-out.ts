import { frame, frames } from '../frames.js'
import { quoteName } from '../quoting.js'
import { openDatabase, type Database } from './database.js'
import { write } from './output.js'
import type { ReadRequest, RowsOutInput, RowsOutRequest } from './protocol.js'
import { readTableHeaders } from './rows-catalog.js'
import { rowExpression, rowReader } from './rows-read.js'
import { beginReading, keepStill } from './same-state.js'

const chunkCharacters = 256 * 1024

/** So long at most are writers held up. */
const longestHoldMs = 20_000

/** Answers questions about one snapshot until stdin ends. @throws database.* */
export async function answerRows({ path, still }: RowsOutInput): Promise<null> {
  const database = await openDatabase(path, 'read')
  const hold = still === true ? await Hold.on(path) : undefined
  beginReading(database)
  for await (const { head } of frames<RowsOutRequest>(process.stdin)) {
    if (head.do === 'tables') await write(frame(readTableHeaders(database)))
    else if (head.do === 'release') await write(frame({ still: hold?.end() ?? false }))
    else await sendRows(database, head)
  }
  hold?.end()
  database.close()
  return null
}

/** A writer's lock, for a while. */
class Hold {
  readonly #lock: Database
  readonly #timer: NodeJS.Timeout
  readonly #had: boolean
  #open = true

  private constructor(lock: Database) {
    this.#lock = lock
    this.#had = keepStill(lock)
    this.#timer = setTimeout(() => this.end(), longestHoldMs)
  }

  static async on(path: string): Promise<Hold> {
    return new Hold(await openDatabase(path, 'write'))
  }

  /** @returns whether it has been held till now */
  end(): boolean {
    clearTimeout(this.#timer)
    if (!this.#open) return false
    this.#open = false
    if (this.#had) this.#lock.execute('ROLLBACK')
    this.#lock.close()
    return this.#had
  }
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
