import { createReadStream } from 'node:fs'
import { HoldfastError } from '../../errors.js'

const largestObject = 64 * 1024 * 1024
const deepest = 500

/** One object of a file, as it stands there. */
export interface PlacedObject {
  readonly text: string
  /** The line of its first character, from 1. */
  readonly line: number
  /** The bytes from `start` to before `end`. */
  readonly start: number
  readonly end: number
}

/** A part of a file that begins with an object. */
export interface FileRange {
  readonly start: number
  readonly end: number
  /** The line of its first character. */
  readonly line: number
}

const code = {
  lineFeed: 10,
  quote: 34,
  comma: 44,
  backslash: 92,
  openList: 91,
  closeList: 93,
  open: 123,
  close: 125,
}
const blanks: ReadonlySet<number> = new Set([9, 10, 13, 32])

/**
 * The objects of a JSON array, or of lines of JSON, one at a time, so that a file may be of any size.
 * @param range only this part of the file, of which a first reading has shown that it is whole
 * @throws integrity.format, integrity.truncated, naming the line
 */
export async function* jsonObjects(
  path: string,
  name: string,
  signal: AbortSignal,
  range?: FileRange,
): AsyncGenerator<PlacedObject> {
  const splitter = new ObjectSplitter(name, range)
  const options = range === undefined ? {} : { start: range.start, end: range.end - 1 }
  for await (const piece of createReadStream(path, { signal, ...options }))
    yield* splitter.push(piece as Buffer)
  splitter.end()
}

class ObjectSplitter {
  readonly #name: string
  readonly #isPart: boolean
  #line: number
  #offset: number
  /** Whether objects stand in an array, once that is known; and what may come between them. */
  #array: 'unknown' | 'open' | 'none' | 'closed' = 'unknown'
  #separated = true
  #depth = 0
  #inString = false
  #escaped = false
  #held: Buffer[] = []
  #heldLength = 0
  #begin = { line: 0, offset: 0 }

  constructor(name: string, range: FileRange | undefined) {
    this.#name = name
    this.#isPart = range !== undefined
    this.#line = range?.line ?? 1
    this.#offset = range?.start ?? 0
  }

  *push(piece: Buffer): Generator<PlacedObject> {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0
      if (byte === code.lineFeed) this.#line += 1
      if (this.#depth === 0) {
        if (!this.#between(byte)) continue
        from = at
        this.#begin = { line: this.#line, offset: this.#offset + at }
        this.#depth = 1
      } else if (this.#within(byte)) {
        yield this.#object(piece.subarray(from, at + 1), this.#offset + at + 1)
      }
    }
    this.#offset += piece.length
    if (this.#depth > 0) {
      this.#held.push(piece.subarray(from))
      this.#heldLength += piece.length - from
      if (this.#heldLength > largestObject)
        throw this.#wrong(`an object is larger than ${largestObject} bytes`, this.#begin.line)
    }
  }

  end(): void {
    if (this.#isPart) return
    if (this.#depth > 0 || this.#array === 'open')
      throw new HoldfastError(
        'integrity.truncated',
        `${this.#name}:${this.#line}: ends in the middle: it is cut off`,
      )
  }

  #object(last: Buffer, end: number): PlacedObject {
    const bytes = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last])
    this.#held = []
    this.#heldLength = 0
    this.#separated = false
    return { text: bytes.toString('utf8'), line: this.#begin.line, start: this.#begin.offset, end }
  }

  /** Whether an object begins with this byte, which stands in none. */
  #between(byte: number): boolean {
    if (blanks.has(byte)) {
      if (byte === code.lineFeed && this.#array === 'none') this.#separated = true
      return false
    }
    if (this.#isPart) return byte === code.open
    if (this.#array === 'unknown') {
      // A byte order mark may stand before everything.
      if (this.#line === 1 && byte >= 0xbb) return false
      this.#array = byte === code.openList ? 'open' : 'none'
      if (byte === code.openList) return false
    }
    if (byte === code.comma && this.#array === 'open' && !this.#separated) {
      this.#separated = true
      return false
    }
    if (byte === code.closeList && this.#array === 'open') {
      this.#array = 'closed'
      return false
    }
    if (byte === code.open && this.#separated && this.#array !== 'closed') return true
    throw this.#wrong(`${JSON.stringify(String.fromCharCode(byte))} where an object should be`, this.#line)
  }

  /** Whether the object ends with this byte. */
  #within(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === code.backslash) this.#escaped = true
      else if (byte === code.quote) this.#inString = false
      return false
    }
    if (byte === code.quote) this.#inString = true
    else if (byte === code.open || byte === code.openList) {
      this.#depth += 1
      if (this.#depth > deepest) throw this.#wrong(`values are nested deeper than ${deepest}`, this.#line)
    } else if (byte === code.close || byte === code.closeList) {
      this.#depth -= 1
      return this.#depth === 0
    }
    return false
  }

  #wrong(reason: string, line: number): HoldfastError {
    return new HoldfastError('integrity.format', `${this.#name}:${line}: ${reason}`, {
      hint: 'the file has to be a JSON array of objects, or one object a line',
    })
  }
}
