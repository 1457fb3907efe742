import type { Cell } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import { cannotMask, noMaskFor, type CellMask, type MaskedColumns, type MaskRule } from './mask-rule.js'

/** What a function of the user's own is told beside the value. */
export interface MaskCall {
  readonly table: string
  readonly column: string
  /** The row's values before any mask, by column. */
  readonly row: Readonly<Record<string, Cell>>
  /** 64 hex digits of HMAC over the column and a text, by default the value. @throws config.invalid where no key is configured */
  hash(text?: string): string
}

export function keepMask(): MaskRule {
  return { mask: 'keep', keeps: true, options: {}, prepare: () => (cell) => cell }
}

export function nullMask(): MaskRule {
  return {
    mask: 'null',
    options: {},
    prepare(columns) {
      if (columns.notNull) throw cannotMask(columns, 'does not take NULL', 'use mask.const or another mask')
      return () => null
    },
  }
}

export function constMask(value: Cell): MaskRule {
  const options = { value }
  return {
    mask: 'const',
    options,
    prepare(columns) {
      if (columns.unique)
        throw cannotMask(columns, 'is in a key, and mask.const makes all its values equal', 'use mask.hash')
      for (const column of columns.columns) checkConstant(columns, column, value)
      return () => value
    },
  }
}

function checkConstant(columns: MaskedColumns, column: ColumnHeader, value: Cell): void {
  if (value === null) throw cannotMask(columns, 'mask.const(null) is written mask.null()')
  const { base, array } = typeParts(column.type)
  const wanted = array || base === 'json' || base === 'document' ? undefined : kindOf(base)
  if (wanted !== undefined && !wanted.includes(typeof value))
    throw cannotMask(columns, `mask.const of a ${typeof value} does not fit ${column.type}`)
  if (typeof value === 'string' && [...value].length > (columns.maxLength ?? Infinity))
    throw cannotMask(columns, `mask.const is longer than the ${columns.maxLength} characters of the column`)
}

function kindOf(base: string): readonly string[] {
  if (base === 'bool') return ['boolean']
  return /^(?:[iuf]\d|numeric|year)/u.test(base) ? ['number', 'string'] : ['string']
}

export function fnMask(replace: (value: Cell, call: MaskCall) => Cell): MaskRule {
  const options = { replace }
  return {
    mask: 'fn',
    options,
    prepare: (columns) => userMask(columns, replace),
  }
}

function userMask(columns: MaskedColumns, replace: (value: Cell, call: MaskCall) => Cell): CellMask {
  return (cell, { header, column, row }) => {
    const call: MaskCall = {
      table: header.table.name,
      column: column.name,
      row: Object.fromEntries(header.columns.map(({ name }, index) => [name, row[index] ?? null])),
      hash: (text) =>
        columns
          .keyed()
          .digest('fn', text ?? JSON.stringify(cell))
          .toString('hex'),
    }
    const result: unknown = calledSafely(columns, () => replace(cell, call))
    if (!isCell(result)) throw noMaskFor(columns, 'mask.fn has to return a JSON value, and not a promise')
    return result
  }
}

/** The error of a function of the user's own may hold the value it was given: it is the cause, and no part of the message. */
function calledSafely(columns: MaskedColumns, call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError('refused.cells', `${columns.place}: mask.fn has thrown an error`, {
      cause: error,
      hint: '--verbose shows the error, which may hold the value',
    })
  }
}

function isCell(value: unknown): value is Cell {
  if (value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean'
  if (Array.isArray(value)) return value.every(isCell)
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isCell)
}
