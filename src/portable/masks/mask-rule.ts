import { isDeepStrictEqual } from 'node:util'
import type { Cell, Row } from '../../engine/cell.js'
import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import type { Keyed } from './keyed.js'

/** What becomes of a column's values. Made by {@link mask}. */
export interface MaskRule {
  /** `email`, `digits` */
  readonly mask: string
  /** Values stay as they are: such a rule only says so to the mode `allowlist`. */
  readonly keeps?: true
  /** Two rules of the same name and options are the same rule. */
  readonly options: object & { readonly domain?: string }
  /** @throws config.invalid where the columns cannot be masked so */
  prepare(columns: MaskedColumns): CellMask
}

export interface MaskOptions {
  /** Columns of one domain mask equal values alike, also where no foreign key joins them. Default: the foreign key's root column. */
  readonly domain?: string
}

/** Columns that a foreign key joins, all masked alike; mostly one. */
export interface MaskedColumns {
  /** For messages: `users.email (mask.*.email)`. */
  readonly place: string
  readonly columns: readonly ColumnHeader[]
  /** One of them stands in a key, or is referred to. */
  readonly unique: boolean
  /** One of them does not take NULL. */
  readonly notNull: boolean
  /** Of the shortest of them. */
  readonly maxLength: number | undefined
  /** @throws config.invalid where no key is configured */
  keyed(): Keyed
}

/** Is given cells that are not null. @throws refused.cells where it has nothing to put in place of a value */
export type CellMask = (cell: Cell, at: CellPlace) => Cell

export interface CellPlace {
  readonly header: TableHeader
  readonly column: ColumnHeader
  readonly row: Row
}

export function sameRule(one: MaskRule, other: MaskRule): boolean {
  return one.mask === other.mask && isDeepStrictEqual(one.options, other.options)
}

export function cannotMask({ place }: MaskedColumns, reason: string, hint?: string): HoldfastError {
  return new HoldfastError('config.invalid', `${place}: ${reason}`, hint === undefined ? {} : { hint })
}

/** The message does not hold the value, which is what must not be seen. */
export function noMaskFor({ place }: MaskedColumns, reason: string): HoldfastError {
  return new HoldfastError('refused.cells', `${place}: ${reason}`, {
    hint: 'nothing of the value was written: use mask.hash, mask.null or mask.fn for this column',
  })
}
