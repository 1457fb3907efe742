import { asWrapped, plainText, type Cell, type Row } from '../../engine/cell.js'
import { bytesCell, floatCell, integerCell, timestampCell } from '../../engine/cell-text.js'
import { typeParts } from '../../engine/logical-type.js'
import { primaryKeyOf } from '../../engine/row-key.js'
import { CellRefused, type TableMapping } from '../../engine/row-sink.js'
import { tableText, type ColumnHeader, type TableHeader } from '../../engine/table-header.js'
import type { Bson } from './ordered-json.js'

/** How rows of a table of columns become documents, and what of the table is lost. */
export function mappingOfRows(header: TableHeader): TableMapping {
  const name = tableText(header.table)
  const { columns, unique, indexes, generated, notCarried, foreignKeys } = header
  const nullable = new Set(columns.filter((column) => column.nullable).map((column) => column.name))
  // A unique index of MongoDB takes one null, where SQL takes any number.
  const strict = unique.filter((key) => !key.some((column) => nullable.has(column)))
  const loose = unique.filter((key) => key.some((column) => nullable.has(column)))
  const losses = [
    ...foreignKeys.map((key) => `its key (${key.columns.join(', ')}) to ${tableText(key.references)}`),
    ...loose.map((key) => `that ${key.join(', ')} is unique where it is not null`),
    ...generated.map((column) => `the generated column ${column.name}`),
    ...columns.filter((column) => column.hasDefault).map((column) => `the default of ${column.name}`),
    ...notCarried,
  ]
  return {
    table: {
      ...header,
      table: { name: header.table.name },
      columns: columns.map(storedColumn),
      foreignKeys: [],
      native: {
        engine: 'mongodb',
        definition: {
          options: '{}',
          indexes: [
            ...strict.map((key) => indexText(key, true)),
            ...[...loose, ...indexes].map((key) => indexText(key, false)),
          ],
        },
      },
    },
    losses: losses.map((loss) => `${name}: ${loss} does not carry over`),
    statements: [],
    after: [],
  }
}

function indexText(key: readonly string[], unique: boolean): string {
  const fields = key.map((column) => `${JSON.stringify(column)}:{"$numberInt":"1"}`).join(',')
  const name = `${key.join('_1_')}_1${unique ? '_unique' : ''}`
  return `{"key":{${fields}},"name":${JSON.stringify(name)}${unique ? ',"unique":true' : ''}}`
}

/** Types of which BSON has one of its own; of lists and JSON it has documents, and the others are texts. */
const kept = new Set([...'i8 i16 i24 i32 i64 u8 u16 u24 u32 u64 year'.split(' '), 'numeric', 'f32', 'f64'])
for (const type of ['bool', 'bytes', 'uuid']) kept.add(type)

function storedColumn(column: ColumnHeader): ColumnHeader {
  const { name, primaryKey, nullable, type } = column
  const { base, array } = typeParts(type)
  const place = primaryKey === undefined ? {} : { primaryKey }
  const plain = { name, ...place, nullable, hasDefault: false, db: 'bson' }
  if (array || base === 'set' || base === 'json' || base === 'document') return { ...plain, type: 'json' }
  // A date of BSON has milliseconds.
  if (base === 'timestamptz') return { ...plain, type, precision: 3 }
  return { ...plain, type: kept.has(base) ? type : 'text' }
}

type Extended = (cell: Cell) => unknown

/** Rows as documents in extended JSON: every column a field, and the primary key the `_id` as well. */
export function documentMaker(table: TableHeader, columns: readonly string[]): (row: Row) => Cell {
  const written = columns.flatMap((name, place) => {
    const column = table.columns.find((each) => each.name === name)
    return column === undefined ? [] : [{ name, place, extended: extendedOf(column) }]
  })
  const key = primaryKeyOf(table)
  return (row) => {
    const fields = Object.fromEntries(
      written.map(({ name, place, extended }) => {
        const cell = row[place] ?? null
        return [name, cell === null ? null : extended(cell)]
      }),
    )
    const id =
      key.length === 1 ? fields[key[0] ?? ''] : Object.fromEntries(key.map((name) => [name, fields[name]]))
    return (key.length === 0 || '_id' in fields ? fields : { _id: id, ...fields }) as Cell
  }
}

const int32 = new Set(['i8', 'i16', 'i24', 'i32', 'u8', 'u16', 'u24', 'year'])

