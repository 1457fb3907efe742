import type { Cell } from '../engine/cell.js'
import type { DefaultRule } from '../engine/table-header.js'

/** What an application's models know beyond the live catalog, which is always the base. */
export interface ModelFacts {
  /** By the table's name, with its schema where the model says it: `users`, `auth.users`. */
  readonly tables: ReadonlyMap<string, TableModel>
}

export interface TableModel {
  /** By column: a rule, or a function called for each row. */
  readonly defaults: Readonly<Record<string, DefaultRule | (() => Cell)>>
  /** The column's name now, and the one it had: `{ email: 'mail' }`. */
  readonly renames: Readonly<Record<string, string>>
  /** The groups ("apps", modules) that the table belongs to. */
  readonly groups: readonly string[]
}
