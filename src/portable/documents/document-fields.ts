import { asWrapped, plainText, type Cell } from '../../engine/cell.js'
import { typeName } from './extended-json.js'

type Document = Readonly<Record<string, Cell>>

/** Fields that are wanted, by the names on the way to them; `true` is the end of one. */
type Wanted = ReadonlyMap<string, unknown>

/** Takes fields out of documents, and counts those that nobody wants. */
export class DocumentFields {
  /** Of fields without a column: in how many documents they have a value. */
  readonly unknown = new Map<string, number>()
  readonly #wanted: Wanted
  readonly #dropped: ReadonlySet<string>

  /** @param paths `name`, `address.city` @param dropped the same, of those that may be lost */
  constructor(paths: readonly string[], dropped: readonly string[]) {
    this.#wanted = tree(paths)
    this.#dropped = new Set(dropped)
  }

  /** @returns undefined for BSON that no JSON says */
  read(cell: Cell): Document | undefined {
    const wrapper = asWrapped(cell)
    if (wrapper?.['~'] === 'bson') return undefined
    const document = (wrapper?.['~'] === 'jsontext' ? JSON.parse(plainText(wrapper.v)) : cell) as Document
    this.#count(document, this.#wanted, '')
    return document
  }

  #count(document: Document, wanted: Wanted, before: string): void {
    for (const [name, value] of Object.entries(document)) {
      const next = wanted.get(name)
      if (next === true || this.#dropped.has(before + name)) continue
      if (next instanceof Map && isDocument(value)) this.#count(value, next, `${before}${name}.`)
      else this.unknown.set(before + name, (this.unknown.get(before + name) ?? 0) + (value === null ? 0 : 1))
    }
  }
}

/** @returns undefined where the document does not have it */
export function fieldAt(document: Document, path: string): Cell | undefined {
  let value: Cell = document
  for (const name of path.split('.')) {
    if (!isDocument(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name] ?? null
  }
  return value
}

function isDocument(value: Cell): value is Document & Cell {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeName(value as Document) === undefined
  )
}

function tree(paths: readonly string[]): Wanted {
  const root = new Map<string, unknown>()
  for (const path of paths) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let at: Map<string, unknown> | undefined = root
    for (const name of names) {
      const there: unknown = at.get(name) ?? new Map<string, unknown>()
      at.set(name, there)
      at = there instanceof Map ? there : undefined
      // All of it is wanted already.
      if (at === undefined) break
    }
    at?.set(last, true)
  }
  return root
}
