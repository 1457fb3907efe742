import { asWrapped, plainText, type Cell } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import { CellRefused } from '../../engine/row-sink.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { arrayLiteral } from './rows-arrays.js'

/** Makes what COPY reads of a canonical cell that is not null. @throws CellRefused */
export type CellWriter = (cell: Cell) => string

export function cellWriter(column: ColumnHeader): CellWriter {
  const { base, array } = typeParts(column.type)
  const write = literalWriter(column, base)
  if (array) return (cell) => escaped(arrayLiteral(cell, write))
  if (base === 'bytes') return (cell) => `\\\\x${Buffer.from(plainText(cell), 'base64').toString('hex')}`
  if (base === 'json' || base === 'set') return (cell) => escaped(write(cell))
  if (!strings.has(base)) return write
  // Nearly every text is written as it is.
  return (cell) => (typeof cell === 'string' && !special.test(cell) ? cell : escaped(write(cell)))
}

const strings = new Set(['text', 'native', 'enum'])

/** What COPY has an escape for, and what a text cannot hold. */
const special = /[\\\0\b\f\n\r\t\v]/u

/** The value as a literal of its type, before the escapes of COPY or of arrays. */
function literalWriter(column: ColumnHeader, base: string): CellWriter {
  switch (base) {
    case 'bool':
      return (cell) => (cell === true ? 't' : 'f')
    case 'text':
    case 'enum':
      return (cell) => textOf(column, cell)
    case 'json':
      return (cell) => jsonOf(column, cell)
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return (cell) => eraYear(plainText(cell))
    case 'native':
      return (cell) => (typeof cell === 'string' ? textOf(column, cell) : JSON.stringify(cell))
    default:
      return (cell) => plainText(cell)
  }
}

function textOf(column: ColumnHeader, cell: Cell): string {
  const wrapped = asWrapped(cell)
  if (wrapped?.['~'] === 'bytes') {
    const text = Buffer.from(plainText(wrapped.v), 'base64').toString('utf8')
    throw new CellRefused(column, 'is not valid UTF-8', text.replaceAll('\0', ''))
  }
  const text = plainText(cell)
  if (text.includes('\0'))
    throw new CellRefused(column, 'holds a NUL character, which PostgreSQL cannot', text.replaceAll('\0', ''))
  return text
}

function jsonOf(column: ColumnHeader, cell: Cell): string {
  const wrapped = asWrapped(cell)
  const text = wrapped?.['~'] === 'jsontext' ? plainText(wrapped.v) : JSON.stringify(cell)
  if (column.db === 'jsonb' && /(?<!\\)(?:\\\\)*\\u0000/u.test(text))
    throw new CellRefused(column, 'holds \\u0000, which jsonb cannot')
  return text
}

const beforeChrist = /^(?:-\d|0000)/u

/** The year -43 of ISO 8601 is 44 BC. */
function eraYear(text: string): string {
  if (!beforeChrist.test(text)) return text
  const [, sign, digits, rest] = /^(-?)(\d{4,})(-.*)$/su.exec(text) ?? []
  if (digits === undefined || rest === undefined) return text
  const year = Number(digits) * (sign === '-' ? -1 : 1)
  return year > 0 ? text : `${String(1 - year).padStart(4, '0')}${rest} BC`
}

const escapeOf: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function escaped(text: string): string {
  return /[\\\b\f\n\r\t\v]/u.test(text)
    ? text.replace(/[\\\b\f\n\r\t\v]/gu, (each) => escapeOf[each] ?? each)
    : text
}
