import type { Cell } from '../../engine/cell.js'
import { integerRanges, typeParts } from '../../engine/logical-type.js'
import {
  cannotMask,
  noMaskFor,
  type CellMask,
  type MaskedColumns,
  type MaskOptions,
  type MaskRule,
} from './mask-rule.js'
import type { Keyed } from './keyed.js'
import { permuted, type Place } from './permutation.js'

export interface NumberOptions extends MaskOptions {
  /** Whole numbers. With both, each value becomes one from `min` to `max`; else it keeps its sign and its number of digits. */
  readonly min?: number
  readonly max?: number
}

export function numberMask(options: NumberOptions): MaskRule {
  const { min, max } = options
  return {
    mask: 'number',
    options,
    prepare(columns) {
      if (min === undefined && max === undefined) return maskedNumber(columns, 'number')
      if (
        min === undefined ||
        max === undefined ||
        !Number.isSafeInteger(min) ||
        !Number.isSafeInteger(max) ||
        min > max
      )
        throw cannotMask(columns, 'mask.number takes two whole numbers, min and max')
      if (columns.unique)
        throw cannotMask(
          columns,
          'is in a key, and a range may make two values equal',
          'leave out min and max',
        )
      return within(columns, BigInt(min), BigInt(max))
    },
  }
}

/** Other digits in place of each; sign, point, leading zeros and the number of digits stay, and different values stay different. */
export function maskedNumber(columns: MaskedColumns, name: string): CellMask {
  checkNumbers(columns, name)
  const keyed = columns.keyed()
  const inRange = rangeOf(columns)
  return (cell) => {
    const text = numberText(cell)
    if (text === undefined) {
      if (typeof cell === 'string' && /^(?:NaN|-?Infinity|-0)$/u.test(cell)) return cell
      throw noMaskFor(columns, `a value is no number that mask.${name} can replace`)
    }
    let masked = text
    // Walking on until the type can hold it is a permutation still, of the numbers that the type can hold.
    do masked = otherDigits(keyed, masked, typeof cell === 'number')
    while (!inRange(masked))
    return typeof cell === 'number' ? Number(masked) : masked
  }
}

function otherDigits(keyed: Keyed, text: string, isDouble: boolean): string {
  const places: Place[] = []
  // The first digit of a number, and the last of a fraction that is kept as a double, are never 0.
  const fixed = /^-?(?:0+(?!\d))?/u.exec(text)?.[0] ?? ''
  const rest = text.slice(fixed.length)
  const digits = [...rest].flatMap((character, index) => {
    if (!/\d/u.test(character)) return []
    const first = index === 0
    const last = isDouble && text.includes('.') && index === rest.length - 1
    const least = first || last ? 1 : 0
    places.push({ digit: Number(character) - least, radix: 10 - least })
    return [least]
  })
  const replaced = permuted(keyed, places).map((digit, place) => digit + (digits[place] ?? 0))
  let place = 0
  return fixed + rest.replace(/\d/gu, () => String(replaced[place++]))
}

/** As decimal digits; undefined for what is no number, or a double that needs an exponent. */
function numberText(cell: Cell): string | undefined {
  const text = typeof cell === 'number' || typeof cell === 'string' ? String(cell) : ''
  return /^-?\d+(?:\.\d+)?$/u.test(text) ? text : undefined
}

function checkNumbers(columns: MaskedColumns, name: string): void {
  const other = columns.columns.find(
    ({ type }) => type.endsWith('[]') || !/^(?:[iu]\d+|f\d+|numeric)$/u.test(typeParts(type).base),
  )
  if (other !== undefined) throw cannotMask(columns, `mask.${name} is not for ${other.type}`)
}

function rangeOf({ columns }: MaskedColumns): (text: string) => boolean {
  const ranges = columns.flatMap(({ type }) => {
    const range = integerRanges[typeParts(type).base]
    return range === undefined ? [] : [range]
  })
  if (ranges.length === 0) return () => true
  return (text) => {
    if (text.includes('.')) return true
    const value = BigInt(text)
    return ranges.every(([least, most]) => least <= value && value <= most)
  }
}

/** Fractions keep their number of digits. */
function within(columns: MaskedColumns, min: bigint, max: bigint): CellMask {
  checkNumbers(columns, 'number')
  const fits = rangeOf(columns)
  if (!fits(String(min)) || !fits(String(max)))
    throw cannotMask(
      columns,
      `${min} to ${max} does not fit ${columns.columns.map(({ type }) => type).join(', ')}`,
    )
  const keyed = columns.keyed()
  return (cell) => {
    const fraction = /\.(\d+)$/u.exec(numberText(cell) ?? '')?.[1]?.length ?? 0
    const scale = 10n ** BigInt(fraction)
    const units = min * scale + keyed.below('number', JSON.stringify(cell), (max - min) * scale + 1n)
    const text = decimal(units, fraction)
    return typeof cell === 'number' ||
      (Number.isSafeInteger(Number(text)) && columns.columns.every(({ type }) => /^[iu]/u.test(type)))
      ? Number(text)
      : text
  }
}

function decimal(units: bigint, fraction: number): string {
  if (fraction === 0) return String(units)
  const digits = String(units < 0n ? -units : units).padStart(fraction + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -fraction)}.${digits.slice(-fraction)}`
}
