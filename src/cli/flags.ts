import { HoldfastError } from '../errors.js'
import type { CommandLine } from './command.js'

/** The kinds of flags that commands have. */

interface TextFlag {
  readonly kind: 'parsed'
  readonly parse: (text: string) => string
  readonly optional: true
  readonly brief: string
  readonly placeholder: string
}

export function text(placeholder: string, brief: string): TextFlag {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief }
}

/** A flag that may be given several times. */
export function texts(placeholder: string, brief: string): TextFlag & { readonly variadic: true } {
  return { ...text(placeholder, brief), variadic: true }
}

interface SwitchFlag {
  readonly kind: 'boolean'
  readonly optional: true
  readonly withNegated: boolean
  readonly brief: string
}

/** A flag that is there or not. */
export function toggle(brief: string): SwitchFlag {
  return { kind: 'boolean', optional: true, withNegated: false, brief }
}

/** A flag that says yes, no, or with its absence either: `--encrypted`, `--no-encrypted`. */
export function yesOrNo(brief: string): SwitchFlag {
  return { ...toggle(brief), withNegated: true }
}

interface DateFlag extends Omit<TextFlag, 'parse'> {
  readonly parse: (this: CommandLine, text: string) => Date
}

export function date(brief: string): DateFlag {
  return {
    ...text('DATE', brief),
    parse(given) {
      return parseDate(given, this.env.clock.now())
    },
  }
}

const hours = { h: 1, d: 24, w: 7 * 24 } as const

/** A day is meant in the time of this machine; a time without a zone too; `7d` is so long ago. @throws usage.invalid */
export function parseDate(given: string, now: Date): Date {
  const [, count, unit] = /^(\d{1,5})([hdw])$/u.exec(given) ?? []
  if (count !== undefined)
    return new Date(now.getTime() - Number(count) * hours[unit as keyof typeof hours] * 3_600_000)
  const day = /^(\d{4})-(\d\d)-(\d\d)$/u.exec(given)
  const parsed = /^\d{4}-\d\d-\d\d(?:[T ].+)?$/u.test(given)
    ? new Date(day === null ? given.replace(' ', 'T') : `${given}T00:00:00`)
    : undefined
  if (parsed !== undefined && !Number.isNaN(parsed.getTime())) return parsed
  throw new HoldfastError(
    'usage.invalid',
    `${given} is not a date such as 2026-11-20 or 2026-11-20T13:00, nor an age such as 12h, 7d or 2w`,
  )
}

interface CountFlag extends Omit<TextFlag, 'parse'> {
  readonly parse: (text: string) => number
}

/** A number of things, 1 at least. */
export function count(brief: string): CountFlag {
  return { ...text('N', brief), parse: parseCount }
}

/** @throws usage.invalid */
function parseCount(given: string): number {
  if (/^[1-9]\d{0,8}$/u.test(given)) return Number(given)
  throw new HoldfastError('usage.invalid', `${given} is not a number of 1 or more`)
}

/** Values of a list of fixed words. */
export function oneOf<Value extends string>(values: readonly Value[], brief: string) {
  return { kind: 'enum', values, optional: true, placeholder: values.join('|'), brief } as const
}

/** Of every command that moves a dump. */
export const maxRate = text('RATE', 'no more bytes of the dump a second: 20MB/s  [HOLDFAST_MAX_RATE]')

/** Of every command that compresses. */
export const memoryLimit = text('SIZE', 'take no more memory than that: 256MB  [HOLDFAST_MEMORY_LIMIT]')

/** Of every command that does something worth watching. */
export const metricsFile = text(
  'PATH',
  'update a text file of metrics for Prometheus  [HOLDFAST_METRICS_FILE]',
)
