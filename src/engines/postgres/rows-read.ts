import { exactJsonCell, floatCell, integerCell, looseJsonCell, trimFraction } from '../../engine/cell-text.js'
import { typeParts } from '../../engine/logical-type.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { arrayCell } from './rows-arrays.js'

/** Makes a canonical cell, as JSON text, of what COPY writes for a value. */
export interface CellReader {
  /** What `read` gives is the inside of a JSON string: quotation marks are still to be set around it. */
  readonly quoted: boolean
  readonly read: (text: string) => string
}

export function cellReader(column: ColumnHeader): CellReader {
  const { base, array } = typeParts(column.type)
  const reader = readers[base] ?? copiedString
  // Of an element of an array the escapes of COPY are gone already.
  if (array) {
    const element = cellText(reader === copiedString ? quoted(stringInside) : reader)
    return bare((text) => arrayCell(unescaped(text), element))
  }
  if (base !== 'json') return reader
  const json = column.db === 'jsonb' ? looseJsonCell : exactJsonCell
  return bare((text) => json(unescaped(text)))
}

/** The cell with its quotation marks. */
function cellText({ quoted: inQuotes, read }: CellReader): (text: string) => string {
  return inQuotes ? (text) => `"${read(text)}"` : read
}

function bare(read: CellReader['read']): CellReader {
  return { quoted: false, read }
}

function quoted(read: CellReader['read']): CellReader {
  return { quoted: true, read }
}

// Control characters, quotes and backslashes cannot stand in a JSON string as they are.
const special = /["\\\u0000-\u001f]/u

function stringInside(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

const asItIs = (text: string) => text

/** A text as COPY writes it. */
const copiedString = quoted((text) => (special.test(text) ? stringInside(unescaped(text)) : text))

const readers: Readonly<Record<string, CellReader>> = {
  bool: bare((text) => (text === 't' || text === 'true' ? 'true' : 'false')),
  i16: bare(asItIs),
  i32: bare(asItIs),
  u32: bare(asItIs),
  i64: bare(integerCell),
  f32: bare(floatText),
  f64: bare(floatText),
  numeric: quoted(asItIs),
  uuid: quoted(asItIs),
  bit: quoted(asItIs),
  date: quoted(signedYear),
  timestamp: quoted((text) => moment(text, '')),
  timestamptz: quoted((text) => moment(text, 'Z')),
  time: quoted(trimFraction),
  timetz: quoted(trimFraction),
  bytes: quoted((text) => Buffer.from(text.slice(3), 'hex').toString('base64')),
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

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2 */
export function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(.)/gsu, (_all, letter: string) => escapes[letter] ?? letter)
    : text
}
