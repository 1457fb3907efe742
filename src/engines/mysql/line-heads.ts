const newline = 0x0a
/** Longer than all but the strangest statement that is no row. */
const headBytes = 64 * 1024

/** What to do with a line; `replace` gives its text without the newline. */
export type LineVerdict = 'keep' | 'drop' | { readonly replace: string }

export interface LineHeadsOptions {
  /**
   * Called for each line with its beginning, at most 64 KiB, without the newline; rows of data are left out.
   * `whole` tells whether it is all of the line. Only a whole line can be dropped or replaced.
   */
  readonly inspect: (head: string, whole: boolean) => LineVerdict
  /** Whether rows are wanted, too: a comment may hold lines that look like one. */
  readonly wantsRows?: () => boolean
  /** Called with the bytes so far of a line that is longer than a head, whenever more of it has come. */
  readonly longLine?: (bytes: number) => void
}

/**
 * Looks at the beginnings of the lines of a SQL dump that passes by. Dump tools write a line break within a string as `\n`,
 * so that what begins a line is structure, but for the bodies of routines. Rows pass unread: what costs is one search for a
 * newline in each.
 */
export class LineHeads {
  readonly #options: LineHeadsOptions
  /** The unfinished beginning of a line. */
  #held: Buffer = Buffer.alloc(0)
  /** Bytes of the line that goes on, whose head has been seen already. */
  #longBytes: number | undefined

  constructor(options: LineHeadsOptions) {
    this.#options = options
  }

  /** @returns what may be passed on, in order; the beginning of a line may be held back until more has come */
  push(chunk: Buffer): readonly Buffer[] {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    const out: Buffer[] = []
    let kept = 0
    let at = this.#longBytes === undefined ? 0 : this.#endOfLongLine(data)
    while (at < data.length) {
      const end = data.indexOf(newline, at)
      if (end < 0) {
        if (data.length - at < headBytes) {
          this.#held = Buffer.from(data.subarray(at))
          out.push(data.subarray(kept, at))
          return out
        }
        this.#inspect(data, at, at + headBytes, false)
        this.#grow(data.length - at)
        break
      }
      const verdict = this.#inspect(data, at, Math.min(end, at + headBytes), end - at <= headBytes)
      if (end - at > headBytes) this.#options.longLine?.(end - at)
      if (verdict !== 'keep') {
        out.push(data.subarray(kept, at))
        if (verdict !== 'drop') out.push(Buffer.from(`${verdict.replace}\n`))
        kept = end + 1
      }
      at = end + 1
    }
    out.push(data.subarray(kept))
    return out
  }

  /** The last line, where it does not end with a newline. */
  end(): readonly Buffer[] {
    const rest = this.#held
    if (rest.length === 0) return []
    this.#held = Buffer.alloc(0)
    const verdict = this.#inspect(rest, 0, rest.length, true)
    return verdict === 'keep' ? [rest] : verdict === 'drop' ? [] : [Buffer.from(verdict.replace)]
  }

  #endOfLongLine(data: Buffer): number {
    const end = data.indexOf(newline)
    this.#grow((end < 0 ? data.length : end) + (this.#longBytes ?? 0))
    if (end < 0) return data.length
    this.#longBytes = undefined
    return end + 1
  }

  #grow(bytes: number): void {
    this.#longBytes = bytes
    this.#options.longLine?.(bytes)
  }

  #inspect(data: Buffer, start: number, end: number, whole: boolean): LineVerdict {
    if (isRow(data, start) && this.#options.wantsRows?.() !== true) return 'keep'
    const text = data.toString('utf8', start, end)
    const verdict = this.#options.inspect(text.endsWith('\r') ? text.slice(0, -1) : text, whole)
    return whole ? verdict : 'keep'
  }
}

/** Rows begin with `(`, or with INSERT where the tool writes several in a line. */
function isRow(data: Buffer, start: number): boolean {
  const first = data[start]
  return first === 0x28 || (first === 0x49 && data.toString('latin1', start, start + 7) === 'INSERT ')
}
