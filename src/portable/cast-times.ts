import type { Cell } from '../engine/cell.js'
import { trimFraction } from '../engine/cell-text.js'
import { CellRefused } from '../engine/row-sink.js'
import type { ColumnHeader } from '../engine/table-header.js'

const day = /^(-?\d{4,})-(\d\d)-(\d\d)$/u
const moment = /^(-?\d{4,}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/u
const clock = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d|:60)?(?:\.\d+)?$|^24:00:00(?:\.0+)?$/u

/** As dumps have it, with no more digits than every engine keeps. */
const canonical = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,5}[1-9])?Z?$/u

export function castDate(target: ColumnHeader, cell: Cell): Cell {
  const text = textOf(target, cell, 'date')
  if (isEndless(text) || isDay(text)) return text
  const [, date, time, seconds = ''] = moment.exec(text) ?? []
  if (date === undefined || !isDay(date)) throw refused(target, text, 'date')
  if (time === '00:00' && /^(?::00(?:\.0+)?)?$/u.test(seconds)) return date
  throw new CellRefused(target, `is ${text}: a date would lose its time`, date)
}

/** @param zoned whether the result is of a moment (with `Z`) or of a calendar and clock */
export function castTimestamp(target: ColumnHeader, cell: Cell, zoned: boolean): Cell {
  const text = textOf(target, cell, 'timestamp')
  if (isCanonical(target, text, zoned) || isEndless(text)) return text
  const [, date, time = '00:00', seconds = ':00', offset] = moment.exec(text) ?? []
  if (date === undefined || !isDay(date) || !clock.test(`${time}${seconds}`))
    throw refused(target, text, 'timestamp')
  const zone = zoned ? 'Z' : ''
  if (offset === undefined || /^(?:Z|[+-]00(?::?00)?)$/u.test(offset))
    return withinPrecision(target, trimFraction(`${date}T${time}${seconds}${zone}`))
  return withinPrecision(target, trimFraction(`${inUtc(target, date, time, offset)}${seconds}${zone}`))
}

function isCanonical({ precision = 6 }: ColumnHeader, text: string, zoned: boolean): boolean {
  return precision >= 6 && canonical.test(text) && text.endsWith('Z') === zoned && isDay(text.slice(0, 10))
}

export function castTime(target: ColumnHeader, cell: Cell): Cell {
  const text = textOf(target, cell, 'time')
  if (!clock.test(text)) throw refused(target, text, 'time of day')
  return withinPrecision(target, trimFraction(/^\d\d:\d\d$/u.test(text) ? `${text}:00` : text))
}

function isEndless(text: string): boolean {
  return text === 'infinity' || text === '-infinity'
}

/** Times that follow each other are of the same few days. */
let lastDay = ''

function isDay(text: string): boolean {
  if (text === lastDay) return true
  const found = isInCalendar(text)
  if (found) lastDay = text
  return found
}

function isInCalendar(text: string): boolean {
  const [, year = '', month = '', date = ''] = day.exec(text) ?? []
  if (year === '') return false
  const [y, m, d] = [Number(year), Number(month), Number(date)]
  const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0
  return d >= 1 && d <= days
}

/** Only minutes move: seconds and their fraction stay as they are. */
function inUtc(target: ColumnHeader, date: string, time: string, offset: string): string {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/u.exec(offset) ?? []
  const shift = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const at = new Date(`${date}T${time}:00Z`)
  if (Number.isNaN(at.getTime())) throw refused(target, `${date} ${time}${offset}`, 'timestamp')
  return new Date(at.getTime() - shift * 60_000).toISOString().slice(0, 16)
}

function withinPrecision(target: ColumnHeader, text: string): string {
  const fraction = /\.(\d+)/u.exec(text)?.[1] ?? ''
  const most = target.precision ?? 6
  if (fraction.length <= most) return text
  const cut = most === 0 ? '' : `.${fraction.slice(0, most)}`
  throw new CellRefused(
    target,
    `is ${text}, with more than ${most} digits of a second`,
    trimFraction(text.replace(`.${fraction}`, cut)),
  )
}

function textOf(target: ColumnHeader, cell: Cell, what: string): string {
  if (typeof cell === 'string') return cell
  throw refused(target, JSON.stringify(cell), what)
}

function refused(target: ColumnHeader, text: string, what: string): CellRefused {
  return new CellRefused(target, `is ${text}, not a ${what}`)
}
