import { asWrapped, plainText, wrapped, type Cell, type WrappedCell } from '../engine/cell.js'
import { integerRanges, typeParts } from '../engine/logical-type.js'
import { CellRefused } from '../engine/row-sink.js'
import type { ColumnHeader, LogicalType } from '../engine/table-header.js'
import { castDate, castTime, castTimestamp } from './cast-times.js'
import { reformOf } from './reforms.js'

/** Makes a cell of one column fit another: widening is free, narrowing only where the value fits. @throws CellRefused */
export type Cast = (cell: Cell) => Cell

/**
 * @param wrappers the kinds of wrapped cells that the target can hold as they are
 * @param fixedScale a number of the target has all the decimals of its column: `12.50`
 * @param from the type of the cells, where it is known
 */
export function castTo(
  target: ColumnHeader,
  wrappers: readonly string[],
  fixedScale = false,
  from: LogicalType = target.type,
): Cast {
  const { base, args, array } = typeParts(target.type)
  const plain = array ? castArray(target) : (casts[base] ?? castAny)(target, args, fixedScale)
  const reform = reformOf(from, target)
  if (reform !== undefined) {
    const reformed = castTo(target, wrappers, fixedScale)
    return (cell) =>
      cell === null || asWrapped(cell) !== undefined ? reformed(cell) : reformed(reform(cell))
  }
  return (cell) => {
    if (cell === null) return null
    if (typeof cell !== 'object') return plain(cell)
    const found = asWrapped(cell)
    return found === undefined ? plain(cell) : castWrapped(target, base, wrappers, found, plain)
  }
}

type Caster = (target: ColumnHeader, args: readonly number[], fixedScale: boolean) => Cast

/** Which wrappers say a value of which types: MySQL's own; a storage class says any. */
const bound: Readonly<Record<string, readonly string[]>> = {
  enum: ['enum'],
  zerodate: ['date', 'timestamp', 'timestamptz'],
  interval: ['time'],
  bytes: ['text'],
  jsontext: ['json', 'document'],
  bson: ['document'],
}

function castWrapped(
  target: ColumnHeader,
  base: string,
  wrappers: readonly string[],
  { '~': kind, v }: WrappedCell,
  plain: Cast,
): Cell {
  const ownType = bound[kind]?.includes(base)
  if (kind === 'jsontext' || kind === 'bytes') {
    if (ownType === true) return wrapped(kind, v)
    return plain(
      kind === 'bytes' && base !== 'bytes' ? Buffer.from(plainText(v), 'base64').toString('utf8') : v,
    )
  }
  // SQLite holds a value of any class in any column; MySQL an integer in what stands for a boolean.
  const anyClass = wrappers.includes('blob') && ['integer', 'real', 'text', 'blob'].includes(kind)
  if (anyClass || (wrappers.includes(kind) && (ownType ?? (kind === 'integer' && base === 'bool'))))
    return wrapped(kind, v)
  switch (kind) {
    case 'integer':
    case 'real':
    case 'text':
      return asWrapped(v) === undefined
        ? plain(v)
        : castWrapped(target, base, wrappers, asWrapped(v) as WrappedCell, plain)
    case 'blob':
      if (base === 'bytes') return v
      throw new CellRefused(target, 'holds bytes')
    case 'zerodate':
      if (base === 'text') return v
      throw new CellRefused(target, `is the zero date ${plainText(v)}`, target.nullable ? null : undefined)
    case 'enum':
      throw new CellRefused(
        target,
        "is the invalid value '' of an ENUM",
        base === 'text' ? '' : target.nullable ? null : undefined,
      )
    case 'bson':
      // Another engine keeps it as it is in the file, and gives it back so.
      if (base === 'json' || base === 'document') return wrapped('jsontext', JSON.stringify(wrapped(kind, v)))
      throw new CellRefused(target, 'holds BSON that extended JSON cannot say')
    case 'interval':
      if (['interval', 'text', 'native'].includes(base)) return v
      throw new CellRefused(target, `is ${plainText(v)}, which is no time of day`)
    default:
      throw new CellRefused(target, `holds a value of the unknown kind ${kind}`)
  }
}

