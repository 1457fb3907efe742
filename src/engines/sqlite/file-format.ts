import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'

const magic = Buffer.from('SQLite format 3\0')
const headerBytes = 100

/** A SQLite database as a file (https://sqlite.org/fileformat2.html). */
export const fileFormat: DumpFormat = {
  name: 'sqlite-file',
  recognises: (head) => head.length >= magic.length && magic.equals(head.subarray(0, magic.length)),
  checker: () => new FileChecker(),
}

/** Whether there are as many pages as the header says. */
class FileChecker implements FormatChecker {
  #header = Buffer.alloc(0)
  #bytes = 0

  push(chunk: Uint8Array): void {
    if (this.#header.length < headerBytes) {
      this.#header = Buffer.concat([this.#header, chunk.subarray(0, headerBytes - this.#header.length)])
    }
    this.#bytes += chunk.length
  }

  end(): void {
    if (this.#bytes === 0) throw new HoldfastError('integrity.empty', 'the SQLite file is empty')
    const known = Math.min(this.#header.length, magic.length)
    if (!magic.subarray(0, known).equals(this.#header.subarray(0, known))) {
      throw new HoldfastError('integrity.format', 'not a SQLite file')
    }
    if (this.#header.length < headerBytes)
      throw new HoldfastError('integrity.truncated', 'the SQLite file ends within its header')
    const pageBytes = this.#header.readUInt16BE(16) === 1 ? 65_536 : this.#header.readUInt16BE(16)
    // The count holds only where whoever wrote last has known of it; SQLite before 3.7 did not.
    const counted = this.#header.readUInt32BE(24) === this.#header.readUInt32BE(92)
    const pages = counted ? this.#header.readUInt32BE(28) : Math.ceil(this.#bytes / pageBytes)
    // Longer is fine: an application may have told SQLite to grow its file in larger steps.
    if (this.#bytes < pages * pageBytes || this.#bytes % pageBytes !== 0) {
      const found = `${this.#bytes} bytes where there should be ${pages} pages of ${pageBytes}`
      throw new HoldfastError('integrity.truncated', `the SQLite file has ${found}`)
    }
  }
}
