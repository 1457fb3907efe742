import type { Row } from '../../engine/cell.js'
import { keyOf } from '../../engine/row-key.js'
import type { EncodedRow, LoadMode, TableWriter, WriteCounts } from '../../engine/row-sink.js'
import { columnNamed, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { quoteName } from './quoting.js'
import type { OwnColumn } from './rows-catalog.js'
import { cellWriter, type CellWriter } from './rows-write.js'
import type { ServerSession } from './session.js'

/** What the server refuses rather than bends. Zero dates pass: they were there in the source, and others are refused before. */
export const strictMode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'

interface Encoded {
  readonly values: string
  readonly key: string
}

/** Writes through INSERTs of many rows, as long as the server takes them. */
export class InsertWriter implements TableWriter {
  readonly table: TableHeader
  readonly #session: ServerSession
  readonly #mode: LoadMode
  readonly #columns: readonly string[]
  readonly #writers: readonly CellWriter[]
  readonly #key: readonly string[]
  readonly #keys: string
  /** A value is among the rows that the strict mode does not take: the invalid value of an ENUM. */
  #loose = false

  constructor(
    session: ServerSession,
    mode: LoadMode,
    table: TableHeader,
    columns: readonly string[],
    place: number,
  ) {
    this.table = table
    this.#session = session
    this.#mode = mode
    this.#columns = columns
    this.#writers = columns.map((name) => cellWriter(columnNamed(table, name)))
    this.#key = keyOf(table, columns, mode)
    this.#keys = quoteName(`holdfast_keys_${place}`)
  }

  encode(row: Row): Encoded {
    const literals = this.#writers.map((write, index) => {
      const cell = row[index] ?? null
      if (cell === null) return 'NULL'
      if (typeof cell === 'object' && !Array.isArray(cell) && (cell as { '~'?: unknown })['~'] === 'enum')
        this.#loose = true
      return write(cell)
    })
    const key = this.#key.map((name) => literals[this.#columns.indexOf(name)])
    return { values: `(${literals.join(',')})`, key: `(${key.join(',')})` }
  }

  async write(rows: AsyncIterable<readonly EncodedRow[]>): Promise<WriteCounts> {
    if (this.#mode === 'sync')
      await this.#session.query(
        `CREATE TEMPORARY TABLE ${this.#keys} AS SELECT ${list(this.#key)} FROM ${this.#name} WHERE FALSE`,
      )
    const before = await this.#count()
    const most = Math.min(this.#session.identity.maxAllowedPacket / 4, 1024 * 1024)
    let [taken, held, length] = [0, [] as Encoded[], 0]
    const flush = async () => {
      await this.#insert(held, taken)
      taken += held.length
      ;[held, length] = [[], 0]
    }
    for await (const batch of rows) {
      for (const row of batch as readonly Encoded[]) {
        if (length + row.values.length > most && held.length > 0) await flush()
        held.push(row)
        length += row.values.length
      }
    }
    if (held.length > 0) await flush()
    const inserted = (await this.#count()) - before
    // Of the others the server says how many it has changed, and not how many had those values already.
    const there = taken - inserted
    return { inserted, updated: this.#changes ? there : 0, skipped: this.#changes ? 0 : there, deleted: 0 }
  }

  /** Deletes what was not among the rows. @returns how many */
  async deleteOthers(): Promise<number> {
    if (this.#mode !== 'sync') return 0
    const before = await this.#count()
    const same = this.#key.map((name) => `k.${quoteName(name)} <=> t.${quoteName(name)}`).join(' AND ')
    await this.#session.query(
      `DELETE t FROM ${this.#name} t LEFT JOIN ${this.#keys} k ON ${same} WHERE k.${quoteName(this.#key[0] ?? '')} IS NULL`,
    )
    return before - (await this.#count())
  }

  get #name(): string {
    return quoteName(this.table.table.name)
  }

  async #count(): Promise<number> {
    const [found] = await this.#session.query<{ n: string | number }>(
      `SELECT COUNT(*) AS n FROM ${this.#name}`,
    )
    return Number(found?.n)
  }

  /** Whether rows that are there get other values. */
  get #changes(): boolean {
    const keeps = this.#mode === 'skip' || this.#columns.every((name) => this.#key.includes(name))
    return !keeps
  }

  async #insert(rows: readonly Encoded[], before: number): Promise<void> {
    if (this.#loose)
      await this.#session.query(`SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'`)
    try {
      const values = rows.map((row) => row.values).join(',')
      await this.#session.query(
        `INSERT INTO ${this.#name} (${list(this.#columns)}) VALUES ${values}${this.#conflict()}`,
      )
      if (this.#mode === 'sync')
        await this.#session.query(`INSERT INTO ${this.#keys} VALUES ${rows.map((row) => row.key).join(',')}`)
    } catch (error) {
      throw rowError(error, this.table.table.name, before)
    } finally {
      if (this.#loose)
        await this.#session.query(`SET SESSION sql_mode = '${strictMode}'`).catch(() => undefined)
      this.#loose = false
    }
  }

  /** What the server would touch by itself stays, as in the other engines. */
  #conflict(): string {
    if (this.#mode === 'replace' || this.#mode === 'append') return ''
    const others = this.#columns.filter((name) => !this.#key.includes(name))
    const first = quoteName(this.#key[0] ?? '')
    if (!this.#changes) return ` ON DUPLICATE KEY UPDATE ${first} = ${first}`
    const touched = this.table.columns
      .filter(
        ({ name, own }) => (own as OwnColumn | undefined)?.touched === true && !this.#columns.includes(name),
      )
      .map(({ name }) => `${quoteName(name)} = ${this.#name}.${quoteName(name)}`)
    return ` ON DUPLICATE KEY UPDATE ${[...others.map((name) => `${quoteName(name)} = VALUES(${quoteName(name)})`), ...touched].join(', ')}`
  }
}

function list(names: readonly string[]): string {
  return names.map(quoteName).join(', ')
}

/** Duplicate keys, missing values, checks, values that do not fit. */
const dataErrors = new Set([
  1022, 1048, 1062, 1216, 1217, 1264, 1265, 1292, 1364, 1366, 1406, 1451, 1452, 3819, 4025,
])

/** @param before the rows of earlier statements: the server counts within one */
function rowError(thrown: unknown, table: string, before: number): Error {
  if (!(thrown instanceof HoldfastError)) return thrown as Error
  const { errno } = (thrown.cause ?? {}) as { readonly errno?: number }
  if (errno === undefined || !dataErrors.has(errno)) return thrown
  const row = /at row (\d+)/u.exec(thrown.message)?.[1]
  const details = row === undefined ? {} : { row: before + Number(row) }
  return new HoldfastError('refused.constraint', `${table}: ${thrown.message.replace(/ at row \d+/u, '')}`, {
    cause: thrown.cause,
    details,
  })
}