const castInteger: Caster = (target) => {
  const [least, most] = integerRanges[typeParts(target.type).base] ?? [0n, 9999n]
  const narrow = Number(most) <= Number.MAX_SAFE_INTEGER
  const [low, high] = [Number(least), Number(most)]
  return (cell) => {
    if (
      typeof cell === 'number' &&
      Number.isSafeInteger(cell) &&
      (!narrow || (cell >= low && cell <= high)) &&
      (narrow || cell >= low)
    )
      return cell
    if (typeof cell === 'boolean') return cell ? 1 : 0
    const text = plainText(cell)
    if (typeof cell === 'object' || !/^[+-]?\d+(?:\.0*)?$/u.test(text))
      throw new CellRefused(target, `is ${shown(cell)}, not an integer`, rounded(cell, least, most))
    if (typeof cell === 'number')
      throw new CellRefused(
        target,
        `is ${shown(cell)}, beyond ${target.type}: write large integers in quotes`,
      )
    const value = BigInt(text.replace(/\.0*$/u, ''))
    if (value < least || value > most) throw new CellRefused(target, `is ${text}, beyond ${target.type}`)
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
}

function rounded(cell: Cell, least: bigint, most: bigint): Cell | undefined {
  const value =
    typeof cell === 'number'
      ? Math.round(cell)
      : typeof cell === 'string' && /^-?\d+\.\d+$/u.test(cell)
        ? Math.round(Number(cell))
        : NaN
  return Number.isSafeInteger(value) && BigInt(value) >= least && BigInt(value) <= most ? value : undefined
}

const castNumeric: Caster = (target, args, fixedScale) => {
  const [precision, scale = 0] = args
  const asItIs = canonicalNumeric(precision, scale, fixedScale)
  return (cell) => {
    if (typeof cell === 'string' && asItIs.test(cell)) return cell
    const text = typeof cell === 'boolean' ? (cell ? '1' : '0') : plainDigits(cell)
    if (/^(?:NaN|-?Infinity)$/u.test(text)) return text
    const found = /^([+-]?)0*(\d*)(?:\.(\d*))?$/u.exec(text)
    if (found === null || text === '' || typeof cell === 'object')
      throw new CellRefused(target, `is ${shown(cell)}, not a number`)
    const [, sign, whole = '', fraction = ''] = found
    const minus = sign === '-' && /[1-9]/u.test(text) ? '-' : ''
    const digits = (decimals: string) =>
      `${minus}${whole === '' ? '0' : whole}${decimals === '' ? '' : `.${decimals}`}`
    if (precision === undefined) return digits(fraction)
    const kept = fraction.replace(/0+$/u, '')
    if (!holdsDigits(whole, fraction, precision, scale))
      throw new CellRefused(target, `is ${text}, beyond ${target.type}`)
    if (scale < 0 && /[1-9]/u.test(whole.slice(scale) + fraction))
      throw new CellRefused(target, `is ${text}, with digits that ${target.type} rounds`)
    if (scale >= 0 && kept.length > scale)
      throw new CellRefused(
        target,
        `is ${text}, with more than ${scale} decimals`,
        Number(text).toFixed(scale),
      )
    return digits(fixedScale && scale >= 0 ? fraction.slice(0, scale).padEnd(scale, '0') : fraction)
  }
}

/** A scale may be negative, which moves the first digit to the left, or larger than the precision, which moves it to the right. */
function holdsDigits(whole: string, fraction: string, precision: number, scale: number): boolean {
  const before = Math.max(precision - scale, 0)
  const zeros = Math.max(scale - precision, 0)
  return whole.length <= before && !/[1-9]/u.test(fraction.slice(0, zeros))
}

/** What nearly every number of a dump is, and stays: the cast would only write it anew. */
function canonicalNumeric(precision: number | undefined, scale: number, fixedScale: boolean): RegExp {
  const sign = '(?:-(?=.*[1-9]))?'
  if (precision === undefined) return new RegExp(`^${sign}(?:0|[1-9]\\d*)(?:\\.\\d+)?$`, 'u')
  if (scale < 0 || scale > precision) return /(?!)/u
  const whole = precision === scale ? '0' : `(?:0|[1-9]\\d{0,${precision - scale - 1}})`
  const decimals = scale === 0 ? '' : fixedScale ? `\\.\\d{${scale}}` : `(?:\\.\\d{1,${scale}})?`
  return new RegExp(`^${sign}${whole}${decimals}$`, 'u')
}

/** A number without an exponent. */
function plainDigits(cell: Cell): string {
  const text = plainText(cell)
  if (typeof cell !== 'number' || !text.includes('e')) return text
  return Number.isInteger(cell)
    ? BigInt(cell).toString()
    : cell.toFixed(Math.min(100, 20 - Math.floor(Math.log10(Math.abs(cell))))).replace(/0+$/u, '')
}

const special = /^(?:NaN|-?Infinity|-0)$/u

const castFloat: Caster = (target) => (cell) => {
  if (typeof cell === 'number') return cell
  if (typeof cell === 'boolean') return cell ? 1 : 0
  const text = plainText(cell)
  if (special.test(text)) return text
  if (typeof cell !== 'string' || !/^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/iu.test(text))
    throw new CellRefused(target, `is ${shown(cell)}, not a number`)
  return Number(text)
}

const castBool: Caster = (target) => (cell) => {
  if (typeof cell === 'boolean') return cell
  if (cell === 1 || cell === '1' || cell === 'true' || cell === 't') return true
  if (cell === 0 || cell === '0' || cell === 'false' || cell === 'f') return false
  throw new CellRefused(target, `is ${shown(cell)}, not a boolean`)
}

const castText: Caster = (target) => (cell) => {
  const text = typeof cell === 'object' ? JSON.stringify(cell) : plainText(cell)
  const { maxLength } = target
  // Only a long text is counted in characters.
  if (maxLength !== undefined && text.length > maxLength) {
    const characters = [...text]
    if (characters.length > maxLength)
      throw new CellRefused(
        target,
        `has ${characters.length} characters, more than ${maxLength}`,
        characters.slice(0, maxLength).join(''),
      )
  }
  return text
}

const castBytes: Caster = (target) => (cell) => {
  if (typeof cell !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/u.test(cell) || cell.length % 4 !== 0)
    throw new CellRefused(target, `is ${shown(cell)}, not base64`)
  const length = (cell.length / 4) * 3 - (cell.endsWith('==') ? 2 : cell.endsWith('=') ? 1 : 0)
  if (target.maxLength !== undefined && length > target.maxLength)
    throw new CellRefused(target, `has ${length} bytes, more than ${target.maxLength}`)
  return cell
}

const castUuid: Caster = (target) => (cell) => {
  if (typeof cell === 'string' && isUuid(cell)) return cell
  const hex = plainText(cell).replace(/[-{}]/gu, '').toLowerCase()
  if (!/^[0-9a-f]{32}$/u.test(hex)) throw new CellRefused(target, `is ${shown(cell)}, not a UUID`)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5')
}

/** By the code of a character: 1 for lower-case hex digits. A regular expression takes twice as long. */
const hexDigits = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-f]/u.test(String.fromCharCode(code)) ? 1 : 0,
)

