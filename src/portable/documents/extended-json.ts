import { plainText, type Cell } from '../../engine/cell.js'
import { exactJsonCell, floatCell, integerCell, trimFraction } from '../../engine/cell-text.js'
import { typeParts } from '../../engine/logical-type.js'
import { CellRefused } from '../../engine/row-sink.js'
import type { ColumnHeader } from '../../engine/table-header.js'

/** An object of one key is a type of extended JSON: a document whose own keys begin so is dumped as BSON. */
type Typed = Readonly<Record<string, Cell>>

/**
 * A value of a document, in canonical extended JSON, as a cell for a column. In a column of JSON, and in one of texts where it is an object or a
 * list, it is relaxed extended JSON: numbers are numbers, and what JSON does not have keeps its `$…`.
 * https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
 * @throws CellRefused
 */
export function fieldCell(value: Cell, target: ColumnHeader): Cell {
  if (value === null) return null
  const { base, array } = typeParts(target.type)
  if (base === 'json' && !array) return JSON.parse(exactJsonCell(relaxed(value))) as Cell
  if (Array.isArray(value) && array) {
    const element = { ...target, type: base }
    return (value as readonly Cell[]).map((each) => fieldCell(each, element))
  }
  if (typeof value !== 'object')
    return typeof value === 'string' && base === 'bytes' ? Buffer.from(value).toString('base64') : value
  const read = Array.isArray(value) ? undefined : scalars[typeName(value as Typed) ?? '']
  if (read !== undefined) return scalar(read, value as Typed, target)
  if (base === 'text' && (Array.isArray(value) || typeName(value as Typed) === undefined))
    return relaxed(value)
  throw new CellRefused(target, `holds ${described(value)}, which ${target.type} cannot`)
}

/** The `$…` of an object that is a value of its own type. */
export function typeName(value: Typed): string | undefined {
  const [name] = Object.keys(value)
  return name?.startsWith('$') === true ? name : undefined
}

function scalar(read: ScalarReader, value: Typed, target: ColumnHeader): Cell {
  try {
    return read(value, typeParts(target.type).base, target)
  } catch (error) {
    if (error instanceof CellRefused) throw error
    throw new CellRefused(target, `holds ${JSON.stringify(value).slice(0, 60)}, which is not of its type`)
  }
}

type ScalarReader = (value: Typed, base: string, target: ColumnHeader) => Cell

const scalars: Readonly<Record<string, ScalarReader>> = {
  $numberInt: ({ $numberInt }) => JSON.parse(integerCell(plainText($numberInt ?? null))) as Cell,
  $numberLong: ({ $numberLong }) => JSON.parse(integerCell(plainText($numberLong ?? null))) as Cell,
  $numberDouble: ({ $numberDouble }) => JSON.parse(floatCell(Number($numberDouble))) as Cell,
  $numberDecimal: ({ $numberDecimal }) => plainDecimal(plainText($numberDecimal ?? null)),
  $date: ({ $date }) => moment(Number(($date as Typed)['$numberLong'])),
  $oid: ({ $oid }, base) =>
    base === 'bytes' ? Buffer.from(plainText($oid ?? null), 'hex').toString('base64') : ($oid ?? null),
  $binary: ({ $binary }, base, target) => {
    const { base64, subType } = $binary as { readonly base64: string; readonly subType: string }
    if (base === 'bytes') return base64
    const hex = Buffer.from(base64, 'base64').toString('hex')
    if (subType === '04' && hex.length === 32)
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5')
    throw new CellRefused(target, `holds bytes, which ${target.type} cannot`)
  },
}

function described(value: Cell): string {
  if (Array.isArray(value)) return 'a list'
  return typeName(value as Typed) ?? 'a document'
}

/** Up to 6 144 digits are what a decimal of BSON may stand for. */
function plainDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?E([+-]?\d+)$/iu.exec(text) ?? []
  if (exponent === undefined) return text
  const point = whole.length + Number(exponent)
  const digits = `${whole}${fraction}`
  const padded = point <= 0 ? `${'0'.repeat(1 - point)}${digits}` : digits.padEnd(point, '0')
  const at = Math.max(point, 1)
  const decimals = padded.slice(at)
  return `${sign}${padded.slice(0, at)}${decimals === '' ? '' : `.${decimals}`}`
}

/** Years of more than four digits, and those before the year 0, have a sign in ISO 8601 as JavaScript writes it. */
function moment(ms: number): string {
  const text = new Date(ms)
    .toISOString()
    .replace(/^\+0*(?=\d{5})/u, '')
    .replace(/^-0*(?=\d{4}-)/u, '-')
  return trimFraction(text)
}

/** As JSON text. */
function relaxed(value: Cell): string {
  if (Array.isArray(value)) return `[${(value as readonly Cell[]).map(relaxed).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const typed = value as Typed
  switch (typeName(typed)) {
    case '$numberInt':
    case '$numberLong':
      return plainText(typed['$numberInt'] ?? typed['$numberLong'] ?? null)
    case '$numberDouble': {
      const number = Number(typed['$numberDouble'])
      return Number.isFinite(number) && !Object.is(number, -0) ? String(number) : JSON.stringify(typed)
    }
    case '$date': {
      const ms = Number((typed['$date'] as Typed)['$numberLong'])
      const [first, last] = [0, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]
      return ms >= first && ms <= last ? `{"$date":${JSON.stringify(moment(ms))}}` : JSON.stringify(typed)
    }
    case undefined:
      return `{${Object.entries(typed)
        .map(([key, each]) => `${JSON.stringify(key)}:${relaxed(each)}`)
        .join(',')}}`
    default:
      return JSON.stringify(typed)
  }
}
