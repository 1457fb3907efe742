import { asWrapped, plainText, type Cell } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import { CellRefused } from '../../engine/row-sink.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import type { Bound } from './program/rows-insert.js'
import type { OwnColumn } from './rows-types.js'

/** Makes what the SQLite program binds of a canonical cell that is not null. @throws CellRefused */
export type CellWriter = (cell: Cell) => Bound

/** Wrappers that say the storage class of a value, which a column of any type may hold. */
export const storageClasses = ['integer', 'real', 'text', 'blob', 'bytes', 'jsontext']

export function cellWriter(column: ColumnHeader): CellWriter {
  const write = plainWriter(column)
  return (cell) => {
    const wrapped = asWrapped(cell)
    return wrapped === undefined || !storageClasses.includes(wrapped['~'])
      ? write(cell)
      : stored(wrapped['~'], wrapped.v)
  }
}

function stored(kind: string, value: Cell): Bound {
  switch (kind) {
    case 'integer':
      return typeof value === 'number' ? value : { i: plainText(value) }
    case 'real':
      return real(value, undefined)
    case 'blob':
      return { b: plainText(value) }
    case 'bytes':
      return { t: plainText(value) }
    default: {
      const inner = asWrapped(value)
      return inner === undefined ? text(plainText(value)) : { t: plainText(inner.v) }
    }
  }
}

function plainWriter(column: ColumnHeader): CellWriter {
  const { base, array } = typeParts(column.type)
  const { affinity } = (column.own ?? {}) as Partial<OwnColumn>
  if (array) return (cell) => JSON.stringify(cell)
  switch (base) {
    case 'bool':
      return (cell) => (cell === true ? 1 : 0)
    case 'i64':
      return (cell) => (typeof cell === 'number' ? cell : { i: plainText(cell) })
    case 'f64':
    case 'f32':
      return (cell) => real(storable(column, cell), affinity)
    case 'numeric':
      return affinity === 'text' ? (cell) => plainText(cell) : (cell) => numeric(column, plainText(cell))
    case 'bytes':
      return (cell) => ({ b: plainText(cell) })
    case 'timestamp':
      return (cell) => plainText(cell).replace('T', ' ')
    case 'timestamptz':
      return (cell) => plainText(cell).replace('T', ' ').replace('Z', '+00:00')
    case 'json':
      return (cell) => text(JSON.stringify(cell))
    default:
      return (cell) => text(typeof cell === 'string' ? cell : JSON.stringify(cell))
  }
}

/** SQLite makes NULL of NaN, and in a REAL column the integer 0 of -0. */
function storable(column: ColumnHeader, cell: Cell): Cell {
  if (cell === 'NaN')
    throw new CellRefused(column, 'is NaN, which SQLite does not have', column.nullable ? null : undefined)
  if (cell === '-0') throw new CellRefused(column, 'is -0, which SQLite does not keep', 0)
  return cell
}

/** The driver binds the integer 0 in place of a double so near to it. */
const nearZero = 1e-15

/** A whole number is an INTEGER to the driver, which a REAL column makes a REAL. */
function real(cell: Cell, affinity: OwnColumn['affinity'] | undefined): Bound {
  if (typeof cell === 'string')
    return {
      r: cell === 'Infinity' ? '9e999' : cell === '-Infinity' ? '-9e999' : cell === '-0' ? '-0.0' : cell,
    }
  if (typeof cell !== 'number') return { r: JSON.stringify(cell) }
  const isTaken = Math.abs(cell) < nearZero || (Number.isInteger(cell) && affinity !== 'real')
  return isTaken ? { r: plainText(cell) } : cell
}

/** A column of numeric affinity makes a double of a decimal, which holds 15 digits for sure. */
function numeric(column: ColumnHeader, digits: string): Bound {
  const significant = digits
    .replace(/^-?0*\.?0*/u, '')
    .replace('.', '')
    .replace(/0+$/u, '')
  const whole = /^-?\d+$/u.test(digits)
  if (whole && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits)) return { i: digits }
  if (significant.length > 15) {
    throw new CellRefused(
      column,
      'has more digits than a numeric column of SQLite keeps: declare it DECIMAL_TEXT',
      {
        '~': 'real',
        v: Number(digits),
      },
    )
  }
  return Number.isNaN(Number(digits)) ? digits : { r: digits }
}

function text(value: string): Bound {
  return value.includes('\0') ? { t: Buffer.from(value).toString('base64') } : value
}
