import { isUtf8 } from 'node:buffer'
import { plainText, wrapped, type Cell } from '../engine/cell.js'
import { exactJsonCell } from '../engine/cell-text.js'
import { typeParts } from '../engine/logical-type.js'
import { CellRefused } from '../engine/row-sink.js'
import type { ColumnHeader, LogicalType } from '../engine/table-header.js'

/** Makes of a cell of one type what the same value is called as a cell of another. @throws CellRefused */
export type Reform = (cell: Cell) => Cell

/**
 * Canonical cells of different types may look alike and mean something else: the text `abcd` is also the base64 of three bytes, and
 * the bits `101` are the number 5.
 * @param from the type that the cell has in the dump
 * @returns undefined where a cast by the cell alone is right
 */
export function reformOf(from: LogicalType, target: ColumnHeader): Reform | undefined {
  const [source, own] = [typeParts(from), typeParts(target.type)]
  if (source.array || own.array || source.base === own.base) return undefined
  const [was, is] = [kindOf(source.base), kindOf(own.base)]
  return reforms[`${was} ${is}`]?.(target) ?? (was === 'bytes' ? noBytes(target) : undefined)
}

function kindOf(base: string): string {
  if (/^[iu]\d/u.test(base) || base === 'numeric') return 'number'
  return base === 'enum' ? 'text' : base
}

const reforms: Readonly<Record<string, (target: ColumnHeader) => Reform>> = {
  'text bytes': () => (cell) => Buffer.from(plainText(cell)).toString('base64'),
  'bytes text': () => (cell) => {
    const bytes = bytesOf(cell)
    return isUtf8(bytes) ? bytes.toString('utf8') : wrapped('bytes', bytes.toString('base64'))
  },
  'bytes uuid': (target) => (cell) => {
    const bytes = bytesOf(cell)
    if (bytes.length === 16) return bytes.toString('hex')
    throw new CellRefused(target, `has ${bytes.length} bytes, and a UUID has 16`)
  },
  'uuid bytes': () => (cell) => Buffer.from(plainText(cell).replaceAll('-', ''), 'hex').toString('base64'),
  'bytes geometry': () => (cell) => bytesOf(cell).toString('hex').toUpperCase(),
  'geometry bytes': () => (cell) => Buffer.from(plainText(cell), 'hex').toString('base64'),
  'text json': (target) => (cell) => jsonOf(target, cell),
  'json text': () => (cell) => JSON.stringify(cell),
  'set text': () => (cell) => (Array.isArray(cell) ? cell.join(',') : cell),
  'bit number': () => (cell) => BigInt(`0b${plainText(cell)}`).toString(),
  'number bit': (target) => (cell) => bitsOf(target, cell),
  'time interval': () => (cell) => intervalOf(plainText(cell)),
}

function bytesOf(cell: Cell): Buffer {
  return Buffer.from(plainText(cell), 'base64')
}

function noBytes(target: ColumnHeader): Reform {
  return () => {
    throw new CellRefused(target, `holds bytes, and not ${target.type}`)
  }
}

function jsonOf(target: ColumnHeader, cell: Cell): Cell {
  const text = plainText(cell)
  try {
    JSON.parse(text)
  } catch {
    throw new CellRefused(target, `is ${JSON.stringify(text).slice(0, 60)}, which is no JSON`)
  }
  return JSON.parse(exactJsonCell(text)) as Cell
}

function bitsOf(target: ColumnHeader, cell: Cell): Cell {
  const text = plainText(cell)
  if (!/^\d+$/u.test(text)) throw new CellRefused(target, `is ${text}, not ${target.type}`)
  return BigInt(text).toString(2)
}

function intervalOf(text: string): Cell {
  const [, hours, minutes, seconds] = /^(\d\d):(\d\d):(\d\d(?:\.\d+)?)$/u.exec(text) ?? []
  return hours === undefined ? text : `PT${Number(hours)}H${Number(minutes)}M${Number(seconds)}S`
}
