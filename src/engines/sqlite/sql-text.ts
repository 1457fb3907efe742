import { isUtf8 } from 'node:buffer'

/** Where a reader of SQL stands: between tokens, or inside what only its own end can close. */
type Place = 'plain' | 'single' | 'double' | 'backtick' | 'bracket' | 'line-comment' | 'block-comment'

const quotes = new Map<number, Place>([
  [0x27, 'single'],
  [0x22, 'double'],
  [0x60, 'backtick'],
  [0x5b, 'bracket'],
])
const closers: Readonly<Partial<Record<Place, number>>> = {
  single: 0x27,
  double: 0x22,
  backtick: 0x60,
  bracket: 0x5d,
  'line-comment': 0x0a,
}
const [semicolon, dash, slash, star] = [0x3b, 0x2d, 0x2f, 0x2a]

/** The kinds of bytes outside quotes: part of a word, blank, or a token by itself. */
const isWord = byteTable((byte) => /[A-Za-z0-9_$]/u.test(String.fromCharCode(byte)) || byte >= 0x80)
const isBlank = byteTable((byte) => [0x20, 0x09, 0x0a, 0x0c, 0x0d].includes(byte))

function byteTable(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0))
}

/** Longer words are no keywords. */
const longestKeyword = 12

/**
 * Cuts SQL into statements as SQLite's shell does: at semicolons outside quotes and comments, but in CREATE TRIGGER only after
 * `END` (https://sqlite.org/c3ref/complete.html). Takes bytes in any pieces and reads each once.
 */
export class StatementSplitter {
  #place: Place = 'plain'
  /** The byte before, where it may begin `--`, `/*` or end a block comment. */
  #previous = 0
  #word = ''
  /** Whether the statement begins like a trigger: how far it matched. */
  #head: 'start' | 'create' | 'trigger' | 'other' = 'start'
  /** In a trigger: what came since the last token that matters for its end. */
  #tail: 'body' | 'semicolon' | 'end' = 'body'
  #pieces: Buffer[] = []

