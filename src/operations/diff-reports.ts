import type { Json } from '../env/json.js'
import type { Comparison } from './reports.js'

/** One of two states that are compared. */
export interface DiffSide {
  /** The id of a backup, or `live`. */
  readonly name: string
  readonly database: string
  /** RFC 3339 in UTC: when the backup began, or when the database was read. */
  readonly created: string
}

export interface DiffReport {
  readonly from: DiffSide
  readonly to: DiffSide
  /** `expected` is what `from` holds, `found` what `to` does. */
  readonly comparison: Comparison
  /** With `rows: true`: which rows differ, table by table. */
  readonly rows?: readonly TableRows[]
}

/** Which rows of a table differ, by its primary key. */
export interface TableRows {
  /** With its schema, where the engine has some: `public.film`. */
  readonly table: string
  /** The columns of the key. */
  readonly key: readonly string[]
  /** How many rows only `to` has, only `from` has, and both have with other values. */
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** At most the limit of each kind. */
  readonly rows: readonly RowDifference[]
  /** Why rows cannot be named. */
  readonly unnamed?: string
}

export interface RowDifference {
  readonly what: 'added' | 'removed' | 'changed'
  /** The values of the key, in portable form. */
  readonly key: readonly Json[]
  /**
   * Of a changed row: what `from` and `to` hold. Of a document its fields, which may be there on one side alone; none where only their order
   * has changed.
   */
  readonly columns?: readonly { readonly name: string; readonly from?: Json; readonly to?: Json }[]
}
