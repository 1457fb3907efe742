import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { ArchiveHeadReader, isCustomArchive, malformed } from './archive-toc.js'

/** The custom format of pg_dump. */
export const customFormat: DumpFormat = {
  name: 'pg-custom',
  recognises: isCustomArchive,
  checker: () => new ArchiveChecker(),
}

const tableBlock = 1
const largeObjectsBlock = 3
/** A sign and four bytes. */
const integerBytes = 5

/** What the next integer is. */
type Expected = 'block' | 'dump id' | 'large object' | 'chunk'

/**
 * Walks the blocks of data as they pass: each belongs to an entry of the table of contents, is a chain of chunks (a length and
 * as many bytes) and ends with a chunk of no length; a block of large objects holds one such chain for each, named by its id,
 * and ends with id 0. Every entry with data must have its block, and nothing may follow the last one. Uncompressed archives
 * have a chunk for each row, so the walk goes from length to length and touches nothing else.
 */
class ArchiveChecker implements FormatChecker {
  /** Entries whose block is yet to come, with their names. */
  readonly #missing = new Map<number, string>()
  readonly #head: ArchiveHeadReader
  #inHead = true
  #expected: Expected = 'block'
  #ofLargeObjects = false
  #current = ''
  /** Bytes of the current chunk that lie beyond what has passed. */
  #toSkip = 0
  /** An integer that two pieces share. */
  readonly #integer = new Uint8Array(integerBytes)
  #integerFilled = 0

  constructor() {
    this.#head = new ArchiveHeadReader(
      () => undefined,
      ({ dumpId, hasData, kind, name, schema }) => {
        if (hasData) this.#missing.set(dumpId, `${kind} ${schema === undefined ? '' : `${schema}.`}${name}`)
      },
    )
  }

  push(chunk: Uint8Array): void {
    if (!this.#inHead) {
      this.#walk(chunk)
      return
    }
    const rest = this.#head.push(chunk)
    if (rest === undefined) return
    this.#inHead = false
    this.#walk(rest)
  }

  end(): void {
    if (this.#inHead) throw truncated(`the archive ends inside ${this.#head.place}`)
    if (this.#expected !== 'block') throw truncated(`the archive ends inside ${this.#current}`)
    const [next] = this.#missing.values()
    if (next !== undefined) {
      throw truncated(`the archive ends before ${next}; ${this.#missing.size} blocks of data are missing`)
    }
  }

  #walk(bytes: Uint8Array): void {
    const { length } = bytes
    let at = 0
    if (this.#toSkip > 0) {
      at = Math.min(this.#toSkip, length)
      this.#toSkip -= at
    }
    while (at < length) {
      if (this.#expected === 'block') {
        this.#beginBlock(bytes[at++])
        continue
      }
      let value: number
      if (this.#integerFilled === 0 && length - at >= integerBytes) {
        value = integerAt(bytes, at)
        at += integerBytes
      } else {
        const taken = bytes.subarray(at, at + integerBytes - this.#integerFilled)
        this.#integer.set(taken, this.#integerFilled)
        this.#integerFilled += taken.length
        at += taken.length
        if (this.#integerFilled < integerBytes) return
        this.#integerFilled = 0
        value = integerAt(this.#integer, 0)
      }
      if (this.#expected !== 'chunk') this.#beginPart(value)
      else if (value === 0) this.#expected = this.#ofLargeObjects ? 'large object' : 'block'
      else if (value < 0) throw malformed(`a chunk of ${this.#current} has a negative length`)
      else at += value
    }
    this.#toSkip += at - length
  }

  #beginBlock(kind: number | undefined): void {
    if (kind !== tableBlock && kind !== largeObjectsBlock) {
      throw malformed(
        `there is no block where one should be, after ${this.#current || 'the table of contents'}`,
      )
    }
    this.#ofLargeObjects = kind === largeObjectsBlock
    this.#expected = 'dump id'
    this.#current = 'the head of a block'
  }

  #beginPart(value: number): void {
    if (this.#expected === 'large object') {
      this.#expected = value === 0 ? 'block' : 'chunk'
      return
    }
    const name = this.#missing.get(value)
    if (name === undefined)
      throw malformed(`there is a block of data for entry ${value}, which should have none`)
    this.#missing.delete(value)
    this.#current = name
    this.#expected = this.#ofLargeObjects ? 'large object' : 'chunk'
  }
}

function integerAt(bytes: Uint8Array, at: number): number {
  const value =
    ((bytes[at + 1] ?? 0) |
      ((bytes[at + 2] ?? 0) << 8) |
      ((bytes[at + 3] ?? 0) << 16) |
      ((bytes[at + 4] ?? 0) << 24)) >>>
    0
  return bytes[at] === 0 ? value : -value
}

function truncated(message: string): HoldfastError {
  return new HoldfastError('integrity.truncated', message)
}
