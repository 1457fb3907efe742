import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../../../errors.js'
import { repairText, tokensOf, type Token } from '../sql-text.js'
import { quoteName, quoteText } from '../quoting.js'
import type { Database } from './database.js'
import { sayWarning } from './output.js'
import type { LoadMode } from './protocol.js'

const batchBytes = 256 * 1024
/** Enough of a statement to know what it does. */
const headBytes = 16 * 1024
/** Nearly every statement of a dump, known without taking it apart. */
const plainInsert = /^\s*INSERT INTO (?!["'`[]?sqlite_)/iu

type ObjectType = 'table' | 'index' | 'view' | 'trigger'

/** A PRAGMA of a dump: run always, only in a new file, only where the dump replaces something, or not at all. */
const pragmas: Readonly<Record<string, 'always' | 'new' | 'replacing' | 'left out'>> = {
  writable_schema: 'always',
  page_size: 'new',
  encoding: 'new',
  auto_vacuum: 'new',
  user_version: 'replacing',
  application_id: 'replacing',
  foreign_keys: 'left out',
  defer_foreign_keys: 'left out',
  journal_mode: 'left out',
  synchronous: 'left out',
}

/** Runs the statements of a dump in one transaction, minding what is in the database already. */
export class Loader {
  readonly #database: Database
  readonly #mode: LoadMode
  #batch: Buffer[] = []
  #batched = 0
  readonly #made = new Set<string>()
  #inTransaction = false
  #dumpTransaction: 'none' | 'open' | 'committed' = 'none'
  #statements = 0

  constructor(database: Database, mode: LoadMode) {
    this.#database = database
    this.#mode = mode
  }

  run(statement: Buffer): void {
    if (plainInsert.test(statement.toString('latin1', 0, 64))) this.#change(statement)
    else this.#runOther(statement)
  }

  #runOther(statement: Buffer): void {
    const tokens = tokensOf(statement.subarray(0, headBytes).toString('utf8'))
    const first = tokens.next()
    if (first.done === true || first.value.text === ';') return
    const word = first.value.kind === 'word' ? first.value.text.toUpperCase() : ''
    if (['ATTACH', 'DETACH', 'VACUUM'].includes(word)) {
      throw new HoldfastError('integrity.format', `the SQL has a statement that no dump has: ${word}`)
    }
    if (word === 'PRAGMA') this.#pragma(statement, tokens)
    else if (!this.#transaction(word, tokens) && !this.#clash(word, tokens)) this.#change(statement)
  }

  /** @throws integrity.truncated, integrity.empty */
  finish(): void {
    this.#flush()
    if (this.#dumpTransaction === 'open')
      throw new HoldfastError('integrity.truncated', 'the SQL has no COMMIT at its end')
    if (this.#statements === 0 && this.#dumpTransaction === 'none')
      throw new HoldfastError('integrity.empty', 'the SQL is empty')
    if (this.#dumpTransaction === 'none')
      sayWarning('the SQL has no COMMIT: whether it is whole cannot be seen')
    if (this.#inTransaction) this.#database.execute('COMMIT')
  }

  /** The dump's transaction is only its mark of being whole: the real one is around everything. */
  #transaction(word: string, tokens: Iterator<Token>): boolean {
    if (word === 'BEGIN') this.#dumpTransaction = 'open'
    else if (word === 'COMMIT' || word === 'END') this.#dumpTransaction = 'committed'
    else if (word === 'ROLLBACK' && next(tokens)?.text.toUpperCase() !== 'TO') {
      throw new HoldfastError(
        'integrity.format',
        'the dump ends in ROLLBACK: it was made from a damaged database',
      )
    } else return false
    return true
  }

  #pragma(statement: Buffer, tokens: Iterator<Token>): void {
    const name = next(tokens)?.text.toLowerCase() ?? ''
    const use = pragmas[name]
    if (use === undefined) sayWarning(`PRAGMA ${name} was not run`)
    if (name === 'encoding' && this.#mode !== 'new') this.#requireEncoding(tokens)
    const isNew = this.#mode === 'new'
    if (!(use === 'always' || (use === 'new' && isNew) || (use === 'replacing' && this.#mode !== 'none')))
      return
    const sql = statement.toString('utf8')
    // RESET also reads the schema again, with what was written into it.
    if (name === 'writable_schema' && /\b(off|0|false|no|reset)\b/iu.test(sql))
      this.#add(Buffer.from('PRAGMA writable_schema=RESET;'))
    else this.#add(statement)
    if (use === 'new') this.#flush()
  }

  #requireEncoding(tokens: Iterator<Token>): void {
    next(tokens)
    const wanted = next(tokens)?.text ?? ''
    const found = this.#database.text('PRAGMA encoding')
    if (wanted.replaceAll('-', '').toLowerCase() === found.replaceAll('-', '').toLowerCase()) return
    throw new HoldfastError('usage.not-supported', `the dump is in ${wanted} and the database in ${found}`, {
      hint: 'restore with --clean database',
    })
  }

  #change(statement: Buffer): void {
    this.#begin()
    this.#statements++
    this.#add(statement)
  }

  /** What would meet something that is in the database already; true where that has been done instead of the statement. */
  #clash(word: string, tokens: Iterator<Token>): boolean {
    if (this.#mode === 'new') return false
    this.#begin()
    const object =
      word === 'CREATE' ? createdObject(tokens) : word === 'INSERT' ? schemaEntry(tokens) : undefined
    if (object !== undefined) this.#makeRoom(object)
    if (word !== 'DELETE') return false
    const rest = [...take(tokens, 3)].map(({ text }) => text.toLowerCase()).join(' ')
    if (rest !== 'from sqlite_sequence ;') return false
    // Counters of other tables are not the dump's.
    const names = [...this.#made].map(quoteText).join(',')
    this.#add(Buffer.from(`DELETE FROM sqlite_sequence WHERE lower(name) IN (${names});`))
    return true
  }

  /** Drops what has the name of something the dump makes. @throws refused.not-empty in mode `none` */
  #makeRoom(name: string): void {
    if (this.#made.has(lower(name))) return
    this.#made.add(lower(name))
    this.#flush()
    const found = this.#database.row(
      'SELECT type, name FROM sqlite_schema WHERE lower(name) = lower(?)',
      name,
    )
    if (found === undefined) return
    if (this.#mode === 'none') {
      throw new HoldfastError(
        'refused.not-empty',
        `${this.#database.path} has ${String(found['type'])} ${name} already`,
      )
    }
    this.#database.execute(
      `DROP ${(found['type'] as ObjectType).toUpperCase()} ${quoteName(String(found['name']))}`,
    )
  }

  #begin(): void {
    if (this.#inTransaction) return
    this.#flush()
    this.#database.execute('BEGIN IMMEDIATE')
    this.#inTransaction = true
  }

  #add(statement: Buffer): void {
    this.#batch.push(statement)
    this.#batched += statement.length
    if (this.#batched >= batchBytes) this.#flush()
  }

  #flush(): void {
    if (this.#batched === 0) return
    const sql = Buffer.concat(this.#batch)
    this.#batch = []
    this.#batched = 0
    this.#database.execute((isUtf8(sql) ? sql : repairText(sql)).toString('utf8'))
  }
}

/** As SQLite compares names: only ASCII letters without regard to case. */
function lower(name: string): string {
  return name.replace(/[A-Z]/gu, (letter) => letter.toLowerCase())
}

function next(tokens: Iterator<Token>): Token | undefined {
  const result = tokens.next()
  return result.done === true ? undefined : result.value
}

function* take(tokens: Iterator<Token>, count: number): Generator<Token> {
  for (let taken = 0; taken < count; taken++) {
    const token = next(tokens)
    if (token !== undefined) yield token
  }
}

/** The name in CREATE [UNIQUE | VIRTUAL] TABLE | INDEX | VIEW | TRIGGER [IF NOT EXISTS] [schema.]name; none for TEMP. */
function createdObject(tokens: Iterator<Token>): string | undefined {
  let token = next(tokens)
  const isWord = (...words: string[]) => token?.kind === 'word' && words.includes(token.text.toUpperCase())
  if (isWord('TEMP', 'TEMPORARY')) return undefined
  while (isWord('UNIQUE', 'VIRTUAL', 'TABLE', 'INDEX', 'VIEW', 'TRIGGER', 'IF', 'NOT', 'EXISTS'))
    token = next(tokens)
  const name = token?.text
  return next(tokens)?.text === '.' ? next(tokens)?.text : name
}

/** The name in INSERT INTO sqlite_schema(type,name,…)VALUES('table','docs',…), by which a dump makes a virtual table. */
function schemaEntry(tokens: Iterator<Token>): string | undefined {
  const [, table] = take(tokens, 2)
  if (table === undefined || !/^sqlite_(schema|master)$/iu.test(table.text)) return undefined
  const strings: string[] = []
  for (let token = next(tokens); token !== undefined && strings.length < 2; token = next(tokens)) {
    if (token.kind === 'string') strings.push(token.text)
  }
  return strings[1]
}
