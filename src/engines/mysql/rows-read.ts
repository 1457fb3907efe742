import {
  bytesCell,
  exactJsonCell,
  floatCell,
  integerCell,
  looseJsonCell,
  singleCell,
  timeCell,
  timestampCell,
  wrappedText,
} from '../../engine/cell-text.js'
import { typeParts } from '../../engine/logical-type.js'
import type { ColumnHeader } from '../../engine/table-header.js'
import { quoteName } from './quoting.js'
import type { OwnColumn } from './rows-catalog.js'

/** How a column is asked for and how its answer becomes a canonical cell, as JSON text. */
export interface ColumnReader {
  readonly expression: string
  /** The answer is bytes, not text. */
  readonly binary: boolean
  readonly cell: (value: string | Buffer) => string
}

export function columnReader(column: ColumnHeader): ColumnReader {
  const name = quoteName(column.name)
  const { base, args } = typeParts(column.type)
  const text = (expression: string, cell: (value: string) => string): ColumnReader => ({
    expression,
    binary: false,
    cell: (value) => cell(String(value)),
  })
  switch (base) {
    case 'bytes':
      return { expression: name, binary: true, cell: (value) => bytesCell(value as Buffer) }
    case 'geometry':
      return { expression: name, binary: true, cell: (value) => `"${extendedWkb(value as Buffer)}"` }
    case 'f32':
      // A FLOAT is sent with six digits; a DOUBLE with as many as it takes. A sum would lose the sign of -0.
      return text(`${name}*1e0`, (value) => singleCell(Number(value)))
    case 'bit':
      return text(`LPAD(BIN(${name}+0),${args[0] ?? 1},'0')`, (value) => `"${value}"`)
    case 'enum':
      // The invalid value '' has the index 0, which a label '' does not have.
      return text(`CONCAT(${name}+0,':',${name})`, enumCell)
    case 'json':
      return text(
        name,
        (column.own as OwnColumn | undefined)?.exactJson === true ? exactJsonCell : looseJsonCell,
      )
    default:
      return text(name, readers[base] ?? JSON.stringify)
  }
}

const digits = (text: string) => integerCell(text.replace(/^(-?)0+(?=\d)/u, '$1'))

const readers: Readonly<Record<string, (text: string) => string>> = {
  ...Object.fromEntries(
    ['8', '16', '24', '32', '64'].flatMap((bits) => [
      [`i${bits}`, digits],
      [`u${bits}`, digits],
    ]),
  ),
  year: digits,
  bool: (text) => (text === '0' ? 'false' : text === '1' ? 'true' : `{"~":"integer","v":${text}}`),
  numeric: (text) => `"${text}"`,
  f64: (text) => floatCell(Number(text)),
  date: (text) => (isZeroDate(text) ? wrappedText('zerodate', text) : `"${text}"`),
  timestamp: (text) => (isZeroDate(text) ? wrappedText('zerodate', text) : timestampCell(text)),
  timestamptz: (text) => (isZeroDate(text) ? wrappedText('zerodate', text) : timestampCell(`${text}Z`)),
  time: (text) =>
    /^[01]\d:|^2[0-3]:/u.test(text) ? timeCell(text) : wrappedText('interval', interval(text)),
  set: (text) => JSON.stringify(text === '' ? [] : text.split(',')),
}

function isZeroDate(text: string): boolean {
  return /^0000|-00/u.test(text.slice(0, 10))
}

/** MySQL's TIME goes to 838 hours, and below zero. */
function interval(text: string): string {
  const [, sign = '', hours = '0', minutes = '0', seconds = '0'] =
    /^(-?)(\d+):(\d\d):(\d\d(?:\.\d+)?)$/u.exec(text) ?? []
  return `PT${sign}${Number(hours)}H${sign}${Number(minutes)}M${sign}${Number(seconds)}S`
}

function enumCell(text: string): string {
  const colon = text.indexOf(':')
  return text.slice(0, colon) === '0' ? '{"~":"enum","v":0}' : JSON.stringify(text.slice(colon + 1))
}

const hasSrid = 0x20000000

/** The server keeps the SRID before the WKB; EWKB has it within. */
function extendedWkb(bytes: Buffer): string {
  const srid = bytes.readUInt32LE(0)
  const wkb = bytes.subarray(4)
  if (srid === 0) return wkb.toString('hex').toUpperCase()
  const head = Buffer.alloc(9)
  head[0] = 1
  head.writeUInt32LE((wkb.readUInt32LE(1) | hasSrid) >>> 0, 1)
  head.writeUInt32LE(srid, 5)
  return Buffer.concat([head, wkb.subarray(5)])
    .toString('hex')
    .toUpperCase()
}
