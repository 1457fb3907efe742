/** A place in a text, both counted from 1. */
export interface TextPosition {
  readonly line: number
  readonly column: number
}

const tokens = {
  space: /[ \t\n\r]*/uy,
  string: /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy,
  scalar: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy,
}

/**
 * Where a text stops being JSON. `JSON.parse` of Node 20 gives no position for most mistakes but a piece of the text, which
 * may hold a password.
 */
export function jsonErrorPosition(source: string): TextPosition | undefined {
  const scanner = new JsonScanner(source)
  if (scanner.document()) return undefined
  const before = source.slice(0, scanner.offset).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

/** Recursive descent; each method says whether the text holds what it looks for, and `offset` stays at what it does not. */
class JsonScanner {
  offset = 0
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  document(): boolean {
    return this.#value() && this.offset === this.#source.length
  }

  #value(): boolean {
    this.#take(tokens.space)
    const found = this.#takeChar('{')
      ? this.#list('}', () => this.#member())
      : this.#takeChar('[')
        ? this.#list(']', () => this.#value())
        : this.#take(tokens.string) || this.#take(tokens.scalar)
    if (found) this.#take(tokens.space)
    return found
  }

  #member(): boolean {
    this.#take(tokens.space)
    if (!this.#take(tokens.string)) return false
    this.#take(tokens.space)
    return this.#takeChar(':') && this.#value()
  }

  #list(end: string, item: () => boolean): boolean {
    this.#take(tokens.space)
    if (this.#takeChar(end)) return true
    do {
      if (!item()) return false
    } while (this.#takeChar(','))
    return this.#takeChar(end)
  }

  #takeChar(char: string): boolean {
    if (this.#source[this.offset] !== char) return false
    this.offset += 1
    return true
  }

  #take(token: RegExp): boolean {
    token.lastIndex = this.offset
    if (!token.test(this.#source)) return false
    this.offset = token.lastIndex
    return true
  }
}
