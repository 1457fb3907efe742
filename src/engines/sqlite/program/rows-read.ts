import { isUtf8 } from 'node:buffer'
import { wrapped, type Cell } from '../../../engine/cell.js'
import { exactJsonCell, floatCell } from '../../../engine/cell-text.js'
import { typeParts } from '../../../engine/logical-type.js'
import type { ColumnHeader } from '../../../engine/table-header.js'
import { quoteName } from '../quoting.js'

/**
 * A value with its storage class, as SQLite writes it into JSON: a number is an INTEGER (or a REAL, in a column of those), a
 * string is TEXT, and all else is named.
 */
type Stored =
  | null
  | number
  | string
  | { readonly i: string }
  | { readonly r: number | string }
  | { readonly t: string }
  | { readonly b: string }

/**
 * An expression that gives a row as such a JSON array. SQLite makes the text: a driver loses NUL bytes and what is not UTF-8,
 * and takes longer for a value than SQLite for a row.
 */
export function rowExpression(columns: readonly ColumnHeader[]): string {
  return `'['||${columns.map((column) => storedExpression(quoteName(column.name), column.type === 'f64')).join(`||','||`)}||']'`
}

function storedExpression(column: string, real: boolean): string {
  const number = `iif(${column}=0.0 AND atan2(${column},-1.0)<0.0,'"-0"',quote(${column}))`
  const integer = real
    ? `'{"i":"'||${column}||'"}'`
    : `iif(${column} BETWEEN -9007199254740991 AND 9007199254740991,${column},'{"i":"'||${column}||'"}')`
  return (
    `CASE typeof(${column}) WHEN 'null' THEN 'null' WHEN 'integer' THEN ${integer}` +
    ` WHEN 'real' THEN ${real ? number : `'{"r":'||${number}||'}'`}` +
    ` WHEN 'text' THEN iif(instr(${column},char(0)),'{"t":"'||hex(${column})||'"}',json_quote(${column}))` +
    ` ELSE '{"b":"'||hex(${column})||'"}' END`
  )
}

/** Makes canonical rows of what the expression gives. */
export function rowReader(columns: readonly ColumnHeader[], encoding: string): (bytes: Buffer) => string {
  const readers = columns.map((column) => cellReader(column))
  return (bytes) => {
    const { row, text } = parsed(bytes, encoding)
    let line = '['
    for (let index = 0; index < readers.length; index++) {
      const cell = (readers[index] as CellReader)(row[index] as Stored, text)
      line += index === 0 ? cell : `,${cell}`
    }
    return `${line}]\n`
  }
}

/** `text` makes the cell of a string as it stands in the row. */
function parsed(bytes: Buffer, encoding: string): { row: readonly Stored[]; text: (value: string) => Cell } {
  const asIs = (value: string) => value
  if (encoding !== 'UTF-8')
    return {
      row: JSON.parse((encoding === 'UTF-16be' ? bytes.swap16() : bytes).toString('utf16le')) as Stored[],
      text: asIs,
    }
  if (isUtf8(bytes)) return { row: JSON.parse(bytes.toString('utf8')) as Stored[], text: asIs }
  // A character for each byte: the structure is ASCII, and each string is looked at by itself.
  return {
    row: JSON.parse(bytes.toString('latin1')) as Stored[],
    text: (value) => textOf(Buffer.from(value, 'latin1')),
  }
}

function textOf(bytes: Buffer): Cell {
  return isUtf8(bytes) ? bytes.toString('utf8') : wrapped('bytes', bytes.toString('base64'))
}

type CellReader = (stored: Stored, text: (value: string) => Cell) => string

/** What the column's type says where the value fits it; otherwise the value with its storage class. */
function cellReader({ type }: ColumnHeader): CellReader {
  const { base } = typeParts(type)
  const fits = fitting[base] ?? fitting['text']
  return (stored, text) => {
    if (stored === null) return 'null'
    return fits?.(stored, text) ?? JSON.stringify(offType(stored, text))
  }
}

