import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { customFormat } from './format-custom.js'

/** What a COPY in binary format begins with: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.4 */
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
/** In place of the number of a row's fields: there are no more rows. */
const trailer = Buffer.from([0xff, 0xff])

/** An archive of pg_dump without the rows of the large tables, the list of their pieces, and the pieces. */
export const parallelFormat: DumpFormat = {
  name: 'pg-parallel',
  // No single file is such a dump.
  recognises: () => false,
  checker: (role) => (role === 'data' ? new PieceChecker() : new SchemaChecker()),
}

/** The archive, or the list, which is text. */
class SchemaChecker implements FormatChecker {
  #checker: FormatChecker | undefined

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#checker ??= chunk[0] === 0x7b ? new ListChecker() : customFormat.checker()
    this.#checker.push(chunk)
  }

  end(): void {
    if (this.#checker === undefined) throw new HoldfastError('integrity.truncated', 'the archive is empty')
    this.#checker.end()
  }
}

class ListChecker implements FormatChecker {
  #last: number | undefined

  push(chunk: Uint8Array): void {
    this.#last = chunk[chunk.length - 1]
  }

  end(): void {
    if (this.#last !== 0x0a)
      throw new HoldfastError('integrity.truncated', 'the list of pieces ends within a line')
  }
}

/** Looks at both ends. The server itself says when a COPY is complete. */
class PieceChecker implements FormatChecker {
  readonly #head: number[] = []
  #tail: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): void {
    for (const byte of chunk.subarray(0, signature.length - this.#head.length)) this.#head.push(byte)
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-trailer.length)]).subarray(-trailer.length)
  }

  end(): void {
    const head = Buffer.from(this.#head)
    if (!signature.subarray(0, head.length).equals(head))
      throw new HoldfastError('integrity.format', 'these are not rows in the binary format of COPY')
    if (head.length < signature.length || !this.#tail.equals(trailer))
      throw new HoldfastError('integrity.truncated', 'the rows end before the trailer of COPY')
  }
}
