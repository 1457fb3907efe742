import type { DumpFormat, FormatChecker } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { ConnectorDescription, FormatDescription } from './definition.js'

/** So much blank space may follow a dump's last words. */
const blankBytes = 256

/** The format of a connector of the user's own, as far as its definition tells it. */
export function customFormat({ name, format = {} }: ConnectorDescription): DumpFormat {
  const { startsWith } = format
  const head = startsWith === undefined ? undefined : Buffer.from(startsWith)
  const checked = format.checker !== undefined || format.endsWith !== undefined
  return {
    name: format.name ?? name,
    recognises: (bytes) => head !== undefined && head.equals(bytes.subarray(0, head.length)),
    ...(checked ? {} : { checked: false as const }),
    checker: () => format.checker?.() ?? new EndsChecker(name, format),
  }
}

/** Looks at the first and the last bytes, where the definition says what they are. */
class EndsChecker implements FormatChecker {
  readonly #connector: string
  readonly #first: Buffer
  readonly #last: Buffer
  #head = Buffer.alloc(0)
  #tail = Buffer.alloc(0)

  constructor(connector: string, { startsWith = '', endsWith = '' }: FormatDescription) {
    this.#connector = connector
    this.#first = Buffer.from(startsWith)
    this.#last = Buffer.from(endsWith.trimEnd())
  }

  push(chunk: Uint8Array): void {
    const missing = this.#first.length - this.#head.length
    if (missing > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)])
    const kept = this.#last.length + blankBytes
    // `Buffer.concat` copies: the chunk's memory is used again.
    this.#tail =
      chunk.length >= kept
        ? Buffer.concat([chunk.subarray(chunk.length - kept)])
        : Buffer.concat([this.#tail, chunk]).subarray(-kept)
  }

  end(): void {
    if (!this.#head.equals(this.#first)) {
      throw new HoldfastError(
        'integrity.format',
        `this dump does not begin as those of ${this.#connector} do`,
      )
    }
    let end = this.#tail.length
    while (end > 0 && [0x20, 0x09, 0x0a, 0x0d].includes(this.#tail[end - 1] ?? 0)) end--
    if (
      this.#tail
        .subarray(0, end)
        .subarray(-this.#last.length || end)
        .equals(this.#last)
    )
      return
    throw new HoldfastError('integrity.truncated', `this dump does not end as those of ${this.#connector} do`)
  }
}
