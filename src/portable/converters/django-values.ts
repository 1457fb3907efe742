import { wrapped, type Cell } from '../../engine/cell.js'
import { typeParts } from '../../engine/logical-type.js'
import type { ColumnHeader } from '../../engine/table-header.js'

/** Below zero the days are counted down and the hours up: `-1 23:59:59` is a second less than nothing. */
const duration = /^(?:(-?\d+) )?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/u
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u

/** Values that Django writes otherwise into a fixture than into the database: durations, bytes, JSON, and UUIDs where there is no such type. */
export function databaseCell(cell: Cell, column: ColumnHeader): Cell {
  if (typeof cell !== 'string') return cell
  const { base } = typeParts(column.type)
  // In a fixture bytes are base64, and JSON is not a text of it.
  if (base === 'bytes') return wrapped('bytes', cell)
  if (base === 'json') return wrapped('jsontext', JSON.stringify(cell))
  if (base === 'i64') return microseconds(cell) ?? cell
  if (base === 'interval') return isoInterval(cell) ?? cell
  // Django makes `char(32)` where there is no such type; SQLite does not hold on to the length.
  const isShort = column.maxLength === 32 || /^char\(32\)$/iu.test(column.db ?? '')
  return base === 'text' && isShort && uuid.test(cell) ? cell.replaceAll('-', '') : cell
}

/** What Django keeps of a duration where there is no interval type. */
function microseconds(text: string): Cell | undefined {
  const [, days = '0', hours, minutes = '', seconds = '', fraction = ''] = duration.exec(text) ?? []
  if (hours === undefined) return undefined
  const whole = ((BigInt(days) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  const value = whole * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

function isoInterval(text: string): string | undefined {
  const [, days = '0', hours, minutes, seconds, fraction = ''] = duration.exec(text) ?? []
  if (hours === undefined) return undefined
  const digits = fraction.replace(/0+$/u, '')
  return `P${Number(days)}DT${Number(hours)}H${Number(minutes)}M${Number(seconds)}${digits === '' ? '' : `.${digits}`}S`
}
