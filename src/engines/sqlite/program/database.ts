import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type * as Driver from '@photostructure/sqlite'
import { HoldfastError, type ErrorCode } from '../../../errors.js'

/** How long to wait for other processes' locks. */
export const busyTimeoutMs = 30_000

/** `read` and `write` take part in locking; `private` is for a file that nobody writes to. None makes a file. */
export type Access = 'read' | 'write' | 'private'

export type Row = Readonly<Record<string, unknown>>

/** A connection, with what the driver leaves untyped put in types, and with errors that have codes. */
export class Database {
  readonly path: string
  readonly driver: Driver.DatabaseSyncInstance
  /** The driver's iterators do not keep their statement from being collected, and crash when it is. */
  readonly #running = new Set<Driver.StatementSyncInstance>()

  constructor(path: string, driver: Driver.DatabaseSyncInstance) {
    this.path = path
    this.driver = driver
  }

  execute(sql: string): void {
    this.#attempt(() => this.driver.exec(sql))
  }

  /** Integers come as bigint. */
  rows(sql: string, ...parameters: (string | number)[]): Row[] {
    return this.#attempt(() => this.#prepare(sql).all(...parameters) as Row[])
  }

  row(sql: string, ...parameters: (string | number)[]): Row | undefined {
    return this.rows(sql, ...parameters)[0]
  }

  /** A question to be asked many times, with one row as the answer. */
  prepare(sql: string): (...parameters: (bigint | number)[]) => Row | undefined {
    const statement = this.#attempt(() => this.#prepare(sql))
    return (...parameters) => this.#attempt(() => statement.get(...parameters) as Row | undefined)
  }

  /** The one value of the one row. */
  value(sql: string): unknown {
    return Object.values(this.row(sql) ?? {})[0]
  }

  text(sql: string): string {
    return String(this.value(sql))
  }

  number(sql: string): number {
    return Number(this.value(sql))
  }

  /** The first column of each row, one row at a time. */
  *column(sql: string): Generator<unknown> {
    const statement = this.#attempt(() => this.#prepare(sql))
    statement.setReturnArrays(true)
    this.#running.add(statement)
    try {
      for (const row of statement.iterate() as Iterable<unknown[]>) yield row[0]
    } catch (error) {
      throw databaseError(error, this.path)
    } finally {
      this.#running.delete(statement)
    }
  }

  close(): void {
    this.driver.close()
  }

  #prepare(sql: string): Driver.StatementSyncInstance {
    const statement = this.driver.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }

  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw databaseError(error, this.path)
    }
  }
}

/**
 * Opens an existing file, and reads its schema, which takes a lock for a moment and rolls back what a killed writer left.
 * @throws database.not-found, database.corrupt, database.busy, database.denied, tool.missing
 */
export async function openDatabase(path: string, access: Access): Promise<Database> {
  requireFile(path)
  const { DatabaseSync } = await loadDriver()
  const location = pathToFileURL(path)
  location.search = access === 'private' ? 'mode=ro&immutable=1' : 'mode=rw'
  try {
    const driver = new DatabaseSync(location.href, {
      timeout: busyTimeoutMs,
      // Schemas from before SQLite 3.29 may use "text" for 'text'.
      enableDoubleQuotedStringLiterals: true,
      enableForeignKeyConstraints: false,
      // A dump writes virtual tables into the schema, and rows into their shadow tables.
      defensive: access !== 'write',
    })
    if (access !== 'write') driver.exec('PRAGMA query_only = ON')
    const database = new Database(path, driver)
    // Without it, pages that are damaged in a way that only looks odd are read as they are.
    database.execute('PRAGMA cell_size_check = ON')
    database.number('SELECT count(*) FROM sqlite_schema')
    return database
  } catch (error) {
    throw databaseError(error, path)
  }
}

export async function loadDriver(): Promise<typeof Driver> {
  try {
    return await import('@photostructure/sqlite')
  } catch (error) {
    throw new HoldfastError('tool.missing', 'the SQLite driver @photostructure/sqlite cannot be loaded', {
      cause: error,
      hint: 'install holdfast anew on this machine, without --omit',
    })
  }
}

function requireFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new HoldfastError('database.not-found', `${path} does not exist`)
  if (!found.isFile()) throw new HoldfastError('database.not-found', `${path} is not a file`)
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that have a code of ours, with SQLite's text for them. */
const failures: readonly { readonly result: number; readonly text: string; readonly code: ErrorCode }[] = [
  { result: 5, text: 'database is locked', code: 'database.busy' },
  { result: 6, text: 'database table is locked', code: 'database.busy' },
  { result: 8, text: 'attempt to write a readonly database', code: 'database.denied' },
  { result: 11, text: 'database disk image is malformed', code: 'database.corrupt' },
  { result: 11, text: 'malformed database schema', code: 'database.corrupt' },
  { result: 13, text: 'database or disk is full', code: 'storage.full' },
  { result: 14, text: 'unable to open database file', code: 'database.denied' },
  { result: 26, text: 'file is not a database', code: 'database.corrupt' },
]

const notADatabase = 26

export function databaseError(thrown: unknown, path: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  // The driver gives no result code with the errors of some of its calls, but always SQLite's text.
  const { message = String(thrown), errcode = 0 } = thrown as { message?: string; errcode?: number }
  const known = failures.find(({ result, text }) => result === (errcode & 0xff) || message.startsWith(text))
  const what = known?.result === notADatabase ? 'it is not a SQLite database, or it is encrypted' : message
  return new HoldfastError(known?.code ?? 'database.query-failed', `${path}: ${what}`, { cause: thrown })
}
