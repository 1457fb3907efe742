import { hash } from 'node:crypto'

const half = 2 ** 32

/**
 * The digest of a set of rows in any order: the sum of the first 64 bits of SHA-256 of each canonical row, modulo 2^64. A sum,
 * not an XOR, in which two equal rows would not show.
 */
export class RowDigest {
  #high = 0
  #low = 0

  /** @param line a canonical row, without its line feed */
  add(line: string): void {
    // A text of bytes is the cheapest form in which Node gives a digest.
    const digest = hash('sha256', line, 'binary' as 'hex')
    const low = this.#low + word(digest, 4)
    this.#low = low % half
    this.#high = (this.#high + word(digest, 0) + (low >= half ? 1 : 0)) % half
  }

  /** @param lines canonical rows, each ended by its line feed */
  addLines(lines: string): void {
    let from = 0
    for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', from)) {
      this.add(lines.slice(from, end))
      from = end + 1
    }
  }

  /** 16 hex digits. */
  get sum64(): string {
    return hex(this.#high) + hex(this.#low)
  }
}

function word(digest: string, at: number): number {
  return (
    digest.charCodeAt(at) * 0x1_00_00_00 +
    digest.charCodeAt(at + 1) * 0x1_00_00 +
    digest.charCodeAt(at + 2) * 0x1_00 +
    digest.charCodeAt(at + 3)
  )
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
