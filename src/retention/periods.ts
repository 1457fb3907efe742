export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Period = (typeof periods)[number]

/** Names the hour, day, ISO week, month and year that a time falls into, in one time zone: `2026-W13`. */
export type PeriodNames = (time: Date) => Readonly<Record<Period, string>>

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Making a formatter costs far more than using it. */
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone)
  if (known !== undefined) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    timeZoneName: 'longOffset',
  })
  formatters.set(timeZone, formatter)
  return formatter
}

/** @param timeZone a name that `Intl` knows; see `checkPolicy` */
export function periodNames(timeZone: string): PeriodNames {
  const formatter = formatterOf(timeZone)
  return (time) => {
    const parts = Object.fromEntries(formatter.formatToParts(time).map(({ type, value }) => [type, value]))
    const { year = '', month = '', day = '', hour = '', timeZoneName = '' } = parts
    // The hour that comes twice in autumn is two hours: they differ in their offset.
    const offset = /^GMT(\+00:00)?$/u.test(timeZoneName) ? 'Z' : timeZoneName.replace('GMT', '')
    return {
      hourly: `${year}-${month}-${day}T${hour}${offset}`,
      daily: `${year}-${month}-${day}`,
      weekly: isoWeek(Number(year), Number(month), Number(day)),
      monthly: `${year}-${month}`,
      yearly: year,
    }
  }
}

const dayMs = 24 * 60 * 60 * 1000

/** ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
function isoWeek(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day))
  const weekday = (date.getUTCDay() + 6) % 7
  date.setUTCDate(date.getUTCDate() - weekday + 3)
  const weekYear = date.getUTCFullYear()
  const week = Math.floor((date.getTime() - Date.UTC(weekYear, 0, 1)) / (7 * dayMs)) + 1
  return `${weekYear}-W${String(week).padStart(2, '0')}`
}
