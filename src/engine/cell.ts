import type { Json } from '../env/json.js'

/**
 * One value in its canonical form, the same on every engine: plain JSON where that is exact, else a wrapper. What stands for
 * which logical type is said in docs/format.md, "Portable dumps".
 *
 * A cell of type `json` or of an array may be any JSON value; such a value is never an object with the key `~`.
 */
export type Cell = Json

/** A value that plain JSON cannot say: `{"~":"bytes","v":"…"}`. */
export interface WrappedCell {
  readonly '~': string
  readonly v: Json
}

/** The cells of one row, in the order of its header's columns. */
export type Row = readonly Cell[]

export function wrapped(kind: string, v: Json): { readonly [key: string]: Json } {
  return { '~': kind, v }
}

/** The wrapper, where the cell is one. */
export function asWrapped(cell: Cell): WrappedCell | undefined {
  if (typeof cell !== 'object' || cell === null || Array.isArray(cell)) return undefined
  const kind = (cell as { readonly [key: string]: Json })['~']
  return typeof kind === 'string' ? (cell as unknown as WrappedCell) : undefined
}

/** A cell as the text that an engine reads: a list or an object, which only a damaged file has there, as JSON. */
export function plainText(cell: Cell): string {
  return typeof cell === 'string' ? cell : typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}
