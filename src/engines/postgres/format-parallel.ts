import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { customFormat } from './format-custom.js'

/** An archive of pg_dump without the rows of the large tables, the list of their pieces, and the pieces. */
export const parallelFormat: DumpFormat = {
  name: 'pg-parallel',
  // No single file is such a dump.
  recognises: () => false,
  checker: (role) => (role === 'data' ? new LinesChecker('the rows end') : new SchemaChecker()),
}

/** The archive, or the list, which is text. */
class SchemaChecker implements FormatChecker {
  #checker: FormatChecker | undefined

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#checker ??= chunk[0] === 0x7b ? new LinesChecker('the list of pieces ends') : customFormat.checker()
    this.#checker.push(chunk)
  }

  end(): void {
    if (this.#checker === undefined) throw new HoldfastError('integrity.truncated', 'the archive is empty')
    this.#checker.end()
  }
}

/** Whole lines, or none: the server itself says when a COPY is complete. */
class LinesChecker implements FormatChecker {
  readonly #ends: string
  #last = 0x0a

  constructor(ends: string) {
    this.#ends = ends
  }

  push(chunk: Uint8Array): void {
    this.#last = chunk.at(-1) ?? this.#last
  }

  end(): void {
    if (this.#last !== 0x0a) throw new HoldfastError('integrity.truncated', `${this.#ends} within a line`)
  }
}
