import type { Writable } from 'node:stream'
import type { Row } from '../../engine/cell.js'
import type { EncodedRow, LoadMode, TableWriter, WriteCounts } from '../../engine/row-sink.js'
import { keyOf } from '../../engine/row-key.js'
import { columnNamed, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { ChunkPool, releaseChunk } from '../../streams/chunk-pool.js'
import { textChunks } from '../../streams/text-chunks.js'
import { databaseFailure, stateOf } from './failures.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { columnList, type OwnColumn } from './rows-catalog.js'
import { cellWriter } from './rows-write.js'
import type { PostgresSession } from './session.js'

const sentAtOnce = 256 * 1024

/** Writes through COPY: into the table itself, or into a temporary one that is merged into it. */
export class CopyWriter implements TableWriter {
  readonly table: TableHeader
  readonly #session: PostgresSession
  readonly #mode: LoadMode
  readonly #columns: readonly string[]
  readonly #writers: readonly ((cell: never) => string)[]
  readonly #key: readonly string[]
  readonly #staging: string

  constructor(
    session: PostgresSession,
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
    this.#staging = `pg_temp.${identifier(`holdfast_load_${place}`)}`
    this.#key = keyOf(table, columns, mode)
  }

  encode(row: Row): string {
    let line = ''
    for (let index = 0; index < this.#writers.length; index++) {
      const cell = row[index] ?? null
      const field = cell === null ? '\\N' : (this.#writers[index] as (cell: unknown) => string)(cell)
      line += index === 0 ? field : `\t${field}`
    }
    return `${line}\n`
  }

  async write(rows: AsyncIterable<readonly EncodedRow[]>): Promise<WriteCounts> {
    await this.#holdSequences()
    if (!this.#merges) return { ...none, inserted: await this.#copy(this.#target, rows) }
    await this.#session.rows(
      `CREATE TEMPORARY TABLE ${this.#staging.slice('pg_temp.'.length)} ON COMMIT DROP AS SELECT ${columnList(this.#columns)} FROM ${this.#target} WITH NO DATA`,
    )
    const taken = await this.#copy(this.#staging, rows)
    return this.#merge(taken)
  }

  /**
   * What a column that is left out numbers itself by goes back with the transaction, which `nextval` alone does not: an altered
   * sequence is a new one until the end. Who does not own it may not alter it.
   */
  async #holdSequences(): Promise<void> {
    for (const { name, own } of this.table.columns) {
      const { sequence } = (own ?? {}) as OwnColumn
      const state = this.table.sequences[name]
      if (sequence === undefined || state === undefined || this.#columns.includes(name)) continue
      const [found] = await this.#session.rows<{ mine: boolean }>(
        `SELECT pg_catalog.pg_has_role(relowner, 'USAGE') AS mine FROM pg_catalog.pg_class WHERE oid = ${literal(sequence)}::pg_catalog.regclass`,
      )
      if (found?.mine === true)
        await this.#session.rows(`ALTER SEQUENCE ${sequence} INCREMENT BY ${state.increment}`)
    }
  }

  /** Deletes what the file did not have; children before parents. @returns how many */
  async deleteOthers(): Promise<number> {
    if (this.#mode !== 'sync') return 0
    const same = this.#key.map((name) => `s.${identifier(name)} IS NOT DISTINCT FROM t.${identifier(name)}`)
    const [counted] = await this.#ask<{ n: string }>(
      `WITH gone AS (DELETE FROM ${this.#target} t WHERE NOT EXISTS (SELECT FROM ${this.#staging} s WHERE ${same.join(' AND ')}) RETURNING 1)
       SELECT count(*) AS n FROM gone`,
    )
    return Number(counted?.n ?? 0)
  }

  get #merges(): boolean {
    return this.#mode === 'skip' || this.#mode === 'update' || this.#mode === 'sync'
  }

  get #target(): string {
    const { schema = 'public', name } = this.table.table
    return qualifiedName(schema, name)
  }

  async #merge(taken: number): Promise<WriteCounts> {
    const key = this.#key
    const others = this.#columns.filter((name) => !key.includes(name))
    const action =
      this.#mode === 'skip' || others.length === 0
        ? 'DO NOTHING'
        : `DO UPDATE SET ${others.map((name) => `${identifier(name)} = EXCLUDED.${identifier(name)}`).join(', ')}`
    const list = columnList(this.#columns)
    const [counted] = await this.#ask<{ inserted: string; updated: string }>(
      `WITH done AS (
         INSERT INTO ${this.#target} (${list}) OVERRIDING SYSTEM VALUE SELECT ${list} FROM ${this.#staging}
         ON CONFLICT (${columnList(key)}) ${action} RETURNING (xmax = 0) AS fresh)
       SELECT count(*) FILTER (WHERE fresh) AS inserted, count(*) FILTER (WHERE NOT fresh) AS updated FROM done`,
    )
    const [inserted, updated] = [Number(counted?.inserted ?? 0), Number(counted?.updated ?? 0)]
    return { inserted, updated, skipped: taken - inserted - updated, deleted: 0 }
  }

  async #ask<Answer extends object>(sql: string): Promise<readonly Answer[]> {
    try {
      return await this.#session.rows<Answer>(sql)
    } catch (error) {
      throw asConstraint(error)
    }
  }

  async #copy(target: string, rows: AsyncIterable<readonly EncodedRow[]>): Promise<number> {
    const stream = await this.#session.copyIn(`COPY ${target} (${columnList(this.#columns)}) FROM STDIN`)
    // The server answers a broken-off COPY with an error, after the one that is thrown here.
    stream.on('error', () => undefined)
    try {
      for await (const chunk of textChunks(joined(rows), new ChunkPool(sentAtOnce))) {
        // A chunk is longer than what the socket takes on credit: when this is called, it is gone.
        if (!stream.write(chunk, () => releaseChunk(chunk))) await drained(stream)
        if (stream.errored !== null) break
      }
      await ended(stream)
      return (stream as Writable & { readonly rowCount: number }).rowCount
    } catch (error) {
      stream.destroy()
      if (error instanceof HoldfastError || stateOf(error) === undefined) throw error
      throw asConstraint(databaseFailure(error, this.#session.connection), error)
    }
  }
}

async function* joined(batches: AsyncIterable<readonly EncodedRow[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield (batch as readonly string[]).join('')
}

const none: WriteCounts = { inserted: 0, updated: 0, skipped: 0, deleted: 0 }

/** What breaks a constraint (SQLSTATE class 23) is the data's fault, and said with the row where the server says it. */
export function asConstraint(thrown: unknown, driver?: unknown): Error {
  if (!(thrown instanceof HoldfastError)) return thrown as Error
  const cause = (driver ?? thrown.cause) as { readonly detail?: string; readonly where?: string } | undefined
  const state = stateOf(cause)
  const row = /^COPY [^,]*, line (\d+)/u.exec(cause?.where ?? '')?.[1]
  const details = { ...thrown.details, ...(row === undefined ? {} : { row: Number(row) }) }
  const said = cause?.detail === undefined ? thrown.message : `${thrown.message} (${cause.detail})`
  const code = state?.startsWith('23') === true ? 'refused.constraint' : thrown.code
  return new HoldfastError(code, said, { cause: thrown.cause, details })
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('error', failed)
      resolve()
    }
    const failed = (error: Error) => {
      stream.off('drain', done)
      reject(error)
    }
    stream.once('drain', done)
    stream.once('error', failed)
  })
}

function ended(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.errored !== null) {
      reject(stream.errored)
      return
    }
    stream.once('finish', resolve)
    stream.once('error', reject)
    stream.end()
  })
}
