import {
  bytesCell,
  exactJsonCell,
  floatCell,
  integerCell,
  looseJsonCell,
  timeCell,
} from '../../engine/cell-text.js'
import { typeParts } from '../../engine/logical-type.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { arrayCell } from './rows-arrays.js'

/** Makes a canonical cell, as JSON text, of what COPY writes for a value. */
export type CellReader = (text: string) => string

export function cellReader(column: ColumnHeader): CellReader {
  const { base, array } = typeParts(column.type)
  const read = readers[base] ?? plainText
  // Of an element of an array the escapes of COPY are gone already.
  if (array) return (text) => arrayCell(unescaped(text), read === copiedText ? plainText : read)
  if (base === 'json')
    return column.db === 'jsonb'
      ? (text) => looseJsonCell(unescaped(text))
      : (text) => exactJsonCell(unescaped(text))
  return read === copiedText || read !== plainText ? read : copiedText
}

const readers: Readonly<Record<string, CellReader>> = {
  bool: (text) => (text === 't' || text === 'true' ? 'true' : 'false'),
  i16: (text) => text,
  i32: (text) => text,
  u32: (text) => text,
  i64: integerCell,
  f32: floatText,
  f64: floatText,
  numeric: (text) => `"${text}"`,
  uuid: (text) => `"${text}"`,
  bit: (text) => `"${text}"`,
  date: (text) => `"${signedYear(text)}"`,
  timestamp: (text) => `"${moment(text, '')}"`,
  timestamptz: (text) => `"${moment(text, 'Z')}"`,
  time: timeCell,
  timetz: timeCell,
  text: copiedText,
  bytes: (text) => bytesCell(Buffer.from(text.slice(3), 'hex')),
}

/** Up to 15 digits and no exponent are what a number of eight bytes is called by any engine. */
const shortDecimal = /^-?(?:[1-9]\d*|0(?=\.))(?:\.\d+)?$/u

function floatText(text: string): string {
  return text.length <= 16 && shortDecimal.test(text) ? text : floatCell(Number(text))
}

/**
 * A fraction comes without zeros at its end, and the session is in UTC, so that the offset is always none.
 * @param zone the one to say: `Z`, or nothing for the time of a calendar and clock
 */
function moment(text: string, zone: string): string {
  // 2024-01-31 10:00:00.5+00
  if (text[10] !== ' ' || text.endsWith(' BC')) return farMoment(text, zone)
  return `${text.slice(0, 10)}T${zone === '' ? text.slice(11) : text.slice(11, -3)}${zone}`
}

/** A year of more digits, one before Christ, or no moment at all: `infinity`. */
function farMoment(text: string, zone: string): string {
  const signed = signedYear(text)
  return (zone === '' ? signed : signed.replace('+00', zone)).replace(' ', 'T')
}

/** 44 BC is the year -43 of ISO 8601. */
function signedYear(text: string): string {
  if (!text.endsWith(' BC')) return text
  const dash = text.indexOf('-')
  const year = 1 - Number(text.slice(0, dash))
  const digits = String(Math.abs(year)).padStart(4, '0')
  return `${year < 0 ? '-' : ''}${digits}${text.slice(dash, -3)}`
}

// Control characters, quotes and backslashes cannot stand in a JSON string as they are.
const special = /["\\\u0000-\u001f]/u

/** A text as COPY writes it. */
function copiedText(text: string): string {
  return special.test(text) ? JSON.stringify(unescaped(text)) : `"${text}"`
}

function plainText(text: string): string {
  return JSON.stringify(text)
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2 */
export function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(.)/gsu, (_all, letter: string) => escapes[letter] ?? letter)
    : text
}