  /** Statements that end in this piece, each with its semicolon. */
  push(piece: Buffer): Buffer[] {
    const statements: Buffer[] = []
    let from = 0
    let at = 0
    while (at < piece.length) {
      if (this.#place !== 'plain') {
        at = this.#skip(piece, at)
        continue
      }
      if (this.#plain(piece[at] as number)) {
        const end = piece.subarray(from, at + 1)
        statements.push(this.#pieces.length === 0 ? end : Buffer.concat([...this.#pieces, end]))
        this.#pieces = []
        from = at + 1
      }
      at++
    }
    if (from < piece.length) this.#pieces.push(piece.subarray(from))
    return statements
  }

  /** What stands after the last statement. */
  rest(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** Whether the rest is only blanks and comments. */
  get atEnd(): boolean {
    const inComment = this.#place === 'line-comment' || this.#place === 'block-comment'
    return (this.#place === 'plain' || inComment) && this.#head === 'start' && this.#word === ''
  }

  /** To the end of a quoted text or comment; gives the position after it. */
  #skip(piece: Buffer, at: number): number {
    const closer = closers[this.#place]
    if (closer === undefined) return this.#skipBlockComment(piece, at)
    const end = piece.indexOf(closer, at)
    if (end < 0) return piece.length
    this.#place = 'plain'
    this.#previous = 0
    return end + 1
  }

  #skipBlockComment(piece: Buffer, at: number): number {
    for (let index = at; index < piece.length; index++) {
      const byte = piece[index] as number
      if (this.#previous === star && byte === slash) {
        this.#place = 'plain'
        this.#previous = 0
        return index + 1
      }
      this.#previous = byte
    }
    return piece.length
  }

  /** One byte outside quotes; true where it ends the statement. */
  #plain(byte: number): boolean {
    if (isWord[byte] === 1) {
      if (this.#word.length < longestKeyword) this.#word += String.fromCharCode(byte)
      this.#previous = 0
      return false
    }
    if (this.#word !== '') this.#endWord()
    const opened = quotes.get(byte)
    if (opened !== undefined) {
      this.#place = opened
      this.#token()
    } else if ((byte === dash && this.#previous === dash) || (byte === star && this.#previous === slash)) {
      this.#place = byte === dash ? 'line-comment' : 'block-comment'
      this.#previous = 0
      return false
    } else if (byte === semicolon) {
      return this.#semicolon()
    } else if (isBlank[byte] !== 1 && byte !== dash && byte !== slash) {
      this.#token()
    }
    this.#previous = byte
    return false
  }

  #semicolon(): boolean {
    this.#previous = 0
    if (this.#head === 'trigger' && this.#tail !== 'end') {
      this.#tail = 'semicolon'
      return false
    }
    this.#head = 'start'
    this.#tail = 'body'
    return true
  }

  /** A token that is neither blank nor a word nor a semicolon. */
  #token(): void {
    if (this.#head !== 'trigger') this.#head = 'other'
    this.#tail = 'body'
  }

  #endWord(): void {
    const word = this.#word.toUpperCase()
    this.#word = ''
    if (this.#head === 'trigger') this.#tail = this.#tail === 'semicolon' && word === 'END' ? 'end' : 'body'
    else if (this.#head === 'start')
      this.#head = word === 'CREATE' ? 'create' : word === 'EXPLAIN' ? 'start' : 'other'
    else if (this.#head === 'create') {
      if (word === 'TRIGGER') this.#head = 'trigger'
      else if (word !== 'TEMP' && word !== 'TEMPORARY') this.#head = 'other'
    }
  }
}

/** The first tokens of a statement, without blanks and comments: words in capitals, names and strings without quotes. */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'symbol'
  readonly text: string
}

const tokenPattern =
  /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|([\w$\u0080-\uffff]+)|(\S))/gu

export function* tokensOf(sql: string): Generator<Token> {
  for (const [, single, double, backtick, bracket, word, symbol] of sql.matchAll(tokenPattern)) {
    if (single !== undefined) yield { kind: 'string', text: single.replaceAll("''", "'") }
    else if (double !== undefined) yield { kind: 'name', text: double.replaceAll('""', '"') }
    else if (backtick !== undefined) yield { kind: 'name', text: backtick.replaceAll('``', '`') }
    else if (bracket !== undefined) yield { kind: 'name', text: bracket }
    else if (word !== undefined) yield { kind: 'word', text: word }
    else yield { kind: 'symbol', text: symbol ?? '' }
  }
}

/**
 * Whole statements as UTF-8: a string that holds other bytes, as SQLite lets any text do, becomes `CAST(x'…' AS TEXT)`.
 */
export function repairText(sql: Buffer): Buffer {
  const out: Buffer[] = []
  let written = 0
  for (let at = 0; at < sql.length;) {
    const end = endOfToken(sql, at)
    if (sql[at] === 0x27 && !isUtf8(sql.subarray(at, end))) {
      const content = sql
        .subarray(at + 1, end - 1)
        .toString('latin1')
        .replaceAll("''", "'")
      out.push(
        sql.subarray(written, at),
        Buffer.from(`CAST(x'${Buffer.from(content, 'latin1').toString('hex')}' AS TEXT)`),
      )
      written = end
    }
    at = end
  }
  return Buffer.concat([...out, sql.subarray(written)])
}

/** The end of the string, name or comment that begins here; of the one byte where none does. */
function endOfToken(sql: Buffer, at: number): number {
  const byte = sql[at] as number
  const after = (end: number, length: number) => (end < 0 ? sql.length : end + length)
  if (byte === dash && sql[at + 1] === dash) return after(sql.indexOf(0x0a, at), 1)
  if (byte === slash && sql[at + 1] === star) return after(sql.indexOf('*/', at + 2), 2)
  const place = quotes.get(byte)
  const closer = place === undefined ? undefined : closers[place]
  if (closer === undefined) return at + 1
  let end = sql.indexOf(closer, at + 1)
  // A doubled quote stands for itself.
  while (end >= 0 && closer !== 0x5d && sql[end + 1] === closer) end = sql.indexOf(closer, end + 2)
  return after(end, 1)
}
