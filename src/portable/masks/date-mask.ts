import { cannotMask, noMaskFor, type MaskOptions, type MaskRule } from './mask-rule.js'
import { oneBase } from './text-masks.js'

export interface DateOptions extends MaskOptions {
  /** Moves by up to so many days to either side. Default: another day of the same year. */
  readonly days?: number
}

const dayMs = 86_400_000
const form = /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d+)?)(Z?))?$/u

/** Dates and timestamps; the time of day becomes another, in whole seconds. */
export function dateMask(options: DateOptions): MaskRule {
  const { days } = options
  return {
    mask: 'date',
    options,
    prepare(columns) {
      oneBase(columns, ['date', 'timestamp', 'timestamptz'], 'date')
      if (columns.unique)
        throw cannotMask(
          columns,
          'is in a key, and mask.date may make two values equal',
          'use mask.keep or mask.fn',
        )
      if (days !== undefined && !(Number.isSafeInteger(days) && days > 0 && days < 100_000))
        throw cannotMask(columns, 'mask.date takes a number of days above 0')
      const keyed = columns.keyed()
      return (cell) => {
        if (cell === 'infinity' || cell === '-infinity') return cell
        const [, year, month, day, time, zone = ''] = form.exec(typeof cell === 'string' ? cell : '') ?? []
        if (year === undefined) throw noMaskFor(columns, 'a value is no date that mask.date can replace')
        const text = JSON.stringify(cell)
        const below = (purpose: string, limit: number) => Number(keyed.below(purpose, text, BigInt(limit)))
        const moved =
          days === undefined
            ? startOf(year) + below('day', 365) * dayMs
            : startOf(year, Number(month), Number(day)) + (below('day', 2 * days + 1) - days) * dayMs
        const date = dateText(moved, days === undefined ? year : undefined)
        if (date === undefined) throw noMaskFor(columns, 'a date cannot be moved so far')
        if (time === undefined) return date
        return `${date}T${new Date(below('second', 86_400) * 1000).toISOString().slice(11, 19)}${zone}`
      }
    },
  }
}

function startOf(year: string, month = 1, day = 1): number {
  const date = new Date(0)
  date.setUTCFullYear(Number(year), month - 1, day)
  return date.getTime()
}

/** @param year as it was written, where it stays */
function dateText(ms: number, year: string | undefined): string | undefined {
  const date = new Date(ms)
  const found = date.getUTCFullYear()
  if (year === undefined && !(found >= 1 && found <= 9999)) return undefined
  const pad = (value: number, length: number) => String(value).padStart(length, '0')
  return `${year ?? pad(found, 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`
}
