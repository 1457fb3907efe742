import { Transform } from 'node:stream'
import { HoldfastError } from '../../errors.js'
import { databaseDefaultsLine, sandboxLine } from './dump-head.js'
import type { ServerIdentity } from './identity.js'
import { LineHeads, type LineVerdict } from './line-heads.js'
import { mayUseSequences, withOwnSequences } from './own-sequences.js'
import { quoteName } from './quoting.js'

export interface GuardSettings {
  /** The database the dump is meant for. */
  readonly target: string
  readonly server: Pick<ServerIdentity, 'foldsCase' | 'maxAllowedPacket'>
  /** Whether the database takes on the character set that the dumped one had. */
  readonly setsDefaults: boolean
  /** The restore has made the database, or made it anew: a dump that does the same loses nothing. */
  readonly ownsDatabase: boolean
}

/** A name in backticks, or a bare one. */
const name = '(`(?:[^`]|``)+`|[^\\s;`/*]+)'
const use = new RegExp(`^\\s*(?:/\\*!\\d+\\s*)?USE\\s+${name}\\s*(?:\\*/)?\\s*;?\\s*$`, 'iu')
const databaseStatement = new RegExp(
  `^\\s*(?:/\\*!\\d+\\s*)?(CREATE(?:\\s+OR\\s+REPLACE)?|DROP|ALTER)\\s+(?:DATABASE|SCHEMA)` +
    `\\s+(?:(?:/\\*!\\d+\\s*)?IF\\s+(?:NOT\\s+)?EXISTS\\s*(?:\\*/)?\\s*)?${name}`,
  'iu',
)
/** How the tools frame what was made under another collation of the database; they write the name of the dumped one. */
const collationFrame = /^ALTER DATABASE `(?:[^`]|``)+` (CHARACTER SET \w+ COLLATE \w+ \S+)$/u
/** Where in the history of replication the dump stands: not for a target that has a history of its own. */
const replication =
  /^\s*(?:SET @@GLOBAL\.GTID_PURGED|SET @@SESSION\.SQL_LOG_BIN|SET GLOBAL gtid_slave_pos|CHANGE MASTER |CHANGE REPLICATION SOURCE )/iu
const definer = /DEFINER=`((?:[^`]|``)*)`@`((?:[^`]|``)*)`/u

/**
 * Watches a dump on its way to the client: it must stay within the target. What would reach another database is refused;
 * what is right for any database is kept. Dumps made elsewhere need it most: one made with `--databases` begins with
 * `USE`, and some scripts drop the database of their own name.
 */
export class RestoreGuard {
  readonly #settings: GuardSettings
  readonly #heads: LineHeads
  readonly #definers = new Set<string>()
  /** The name of the database that was dumped, as the dump's head has it. */
  #dumped: string | undefined
  #delimiter = ';'
  #droppingStatement = false
  #inComment = false
  #leftOutReplication = false

  constructor(settings: GuardSettings) {
    this.#settings = settings
    const { maxAllowedPacket } = settings.server
    this.#heads = new LineHeads({
      inspect: (head, whole) => this.#inspect(head, whole),
      wantsRows: () => this.#inComment || this.#droppingStatement,
      longLine: (bytes) => {
        if (bytes > maxAllowedPacket) throw tooLong(maxAllowedPacket)
      },
    })
  }

  /** @throws usage.not-supported; database.query-failed where the server cannot take a statement */
  push(chunk: Buffer): readonly Buffer[] {
    return this.#heads.push(chunk)
  }

  end(): readonly Buffer[] {
    return this.#heads.end()
  }

  /** `user@host` of whoever the objects of the dump belong to. */
  get definers(): ReadonlySet<string> {
    return this.#definers
  }

  get warnings(): readonly string[] {
    return this.#leftOutReplication
      ? ['the replication position that the dump holds was not set at the target']
      : []
  }

  #inspect(line: string, whole: boolean): LineVerdict {
    if (this.#droppingStatement) {
      if (line.trimEnd().endsWith(';')) this.#droppingStatement = false
      return 'drop'
    }
    if (this.#inComment || /^\s*\/\*(?!M?!)/u.test(line)) {
      this.#inComment = !line.includes('*/')
      return 'keep'
    }
    const delimiter = /^delimiter\s+(\S+)/iu.exec(line)?.[1]
    if (delimiter !== undefined) {
      this.#delimiter = delimiter
      return 'keep'
    }
    const owner = definer.exec(line)
    if (owner !== null) this.#definers.add(`${unquoted(owner[1])}@${unquoted(owner[2])}`)
    const frame = collationFrame.exec(line)?.[1]
    if (frame?.endsWith(` ${this.#delimiter}`) === true) return { replace: `ALTER DATABASE ${frame}` }
    this.#dumped ??= /^-- Host: .* {4}Database: (.+)$/u.exec(line)?.[1]
    const kept = this.#withoutSemicolon(line) ?? this.#unqualified(line)
    if (kept !== undefined) return { replace: kept }
    // What stands between other delimiters is the body of a routine, a trigger or an event.
    return this.#delimiter === ';' ? this.#inspectStatement(line, whole) : 'keep'
  }

  /**
   * MySQL keeps the semicolon of a trigger that was made in one message with other statements, as Node's migration tools do,
   * and its own dump of it is a syntax error.
   */
  #withoutSemicolon(line: string): string | undefined {
    const end = `*/${this.#delimiter}`
    if (this.#delimiter === ';' || !line.endsWith(end)) return undefined
    const body = line.slice(0, -end.length).trimEnd()
    return body.endsWith(';') ? `${body.slice(0, -1)} ${end}` : undefined
  }

  /** Everything in a dump but sequences and some views does without the name of the database. */
  #unqualified(line: string): string | undefined {
    if (this.#dumped === undefined || this.#delimiter !== ';' || !mayUseSequences(line)) return undefined
    const mended = withOwnSequences(withOwnColumns(line, this.#dumped), this.#dumped)
    return mended === line ? undefined : mended
  }

  #inspectStatement(line: string, whole: boolean): LineVerdict {
    if (sandboxLine.test(line)) return 'drop'
    if (databaseDefaultsLine.test(line)) return this.#settings.setsDefaults ? 'keep' : 'drop'
    if (replication.test(line) && whole) {
      this.#leftOutReplication = true
      this.#droppingStatement = !line.trimEnd().endsWith(';')
      return 'drop'
    }
    for (const statement of line.length < 500 ? line.split(';') : [line]) this.#checkDatabase(statement)
    return 'keep'
  }

  #checkDatabase(statement: string): void {
    const used = use.exec(statement)?.[1]
    if (used !== undefined && !this.#isTarget(used))
      throw this.#elsewhere(`uses the database ${unquoted(used)}`)
    const [, verb = '', named] = databaseStatement.exec(statement) ?? []
    if (named === undefined || /^(?:CHARACTER|CHARSET|DEFAULT|COLLATE)$/iu.test(named)) return
    if (!this.#isTarget(named))
      throw this.#elsewhere(`makes, changes or drops the database ${unquoted(named)}`)
    if (verb.toUpperCase() !== 'DROP' || this.#settings.ownsDatabase) return
    throw new HoldfastError(
      'usage.not-supported',
      `the dump drops the database ${unquoted(named)} with all that is in it`,
      {
        hint: 'if that is wanted, say so with --clean database',
      },
    )
  }

  #isTarget(named: string): boolean {
    const [a, b] = [unquoted(named), this.#settings.target]
    return a === b || (this.#settings.server.foldsCase && a.toLowerCase() === b.toLowerCase())
  }

  #elsewhere(what: string): HoldfastError {
    return new HoldfastError('usage.not-supported', `the dump ${what}, not ${this.#settings.target}`, {
      hint: 'restore it into a database of that name, or make the dump without --databases',
    })
  }
}

/** MariaDB writes columns with the name of their database where a view's owner is gone or may not read the table. */
function withOwnColumns(line: string, dumped: string): string {
  if (!line.startsWith('/*!50001 VIEW ')) return line
  const database = `${quoteName(dumped)}.`
  // `database`.`table`.`column`, and never `table`.`column` of a table that is called like its database.
  return line
    .split(database)
    .reduce((text, rest) => text + (/^`(?:[^`]|``)+`\.`/u.test(rest) ? '' : database) + rest)
}

/** The guard as a stage of a pipeline; `passed` is called before the first byte is let through. */
export function guarding(
  guard: RestoreGuard,
  end: (chunk?: Uint8Array) => void,
  passed: () => void,
): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        end(chunk)
        const pieces = guard.push(chunk)
        passed()
        for (const piece of pieces) if (piece.length > 0) this.push(piece)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      try {
        end()
        for (const piece of guard.end()) this.push(piece)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}

function tooLong(maxAllowedPacket: number): HoldfastError {
  return new HoldfastError(
    'database.query-failed',
    `the dump holds a row that is longer than max_allowed_packet of the server, ${maxAllowedPacket} bytes`,
    { hint: 'raise max_allowed_packet at the server (up to 1 GiB), then run the restore again' },
  )
}

function unquoted(text = ''): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('``', '`') : text.replaceAll('``', '`')
}
