import { HoldfastError } from '../../errors.js'
import { decodeLayout, isZeros, largestMeta, storedBytes } from './decode.js'
import { blockBytes, paddingOf } from './entry.js'
import { eachPaxRecord } from './pax.js'
import { decimal } from './sparse.js'

/** Old GNU format: where a header, and a block behind it, say that the map of a sparse file goes on in another block. */
const headerMapGoesOn = 482
const blockMapGoesOn = 504

const sizeKey = 'size'

/** The records of an extended header that a chunk ends within. */
interface Gathered {
  readonly flag: string
  readonly size: number
  readonly bytes: Buffer
  filled: number
}

/**
 * Whether a tar archive is whole: every header has its checksum, every file its bytes, and two blocks of zeros are the end. There are
 * hundred thousands of entries and nobody wants them here, so nothing is made of them. `TarScanner` reads entries.
 */
export class TarStructure {
  readonly #block = Buffer.alloc(blockBytes)
  #filled = 0
  /** Bytes of a file or name, with the padding, that are still to come. */
  #left = 0
  #gathered: Gathered | undefined
  /** What the extended headers say of the next entry, and of all that follow. */
  #nextSize: number | undefined
  #globalSize: number | undefined
  #mapGoesOn = false
  #zeroBlocks = 0

  /** @throws integrity.format */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length && this.#zeroBlocks < 2;) {
      if (this.#gathered !== undefined) at += this.#gather(this.#gathered, bytes, at)
      else if (this.#left > 0) at += this.#pass(bytes.length - at)
      else if (this.#filled > 0 || bytes.length - at < blockBytes) at += this.#fill(bytes, at)
      else at += blockBytes + this.#whole(bytes, at)
    }
  }

  /** @throws integrity.truncated where the two blocks that end an archive have not come */
  end(): void {
    if (this.#zeroBlocks === 2) return
    throw new HoldfastError('integrity.truncated', 'the tar archive has no end: it was cut')
  }

  #pass(available: number): number {
    const passed = Math.min(this.#left, available)
    this.#left -= passed
    return passed
  }

  #fill(bytes: Buffer, at: number): number {
    const taken = bytes.copy(this.#block, this.#filled, at)
    this.#filled += taken
    if (this.#filled === blockBytes) {
      this.#filled = 0
      this.#whole(this.#block, 0)
    }
    return taken
  }

  #gather(gathered: Gathered, bytes: Buffer, at: number): number {
    const taken = bytes.copy(gathered.bytes, gathered.filled, at)
    gathered.filled += taken
    if (gathered.filled === gathered.bytes.length) {
      this.#gathered = undefined
      this.#records(gathered.flag, gathered.bytes, 0, gathered.size)
    }
    return taken
  }

  /** @returns how many bytes behind the block are read already */
  #whole(bytes: Buffer, at: number): number {
    if (this.#mapGoesOn) this.#mapGoesOn = bytes[at + blockMapGoesOn] === 1
    else if (isZeros(bytes, at, at + blockBytes)) this.#zeroBlocks += 1
    else return this.#header(bytes, at)
    return 0
  }

  #header(bytes: Buffer, at: number): number {
    this.#zeroBlocks = 0
    const { flag, type, size } = decodeLayout(bytes, at)
    const isName = flag === 'L' || flag === 'K'
    const isExtended = flag === 'x' || flag === 'g'
    if ((isName || isExtended) && size > largestMeta)
      throw new HoldfastError('integrity.format', 'a name or extended header in the tar archive is damaged')
    if (isExtended) return this.#extended(flag, size, bytes, at + blockBytes)
    const stored = isName ? size : storedBytes(flag, type, this.#nextSize ?? this.#globalSize ?? size)
    this.#left = stored + paddingOf(stored)
    if (isName) return 0
    this.#nextSize = undefined
    this.#mapGoesOn = flag === 'S' && bytes[at + headerMapGoesOn] === 1
    return 0
  }

  #extended(flag: string, size: number, bytes: Buffer, at: number): number {
    const padded = size + paddingOf(size)
    if (bytes.length - at >= padded) {
      this.#records(flag, bytes, at, at + size)
      return padded
    }
    this.#gathered = { flag, size, bytes: Buffer.alloc(padded), filled: 0 }
    return 0
  }

  #records(flag: string, bytes: Buffer, start: number, end: number): void {
    eachPaxRecord(bytes, start, end, (key, value, recordEnd) => {
      if (value - key - 1 !== sizeKey.length || bytes.toString('latin1', key, value - 1) !== sizeKey) return
      const size = decimal(bytes.toString('latin1', value, recordEnd))
      if (flag === 'g') this.#globalSize = size
      else this.#nextSize = size
    })
  }
}