/** @throws CellRefused, from what it gives */
function extendedOf(column: ColumnHeader): Extended {
  const { base } = typeParts(column.type)
  if (int32.has(base)) return (cell) => ({ $numberInt: plainText(cell) })
  switch (base) {
    case 'i64':
    case 'u32':
      return (cell) => ({ $numberLong: plainText(cell) })
    case 'u64':
    case 'numeric':
      return (cell) => decimalOf(column, plainText(cell))
    case 'f32':
    case 'f64':
      return (cell) => ({ $numberDouble: cell === '-0' ? '-0.0' : plainText(cell) })
    case 'bytes':
      return (cell) => ({ $binary: { base64: plainText(cell), subType: '00' } })
    case 'uuid':
      return (cell) => {
        const bytes = Buffer.from(plainText(cell).replaceAll('-', ''), 'hex')
        return { $binary: { base64: bytes.toString('base64'), subType: '04' } }
      }
    case 'timestamptz':
      return (cell) => ({ $date: { $numberLong: String(momentOf(column, plainText(cell))) } })
    case 'json':
      return (cell) => jsonOf(column, cell)
    default:
      return (cell) => textOf(column, cell)
  }
}

/** A decimal of BSON has 34 digits. */
function decimalOf(column: ColumnHeader, text: string): unknown {
  if (text.replace(/\D/gu, '').replace(/^0+/u, '').length > 34)
    throw new CellRefused(column, `is ${text}, with more than 34 digits`)
  return { $numberDecimal: text }
}

function momentOf(column: ColumnHeader, text: string): number {
  const ms = /^\d{4}-/u.test(text) ? Date.parse(text) : NaN
  if (Number.isFinite(ms)) return ms
  throw new CellRefused(column, `is ${text}, which is no date of BSON`, column.nullable ? null : undefined)
}

function textOf(column: ColumnHeader, cell: Cell): unknown {
  if (asWrapped(cell) !== undefined) throw new CellRefused(column, 'is no text')
  return cell
}

/** JSON as what the driver makes of it. */
function jsonOf(column: ColumnHeader, cell: Cell): unknown {
  if (asWrapped(cell) !== undefined)
    throw new CellRefused(column, 'is JSON that would be another after it was read')
  if (typeof cell === 'number') {
    if (!Number.isInteger(cell) || Object.is(cell, -0))
      return { $numberDouble: Object.is(cell, -0) ? '-0.0' : String(cell) }
    return Math.abs(cell) < 2 ** 31 ? { $numberInt: String(cell) } : { $numberLong: String(BigInt(cell)) }
  }
  if (Array.isArray(cell)) return (cell as readonly Cell[]).map((each) => jsonOf(column, each))
  if (typeof cell !== 'object' || cell === null) return cell
  return Object.fromEntries(
    Object.entries(cell).map(([key, each]) => {
      if (key.startsWith('$'))
        throw new CellRefused(column, `holds the key ${key}, which MongoDB takes for its own`)
      return [key, jsonOf(column, each)]
    }),
  )
}

/** The rows of such documents, as canonical lines of these columns, for a comparison with what was sent. */
export function lineMaker(
  bson: Bson,
  table: TableHeader,
  columns: readonly string[],
): (document: Uint8Array) => string {
  const readers = columns.map((name) => {
    const type = table.columns.find((column) => column.name === name)?.type ?? 'text'
    return { name, read: readerOf(typeParts(type).base) }
  })
  return (document) => {
    const fields = bson.deserialize(document, { promoteValues: false, promoteLongs: false })
    const cells = readers.map(({ name, read }) => {
      const value = fields[name] as unknown
      return value === null || value === undefined ? 'null' : read(value)
    })
    return `[${cells.join(',')}]\n`
  }
}

function readerOf(base: string): (value: unknown) => string {
  const bytesOf = (value: unknown) => Buffer.from((value as { readonly buffer: Uint8Array }).buffer)
  if (/^[iu]\d|^year$/u.test(base)) return (value) => integerCell(String(value))
  switch (base) {
    case 'f32':
    case 'f64':
      return (value) => floatCell(Number((value as { readonly value: number }).value))
    case 'bytes':
      return (value) => bytesCell(bytesOf(value))
    case 'uuid':
      return (value) =>
        `"${bytesOf(value)
          .toString('hex')
          .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5')}"`
    case 'timestamptz':
      return (value) => timestampCell((value as Date).toISOString())
    default:
      return (value) => JSON.stringify(value)
  }
}
