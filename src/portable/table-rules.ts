import type { Cell } from '../engine/cell.js'
import type { DefaultRule } from '../engine/table-header.js'

/** What becomes of cells that do not fit: `warn` and `allow` take what fits of them, with and without a word. */
export type CastPolicy = 'error' | 'warn' | 'allow'

export interface RowContext {
  /** The table's name in the dump. */
  readonly table: string
  /** One instant for the whole load, RFC 3339 in UTC. */
  readonly now: string
}

/** A row by its columns' names. */
export type NamedRow = Readonly<Record<string, Cell>>

/** How one table of a dump is fitted to the target, in the configuration. */
export interface TableRules {
  /** The column's name at the target, and the one in the dump: `{ email: 'mail' }`. */
  readonly rename?: Readonly<Record<string, string>>
  /** Columns of the dump that are left out. */
  readonly drop?: readonly string[]
  readonly cast?: Readonly<Record<string, CastPolicy>>
  /** `['value', 'user']`, or a function of the row. */
  readonly default?: Readonly<
    Record<string, readonly unknown[] | ((row: NamedRow, context: RowContext) => Cell)>
  >
  /** Changes a row, makes several of it, or leaves it out. */
  readonly row?: (row: NamedRow, context: RowContext) => NamedRow | readonly NamedRow[] | null
  /** The target's table, where it has another name. */
  readonly into?: string
}

/** The functions that rules of the kind `hook` name. */
export type RuleHooks = Readonly<Record<string, (row: NamedRow, context: RowContext) => Cell>>

/** What fills a column: a rule, or a function. */
export type Filling = DefaultRule | ((row: NamedRow, context: RowContext) => Cell)