type Fitting = (stored: NonNullable<Stored>, text: (value: string) => Cell) => string | undefined

function ofText(pattern: RegExp, cell: (text: string) => string): Fitting {
  return (stored) =>
    typeof stored === 'string' && pattern.test(stored) ? JSON.stringify(cell(stored)) : undefined
}

const asItIs = (text: string) => text
const fraction = String.raw`(?:\.\d{0,5}[1-9])?`

const fitting: Readonly<Record<string, Fitting>> = {
  i64: (stored) =>
    typeof stored === 'number' ? String(stored) : isBig(stored) ? `"${stored.i}"` : undefined,
  bool: (stored) => (stored === 0 ? 'false' : stored === 1 ? 'true' : undefined),
  f64: (stored) => (typeof stored === 'number' ? floatCell(stored) : stored === '-0' ? '"-0"' : undefined),
  numeric: (stored) => numericText(stored),
  bytes: (stored) =>
    typeof stored === 'object' && 'b' in stored
      ? `"${Buffer.from(stored.b, 'hex').toString('base64')}"`
      : undefined,
  text: (stored, text) => {
    if (typeof stored === 'string') return JSON.stringify(text(stored))
    return typeof stored === 'object' && 't' in stored
      ? JSON.stringify(textOf(Buffer.from(stored.t, 'hex')))
      : undefined
  },
  json: (stored, text) => {
    const cell = typeof stored === 'string' ? text(stored) : undefined
    if (typeof cell !== 'string') return undefined
    return isJson(cell) ? exactJsonCell(cell) : undefined
  },
  date: ofText(/^(?:\d{4}-\d\d-\d\d|-?infinity)$/u, asItIs),
  timestamp: ofText(
    new RegExp(String.raw`^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d${fraction}|-?infinity)$`, 'u'),
    (text) => text.replace(' ', 'T'),
  ),
  timestamptz: ofText(
    new RegExp(String.raw`^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d${fraction}\+00:00|-?infinity)$`, 'u'),
    (text) => text.replace(' ', 'T').replace('+00:00', 'Z'),
  ),
  time: ofText(new RegExp(String.raw`^\d\d:\d\d:\d\d${fraction}$`, 'u'), asItIs),
  uuid: ofText(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u, asItIs),
  u64: ofText(/^(?:0|[1-9]\d*)$/u, asItIs),
  interval: ofText(/^P/u, asItIs),
}

function isBig(stored: NonNullable<Stored>): stored is { readonly i: string } {
  return typeof stored === 'object' && 'i' in stored
}

/** Of a number its digits; a text, in a column of texts, is the digits themselves. */
function numericText(stored: NonNullable<Stored>): string | undefined {
  if (typeof stored === 'number') return `"${stored}"`
  if (typeof stored === 'string')
    return /^(?:-?\d+(?:\.\d+)?|NaN|-?Infinity)$/u.test(stored) ? `"${stored}"` : undefined
  if (isBig(stored)) return `"${stored.i}"`
  const real = 'r' in stored ? String(stored.r) : ''
  return /^-?\d+(?:\.\d+)?$/u.test(real) && real !== '-0' ? `"${real}"` : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function offType(stored: NonNullable<Stored>, text: (value: string) => Cell): Cell {
  if (typeof stored === 'number') return wrapped('integer', stored)
  if (typeof stored === 'string') return wrapped('text', text(stored))
  if ('i' in stored) return wrapped('integer', stored.i)
  if ('r' in stored)
    return wrapped(
      'real',
      typeof stored.r === 'string' ? stored.r : (JSON.parse(floatCell(stored.r)) as Cell),
    )
  if ('t' in stored) return wrapped('text', textOf(Buffer.from(stored.t, 'hex')))
  return wrapped('blob', Buffer.from(stored.b, 'hex').toString('base64'))
}
