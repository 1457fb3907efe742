import type { FilenameFacts } from '../config/config.js'
import { HoldfastError } from '../errors.js'

/** The name of an artifact without the endings of its stages. */
export function renderFilename(
  template: string | ((facts: FilenameFacts) => string),
  facts: FilenameFacts,
): string {
  const name =
    typeof template === 'function'
      ? template(facts)
      : template.replace(
          /\{(database|server|datetime|engine|extension)\}/gu,
          (_match, field: keyof FilenameFacts) => facts[field],
        )
  if (name.trim() === '')
    throw new HoldfastError('config.invalid', 'the filename setting gives an empty name')
  return name
}

/** The time in UTC by a format of `YYYY MM DD HH mm ss SSS`; everything else stands as it is. */
export function formatDatetime(time: Date, format: string): string {
  const [date = '', clock = ''] = time.toISOString().split('T')
  const fields: Readonly<Record<string, string>> = {
    YYYY: date.slice(0, 4),
    MM: date.slice(5, 7),
    DD: date.slice(8, 10),
    HH: clock.slice(0, 2),
    mm: clock.slice(3, 5),
    ss: clock.slice(6, 8),
    SSS: clock.slice(9, 12),
  }
  return format.replace(/YYYY|MM|DD|HH|mm|SSS|ss/gu, (field) => fields[field] ?? field)
}

/** `name.dump.zst` as `name-2.dump.zst`: what a collision is resolved with. */
export function numberedFilename(filename: string, number: number): string {
  if (number === 1) return filename
  const dot = filename.indexOf('.', 1)
  return dot < 0 ? `${filename}-${number}` : `${filename.slice(0, dot)}-${number}${filename.slice(dot)}`
}
