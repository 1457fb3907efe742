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

  /**
   * Lets bytes be put into the buffer itself.
   * @param read puts at most `length` bytes at `at`, and says how many
   */
  fill(most: number, read: (buffer: Buffer, at: number, length: number) => number): number {
    if (this.#filled === bufferBytes) this.flush()
    const bytes = read(this.#buffer, this.#filled, Math.min(most, bufferBytes - this.#filled))
    this.#filled += bytes
    return bytes
  }

  flush(): void {
    writeOut(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }
}
