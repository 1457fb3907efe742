import { Transform, type TransformCallback } from 'node:stream'
import { endOfDump, restrictKey, withoutRestrict } from './format-sql.js'

const tailBytes = 8192
/** The line with `\restrict` comes well within this. */
const headBytes = 4096

/**
 * A plain dump as psql is to get it: `opening` before it, `closing` only after its whole trailer has come by, so that no cut,
 * and no pipe that breaks, ever reaches the COMMIT of the closing. The dump's own `\restrict` and `\unrestrict` lines are left
 * out: the opening has one whose key the dump does not know (CVE-2025-8714: a hostile dump would lift its own restriction).
 *
 * The stream fails with integrity.truncated where the dump is cut.
 */
export class RestoredSql extends Transform {
  readonly #closing: string
  #held: Buffer
  #begun = false
  #key: string | undefined

  /** @param head the first bytes of the dump, where they have been read already */
  constructor(opening: string, closing: string, head: Buffer = Buffer.alloc(0)) {
    super()
    this.#closing = closing
    this.#held = head
    this.push(opening)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // The end is held back until it is known to be the end.
    if (this.#begun && chunk.length >= tailBytes) {
      this.push(this.#held)
      this.#held = chunk
    } else {
      this.#held = Buffer.concat([this.#held, chunk])
    }
    if (!this.#begun && this.#held.length >= headBytes) this.#begin()
    const cut = this.#held.length - tailBytes
    if (this.#begun && cut > 0) {
      this.push(this.#held.subarray(0, cut))
      this.#held = this.#held.subarray(cut)
    }
    done()
  }

  #begin(): void {
    const head = this.#held.toString('latin1', 0, headBytes)
    this.#begun = true
    this.#key = restrictKey(head)
    this.#held = Buffer.concat([Buffer.from(withoutRestrict(head), 'latin1'), this.#held.subarray(headBytes)])
  }

  override _flush(done: TransformCallback): void {
    if (!this.#begun) this.#begin()
    try {
      const end = endOfDump(this.#held, this.#key)
      this.push(this.#held.subarray(0, end))
      this.push(this.#closing)
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }
}
