import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'

const tailBytes = 64

/** SQL text, as this connector, the shell's `.dump` and others that follow it write it. */
export const sqlFormat: DumpFormat = {
  name: 'sqlite-sql',
  recognises: (head) =>
    /^(?:\s|--[^\n]*\n)*(?:PRAGMA\s+\w+\s*=|BEGIN TRANSACTION;)/iu.test(Buffer.from(head).toString('latin1')),
  checker: () => new SqlChecker(),
}

/** Whether the last statement is the COMMIT. What stands before it is for the restore to run. */
class SqlChecker implements FormatChecker {
  #tail = ''
  #empty = true

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#empty = false
    this.#tail = (this.#tail + Buffer.from(chunk.subarray(-tailBytes)).toString('latin1')).slice(-tailBytes)
  }

  end(): void {
    if (this.#empty) throw new HoldfastError('integrity.empty', 'the SQL dump is empty')
    if (!/(?:^|\n)COMMIT;\s*$/u.test(this.#tail)) {
      throw new HoldfastError('integrity.truncated', 'the SQL dump does not end in COMMIT')
    }
  }
}
