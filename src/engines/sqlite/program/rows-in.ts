import { HoldfastError } from '../../../errors.js'
import { frame, frames } from '../frames.js'
import { quoteName, quoteText } from '../quoting.js'
import { hasTable } from './catalog.js'
import { databaseError, openDatabase, type Database } from './database.js'
import { write } from './output.js'
import type { ReadRequest, RowsInInput, RowsInRequest } from './protocol.js'
import { readTableHeaders } from './rows-catalog.js'
import { TableInsert } from './rows-insert.js'
import { sendRows } from './rows-out.js'

/** Takes rows in one transaction, which ends with the program unless it is told to finish. @throws database.*, refused.constraint */
export async function takeRows(input: RowsInInput): Promise<null> {
  const database = await openDatabase(input.path, input.dryRun ? 'read' : 'write')
  database.execute(input.dryRun ? 'BEGIN' : 'PRAGMA cache_size = -32768; BEGIN IMMEDIATE')
  const load = new Load(database, input)
  for await (const { head, body } of frames<RowsInRequest>(process.stdin)) {
    if (head.do === 'read') {
      await sendRows(database, head)
      continue
    }
    const answer = load.take(head, body)
    if (answer !== undefined) await write(frame(answer))
  }
  database.close()
  return null
}

class Load {
  readonly #database: Database
  readonly #input: RowsInInput
  readonly #inserts: TableInsert[] = []
  #tables: readonly string[] = []
  #triggers: readonly string[] = []
  #broken: ReadonlyMap<string, number> = new Map()

  constructor(database: Database, input: RowsInInput) {
    this.#database = database
    this.#input = input
  }

  /** @returns the answer, where the request has one */
  take(request: Exclude<RowsInRequest, ReadRequest>, body: Buffer): object | undefined {
    switch (request.do) {
      case 'tables':
        return readTableHeaders(this.#database)
      case 'create':
        for (const sql of request.statements) this.#database.execute(sql)
        return {}
      case 'begin':
        this.#begin(request.tables)
        return {}
      case 'load':
        this.#inserts.push(new TableInsert(this.#database, this.#input.mode, request))
        return undefined
      case 'rows':
        this.#inserts.at(-1)?.rows(body)
        return undefined
      case 'end':
        return this.#inserts.at(-1)?.end() ?? {}
      case 'finish':
        return this.#finish(request.next)
    }
  }

  /** Triggers are made again at the end, and references are looked at then: here nothing enforces them. */
  #begin(tables: readonly string[]): void {
    this.#tables = tables
    this.#broken = this.#brokenReferences()
    const list = tables.map(quoteText).join(',')
    const triggers = this.#database.rows(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN (${list})`,
    )
    this.#triggers = triggers.map(({ sql }) => String(sql))
    for (const { name } of triggers) this.#database.execute(`DROP TRIGGER ${quoteName(String(name))}`)
    if (this.#input.mode !== 'replace') return
    for (const table of [...tables].reverse()) this.#database.execute(`DELETE FROM ${quoteName(table)}`)
  }

  #finish(next: Readonly<Record<string, string>>): object {
    const deleted = Object.fromEntries(
      [...this.#inserts].reverse().map((insert) => [insert.table, insert.deleteOthers()]),
    )
    this.#requireReferences()
    this.#setNext(next)
    for (const sql of this.#triggers) this.#database.execute(sql)
    this.#database.execute('COMMIT')
    return { deleted }
  }

  /** @throws refused.constraint for references to nothing that were not there before */
  #requireReferences(): void {
    const orphans = [...this.#brokenReferences()].filter(
      ([key, count]) => count > (this.#broken.get(key) ?? 0),
    )
    if (orphans.length === 0) return
    const said = orphans.map(([key, count]) => `${count} ${key}`).join('; ')
    throw new HoldfastError('refused.constraint', `rows refer to rows that are not there: ${said}`)
  }

  /** How many rows of a table refer to nothing in a parent: `of orders (customer) to customers`. */
  #brokenReferences(): Map<string, number> {
    const rows = this.#database.rows(
      `SELECT c."table" AS child, c.parent, c.fkid,
         (SELECT group_concat(f."from", ', ') FROM pragma_foreign_key_list(c."table") AS f WHERE f.id = c.fkid) AS columns, count(*) AS n
       FROM pragma_foreign_key_check AS c GROUP BY c."table", c.parent, c.fkid`,
    )
    return new Map(
      rows.map(({ child, parent, columns, n }) => [
        `of ${String(child)} (${String(columns)}) to ${String(parent)}`,
        Number(n),
      ]),
    )
  }

  /** Only AUTOINCREMENT tables have a counter; others take the largest id and one. */
  #setNext(next: Readonly<Record<string, string>>): void {
    if (!hasTable(this.#database, 'sqlite_sequence')) return
    for (const table of this.#tables) {
      const wanted = next[table]
      if (wanted === undefined) continue
      const [name, last] = [quoteText(table), BigInt(wanted) - 1n]
      this.#database.execute(
        `DELETE FROM sqlite_sequence WHERE name = ${name}; INSERT INTO sqlite_sequence(name, seq) VALUES (${name}, ${last})`,
      )
    }
  }
}

/** An error of a row: which one it was, and whether the row itself is at fault. */
export function rowError(thrown: unknown, path: string, table: string, row: number): HoldfastError {
  const error = databaseError(thrown, path)
  const broken = /constraint failed|cannot store|datatype mismatch/u.test(error.message)
  return new HoldfastError(
    broken ? 'refused.constraint' : error.code,
    `${table}, row ${row}: ${error.message}`,
    {
      cause: error.cause,
      details: { row },
    },
  )
}
