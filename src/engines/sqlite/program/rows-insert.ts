import type { StatementSyncInstance } from '@photostructure/sqlite'
import type { WriteCounts } from '../../../engine/row-sink.js'
import { quoteName } from '../quoting.js'
import type { Database } from './database.js'
import type { LoadRowsMode, RowsInRequest } from './protocol.js'
import { rowError } from './rows-in.js'

/** A value with its storage class, as the sink sends it. */
export type Bound =
  | null
  | number
  | string
  | { readonly i: string }
  /** A REAL that a plain number would make an INTEGER of. */
  | { readonly r: string }
  | { readonly b: string }
  /** Bytes that are text to SQLite: with NUL, or not UTF-8. */
  | { readonly t: string }

/** Puts rows into one table. */
export class TableInsert {
  readonly table: string
  readonly #database: Database
  readonly #mode: LoadRowsMode
  readonly #columns: readonly string[]
  readonly #key: readonly string[]
  readonly #statements = new Map<string, StatementSyncInstance>()
  readonly #keyStatement: StatementSyncInstance | undefined
  readonly #before: number
  #taken = 0
  #changes = 0

  constructor(
    database: Database,
    mode: LoadRowsMode,
    { table, columns, key }: Extract<RowsInRequest, { do: 'load' }>,
  ) {
    this.table = table
    this.#database = database
    this.#mode = mode
    this.#columns = columns
    this.#key = key
    this.#before = this.#count()
    if (mode !== 'sync') return
    database.execute(
      `CREATE TEMP TABLE ${this.#keys} AS SELECT ${list(key)} FROM ${quoteName(table)} WHERE 0`,
    )
    this.#keyStatement = database.driver.prepare(
      `INSERT INTO temp.${this.#keys} VALUES (${key.map(() => '?').join(',')})`,
    )
  }

  rows(lines: Buffer): void {
    for (const line of lines.toString('utf8').slice(0, -1).split('\n')) {
      this.#taken += 1
      this.#insert(JSON.parse(line) as Bound[])
    }
  }

  end(): WriteCounts {
    const inserted = this.#count() - this.#before
    const updated = this.#changes - inserted
    return { inserted, updated, skipped: this.#taken - this.#changes, deleted: 0 }
  }

  /** Deletes what was not among the rows. */
  deleteOthers(): number {
    if (this.#mode !== 'sync') return 0
    const before = this.#count()
    const same = this.#key.map((name) => `k.${quoteName(name)} IS t.${quoteName(name)}`).join(' AND ')
    this.#database.execute(
      `DELETE FROM ${quoteName(this.table)} AS t WHERE NOT EXISTS (SELECT 1 FROM temp.${this.#keys} AS k WHERE ${same})`,
    )
    return before - this.#count()
  }

  get #keys(): string {
    return quoteName(`holdfast keys of ${this.table}`)
  }

  #count(): number {
    return this.#database.number(`SELECT count(*) FROM ${quoteName(this.table)}`)
  }

  #insert(row: readonly Bound[]): void {
    let casts = ''
    const values = row.map((value) => {
      casts += castOf(value)
      return bindable(value)
    })
    try {
      this.#changes += Number(this.#statement(casts).run(...values).changes)
      this.#keyStatement?.run(...this.#key.map((name) => values[this.#columns.indexOf(name)] ?? null))
    } catch (error) {
      throw rowError(error, this.#database.path, this.table, this.#taken)
    }
  }

  #statement(casts: string): StatementSyncInstance {
    const known = this.#statements.get(casts)
    if (known !== undefined) return known
    const places = [...casts].map((cast) =>
      cast === 't' ? 'CAST(? AS TEXT)' : cast === 'r' ? 'CAST(? AS REAL)' : '?',
    )
    const statement = this.#database.driver.prepare(
      `INSERT INTO ${quoteName(this.table)} (${list(this.#columns)}) VALUES (${places.join(',')})${this.#conflict()}`,
    )
    this.#statements.set(casts, statement)
    return statement
  }

  #conflict(): string {
    if (this.#mode === 'replace' || this.#mode === 'append') return ''
    const others = this.#columns.filter((name) => !this.#key.includes(name))
    const target = ` ON CONFLICT (${list(this.#key)})`
    if (this.#mode === 'skip' || others.length === 0) return `${target} DO NOTHING`
    return `${target} DO UPDATE SET ${others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')}`
  }
}

function list(names: readonly string[]): string {
  return names.map(quoteName).join(',')
}

function castOf(value: Bound): string {
  if (value === null || typeof value !== 'object') return '.'
  return 't' in value ? 't' : 'r' in value ? 'r' : '.'
}

function bindable(value: Bound): null | number | bigint | string | Buffer {
  if (value === null || typeof value !== 'object') return value
  if ('i' in value) return BigInt(value.i)
  return 'r' in value ? value.r : Buffer.from('t' in value ? value.t : value.b, 'base64')
}
