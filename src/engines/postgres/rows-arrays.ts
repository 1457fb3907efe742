import type { Cell } from '../../engine/cell.js'

/**
 * Array literals: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO. One with bounds of its own, `[0:2]={1,2,3}`,
 * stays the literal that it is, since a JSON array always begins at its first element.
 */
export function arrayCell(text: string, element: (text: string) => string): string {
  return text.startsWith('[') ? JSON.stringify(text) : new LiteralReader(text, element).array()
}

class LiteralReader {
  readonly #text: string
  readonly #element: (text: string) => string
  #at = 0

  constructor(text: string, element: (text: string) => string) {
    this.#text = text
    this.#element = element
  }

  array(): string {
    this.#at += 1
    const items: string[] = []
    while (this.#text[this.#at] !== '}') {
      items.push(this.#item())
      if (this.#text[this.#at] === ',') this.#at += 1
    }
    this.#at += 1
    return `[${items.join(',')}]`
  }

  #item(): string {
    const first = this.#text[this.#at]
    if (first === '{') return this.array()
    if (first === '"') return this.#element(this.#quoted())
    const from = this.#at
    while (!',}'.includes(this.#text[this.#at] ?? '}')) this.#at += 1
    const bare = this.#text.slice(from, this.#at)
    return bare === 'NULL' ? 'null' : this.#element(bare)
  }

  #quoted(): string {
    let value = ''
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      if (this.#text[this.#at] === '\\') this.#at += 1
      value += this.#text[this.#at] ?? ''
    }
    this.#at += 1
    return value
  }
}

export function arrayLiteral(cell: Cell, element: (cell: Cell) => string): string {
  if (typeof cell === 'string') return cell
  const items = (cell as readonly Cell[]).map((each) => {
    if (each === null) return 'NULL'
    return Array.isArray(each)
      ? arrayLiteral(each as Cell, element)
      : `"${element(each).replace(/["\\]/gu, '\\$&')}"`
  })
  return `{${items.join(',')}}`
}
