import { Transform, type TransformCallback } from 'node:stream'

/** What is being read: nothing yet, a statement, a comment, quoted text, or the rows of a COPY. */
type Mode = 'between' | 'statement' | 'comment' | 'quoted' | 'copy'

const byte = (character: string) => character.charCodeAt(0)
const [semicolon, dash, dollar, backslash] = [byte(';'), byte('-'), byte('$'), byte('\\')]
const [lineFeed, carriageReturn] = [byte('\n'), byte('\r')]
const quotes: ReadonlyMap<number, Buffer> = new Map(
  ["'", '"'].map((quote) => [byte(quote), Buffer.from(quote)]),
)
const endOfRows = Buffer.from('\n\\.')
const dollarTag = /^\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/u
/** PostgreSQL's own limit for names, with room to spare. */
const longestTag = 256
/** A statement that is longer is none of the unwanted, nor a COPY. */
const longestHeld = 256 * 1024

/**
 * Passes on SQL as pg_dump writes it, without some statements, wherever they stand as statements: never in a row, a function's
 * body or a comment. Of SQL's grammar it knows what tells these apart: quotes (pg_dump always doubles those within, so that a
 * text that ends and one that begins right after are as good as one), dollar quotes, comments, and COPY's rows up to `\.`.
 */
export class SqlFilter extends Transform {
  readonly #unwanted: ReadonlySet<string>
  #mode: Mode = 'between'
  /** What ends the quoted text. */
  #closing: Buffer = Buffer.alloc(0)
  /** The statement so far, not yet passed on. */
  #held: Buffer[] = []
  #heldBytes = 0
  /** The statement is too long to be of interest and has been passed on in part. */
  #released = false
  /** Bytes that only what follows makes sense of. */
  #rest: Buffer = Buffer.alloc(0)

  /** @param unwanted statements, exactly as they are written, without their semicolon */
  constructor(unwanted: Iterable<string>) {
    super()
    this.#unwanted = new Set(unwanted)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (let next = -1; at < bytes.length; at = next) {
      next = this.#step(bytes, at)
      if (next === at) break
    }
    this.#rest = bytes.subarray(at)
    done()
  }

  override _flush(done: TransformCallback): void {
    for (const piece of [...this.#held, this.#rest]) this.push(piece)
    done()
  }

  /** Reads on from a place; gives the next, or the same where more bytes are needed. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#mode) {
      case 'between':
        return this.#between(bytes, at)
      case 'statement':
        return this.#statement(bytes, at)
      case 'comment':
        return this.#comment(bytes, at)
      case 'quoted':
        return this.#quoted(bytes, at)
      case 'copy':
        return this.#copy(bytes, at)
    }
  }

  #between(bytes: Buffer, at: number): number {
    let end = at
    while (end < bytes.length && (bytes[end] ?? 0) <= 0x20) end++
    if (end > at) return this.#keep(bytes, at, end)
    if (bytes[at] === dash && at + 1 === bytes.length) return at
    // A command of psql's own ends with its line, as a comment does.
    const untilLineEnd = bytes[at] === backslash || (bytes[at] === dash && bytes[at + 1] === dash)
    this.#mode = untilLineEnd ? 'comment' : 'statement'
    return untilLineEnd ? this.#keep(bytes, at, at + 1) : this.#statement(bytes, at)
  }

  #statement(bytes: Buffer, at: number): number {
    for (let end = at; end < bytes.length; end++) {
      const here = bytes[end] ?? 0
      if (here === semicolon) return this.#endStatement(bytes, at, end)
      const quote = quotes.get(here)
      if (quote !== undefined) return this.#beginQuoted(bytes, at, end + 1, quote)
      if (here === dash && bytes[end + 1] === dash) {
        this.#mode = 'comment'
        return this.#keep(bytes, at, end + 2)
      }
      if (here === dollar) {
        const tag = dollarTag.exec(bytes.toString('latin1', end, end + longestTag))?.[0]
        if (tag !== undefined)
          return this.#beginQuoted(bytes, at, end + tag.length, Buffer.from(tag, 'latin1'))
      }
      // A comment or a tag that the next bytes complete.
      const unsure =
        (here === dash && end + 1 === bytes.length) || (here === dollar && end + longestTag > bytes.length)
      if (
        unsure &&
        !(here === dollar && /^\$[\w\x80-\xff]*[^\w$\x80-\xff]/u.test(bytes.toString('latin1', end)))
      ) {
        return end === at ? at : this.#keep(bytes, at, end)
      }
    }
    return this.#keep(bytes, at, bytes.length)
  }

  #beginQuoted(bytes: Buffer, at: number, end: number, closing: Buffer): number {
    this.#mode = 'quoted'
    this.#closing = closing
    return this.#keep(bytes, at, end)
  }

  #quoted(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(this.#closing, at)
    if (found === -1) return this.#keep(bytes, at, Math.max(at, bytes.length - this.#closing.length + 1))
    this.#mode = 'statement'
    return this.#keep(bytes, at, found + this.#closing.length)
  }

  #comment(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(lineFeed, at)
    if (found !== -1) this.#mode = this.#inStatement() ? 'statement' : 'between'
    return this.#keep(bytes, at, found === -1 ? bytes.length : found + 1)
  }

  /** Rows end with a line of `\.`; in rows themselves a backslash is doubled. */
  #copy(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(endOfRows, at)
    if (found === -1) return this.#keep(bytes, at, Math.max(at, bytes.length - endOfRows.length + 1))
    const after = found + endOfRows.length
    if (after === bytes.length) return found === at ? at : this.#keep(bytes, at, found)
    if (bytes[after] === lineFeed || bytes[after] === carriageReturn) this.#mode = 'between'
    return this.#keep(bytes, at, after)
  }

  #endStatement(bytes: Buffer, at: number, end: number): number {
    const statement = this.#released
      ? ''
      : Buffer.concat([...this.#held, bytes.subarray(at, end)]).toString('utf8')
    this.#mode = statement.startsWith('COPY ') && statement.endsWith(' FROM stdin') ? 'copy' : 'between'
    if (!this.#unwanted.has(statement)) {
      for (const piece of this.#held) this.push(piece)
      this.push(bytes.subarray(at, end + 1))
    }
    this.#held = []
    this.#heldBytes = 0
    this.#released = false
    return end + 1
  }

  #inStatement(): boolean {
    return this.#heldBytes > 0 || this.#released
  }

  /** Passes bytes on, or holds them where they belong to a statement that may be unwanted. */
  #keep(bytes: Buffer, at: number, end: number): number {
    if (end === at) return at
    const piece = bytes.subarray(at, end)
    const ofStatement = this.#mode === 'statement' || this.#mode === 'quoted' || this.#inStatement()
    if (!ofStatement || this.#mode === 'copy' || this.#released) {
      this.push(piece)
      return end
    }
    this.#held.push(piece)
    this.#heldBytes += piece.length
    if (this.#heldBytes > longestHeld) {
      for (const held of this.#held) this.push(held)
      this.#held = []
      this.#heldBytes = 0
      this.#released = true
    }
    return end
  }
}
