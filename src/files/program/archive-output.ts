import { readSync } from 'node:fs'
import { encodeHeader, largestHeader, type WrittenEntry } from '../tar/encode.js'
import { writeOut } from './stdio.js'

/** Many small files make one large write. */
const bufferBytes = 1024 * 1024

/** An archive on its way to stdout, gathered in one buffer. */
export class ArchiveOutput {
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  #filled = 0

  writeHeader(entry: WrittenEntry): void {
    if (bufferBytes - this.#filled < largestHeader) this.flush()
    this.#filled += encodeHeader(entry, this.#buffer, this.#filled)
  }

  /** For what is small. */
  write(bytes: Uint8Array): void {
    if (bufferBytes - this.#filled < bytes.length) this.flush()
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  /** Reads from a file into the buffer itself. @returns how many bytes, at most so many; 0 at the file's end */
  fillFrom(file: number, most: number): number {
    if (this.#filled === bufferBytes) this.flush()
    const bytes = readSync(file, this.#buffer, this.#filled, Math.min(most, bufferBytes - this.#filled), null)
    this.#filled += bytes
    return bytes
  }

  zeros(bytes: number): void {
    for (let left = bytes; left > 0;) {
      if (this.#filled === bufferBytes) this.flush()
      const length = Math.min(left, bufferBytes - this.#filled)
      this.#buffer.fill(0, this.#filled, this.#filled + length)
      this.#filled += length
      left -= length
    }
  }

  flush(): void {
    writeOut(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }
}