function isUuid(text: string): boolean {
  if (text.length !== 36) return false
  if (text[8] !== '-' || text[13] !== '-' || text[18] !== '-' || text[23] !== '-') return false
  let digits = 0
  for (let at = 0; at < 36; at++) digits += hexDigits[text.charCodeAt(at)] ?? 0
  return digits === 32
}

const castEnum: Caster = (target) => (cell) => {
  if (typeof cell === 'string' && (target.labels === undefined || target.labels.includes(cell))) return cell
  throw new CellRefused(target, `is ${shown(cell)}, which is none of its labels`)
}

const castSet: Caster = (target) => (cell) => {
  const labels = Array.isArray(cell)
    ? (cell as readonly Cell[])
    : cell === ''
      ? []
      : plainText(cell).split(',')
  const unknown = labels.find(
    (label) => typeof label !== 'string' || target.labels?.includes(label) === false,
  )
  if (unknown !== undefined)
    throw new CellRefused(target, `is ${shown(unknown)}, which is none of its labels`)
  return labels
}

const castBit: Caster =
  (target, [length]) =>
  (cell) => {
    const text = plainText(cell)
    if (!/^[01]*$/u.test(text) || (length !== undefined && text.length > length))
      throw new CellRefused(target, `is ${shown(cell)}, not ${target.type}`)
    return length === undefined ? text : text.padStart(length, '0')
  }

const castAny: Caster = () => (cell) => cell

function castArray(target: ColumnHeader): Cast {
  const element = castTo({ ...target, type: target.type.slice(0, -2) }, [])
  const each = (cell: Cell): Cell =>
    Array.isArray(cell) ? (cell as readonly Cell[]).map(each) : element(cell)
  return (cell) => {
    if (Array.isArray(cell) || (typeof cell === 'string' && /^(?:\[[-\d:]+\])+=?\{|^\{/u.test(cell)))
      return typeof cell === 'string' ? cell : each(cell)
    throw new CellRefused(target, `is ${shown(cell)}, not an array`)
  }
}

const casts: Readonly<Record<string, Caster>> = {
  ...Object.fromEntries(Object.keys(integerRanges).map((type) => [type, castInteger])),
  year: castInteger,
  numeric: castNumeric,
  f32: castFloat,
  f64: castFloat,
  bool: castBool,
  text: castText,
  bytes: castBytes,
  uuid: castUuid,
  enum: castEnum,
  set: castSet,
  bit: castBit,
  date: (target) => (cell) => castDate(target, cell),
  timestamp: (target) => (cell) => castTimestamp(target, cell, false),
  timestamptz: (target) => (cell) => castTimestamp(target, cell, true),
  time: (target) => (cell) => castTime(target, cell),
}

export function shown(cell: Cell): string {
  const text = JSON.stringify(cell)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
