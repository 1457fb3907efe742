import { asWrapped, plainText, type Cell, type WrappedCell } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import { CellRefused } from '../../engine/row-sink.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import type { OwnColumn } from './rows-catalog.js'

/** Makes a literal of a canonical cell that is not null. @throws CellRefused */
export type CellWriter = (cell: Cell) => string

/** Wrappers that this engine can hold in a column of the type that made them. */
export const ownWrappers = ['integer', 'enum', 'zerodate', 'interval', 'jsontext', 'bytes']

export function cellWriter(column: ColumnHeader): CellWriter {
  const write = plainWriter(column)
  return (cell) => {
    const wrapped = asWrapped(cell)
    return wrapped === undefined ? write(cell) : wrappedLiteral(column, wrapped)
  }
}

function wrappedLiteral(column: ColumnHeader, { '~': kind, v }: WrappedCell): string {
  if (kind === 'integer' && column.type === 'bool') return plainText(v)
  if (kind === 'enum' && column.type === 'enum') return '0'
  if (kind === 'zerodate' && /^(?:date|timestamp)/u.test(column.type)) return quoted(plainText(v))
  if (kind === 'interval' && column.type === 'time') return quoted(hours(plainText(v)))
  if (kind === 'jsontext' && column.type === 'json') return quoted(plainText(v))
  if (kind === 'bytes')
    throw new CellRefused(column, 'is not valid UTF-8', Buffer.from(plainText(v), 'base64').toString('utf8'))
  throw new CellRefused(column, `holds a value of kind ${kind}, which ${column.type} cannot`)
}

function plainWriter(column: ColumnHeader): CellWriter {
  const { base, array } = typeParts(column.type)
  if (array) return (cell) => quoted(JSON.stringify(cell))
  switch (base) {
    case 'bool':
      return (cell) => (cell === true ? '1' : '0')
    case 'numeric':
      return (cell) => finite(column, plainText(cell))
    case 'f32':
    case 'f64':
      return (cell) => (cell === '-0' ? minusZero(column) : finite(column, plainText(cell)))
    case 'bytes':
      return bytesWriter(column)
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return (cell) => quoted(withinYears(column, plainText(cell)).replace('T', ' ').replace('Z', ''))
    case 'json':
    case 'document':
      return (cell) => quoted(JSON.stringify(cell))
    case 'set':
      return (cell) => quoted((Array.isArray(cell) ? cell : [cell]).join(','))
    case 'bit':
      return (cell) => `b'${plainText(cell)}'`
    case 'geometry':
      return (cell) => hex(withSridBefore(Buffer.from(plainText(cell), 'hex')))
    default:
      if (/^[iu]\d|^year/u.test(base)) return String
      return textWriter(column)
  }
}

function bytesWriter(column: ColumnHeader): CellWriter {
  const length = Number(/^binary\((\d+)\)$/iu.exec(column.db ?? '')?.[1] ?? 0)
  return (cell) => {
    const bytes = Buffer.from(plainText(cell), 'base64')
    if (bytes.length < length)
      throw new CellRefused(
        column,
        `has ${bytes.length} bytes, which binary(${length}) fills up with zeros`,
        Buffer.concat([bytes], length).toString('base64'),
      )
    return hex(bytes)
  }
}

function textWriter(column: ColumnHeader): CellWriter {
  const fixed = /^char\(/iu.test(column.db ?? '')
  const { charset } = (column.own ?? {}) as Partial<OwnColumn>
  const basic = charset === 'utf8mb3' || charset === 'utf8'
  return (cell) => {
    const text = typeof cell === 'string' ? cell : JSON.stringify(cell)
    if (basic && /[\u{10000}-\u{10ffff}]/u.test(text)) {
      throw new CellRefused(
        column,
        'holds a character outside of utf8mb3, such as an emoji',
        text.replace(/[\u{10000}-\u{10ffff}]/gu, '?'),
      )
    }
    if (fixed && text.endsWith(' '))
      throw new CellRefused(column, 'ends in blanks, which char(n) does not keep', text.replace(/ +$/u, ''))
    return quoted(text)
  }
}

function finite(column: ColumnHeader, text: string): string {
  if (/^(?:NaN|-?Infinity)$/u.test(text)) throw new CellRefused(column, `is ${text}, which MySQL cannot hold`)
  return text
}

function minusZero(column: ColumnHeader): string {
  if ((column.own as Partial<OwnColumn> | undefined)?.minusZero === true) return '-0e0'
  throw new CellRefused(column, 'is -0, which MariaDB does not have', 0)
}

function withinYears(column: ColumnHeader, text: string): string {
  if (/^\d{4}-/u.test(text) && !text.startsWith('0000')) return text
  throw new CellRefused(column, `is ${text}: MySQL holds the years from 1 to 9999`)
}

const escapes: Readonly<Record<string, string>> = { '\0': '\\0', "'": "''", '\\': '\\\\', '\u001a': '\\Z' }

function quoted(text: string): string {
  return `'${/[\0'\\\u001a]/u.test(text) ? text.replace(/[\0'\\\u001a]/gu, (each) => escapes[each] ?? each) : text}'`
}

function hex(bytes: Buffer): string {
  return bytes.length === 0 ? "''" : `X'${bytes.toString('hex')}'`
}

/** `PT838H59M59S` as `838:59:59`. */
function hours(text: string): string {
  const [, sign = '', hour = '0', minute = '0', second = '0'] =
    /^PT(-?)(\d+)H-?(\d+)M-?(\d+(?:\.\d+)?)S$/u.exec(text) ?? []
  return `${sign}${hour.padStart(2, '0')}:${minute.padStart(2, '0')}:${second}`
}

const hasSrid = 0x20000000

function withSridBefore(ewkb: Buffer): Buffer {
  const type = ewkb.readUInt32LE(1)
  if ((type & hasSrid) === 0) return Buffer.concat([Buffer.alloc(4), ewkb])
  const head = Buffer.alloc(9)
  head.writeUInt32LE(ewkb.readUInt32LE(5), 0)
  head[4] = 1
  head.writeUInt32LE((type & ~hasSrid) >>> 0, 5)
  return Buffer.concat([head, ewkb.subarray(9)])
}
