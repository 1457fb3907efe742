const sizes = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `512 B`, `1.5 KiB`, `480 MiB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes
  let unit = ''
  for (const each of sizes) {
    value /= 1024
    unit = each
    // 1023.96 would be shown as 1024.0.
    if (value < 1023.95) break
  }
  return `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function humanSeconds(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const ages: readonly (readonly [unit: string, seconds: number])[] = [
  ['year', 365.25 * 86_400],
  ['month', 30.44 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** `2 hours ago`; a clock that runs ahead shows as `in 3 minutes`. */
export function relativeAge(time: Date, now: Date): string {
  const seconds = (now.getTime() - time.getTime()) / 1000
  const size = Math.abs(seconds)
  const [unit, length] = ages.find(([, each]) => size >= each) ?? ['', 1]
  if (unit === '') return 'just now'
  const count = Math.floor(size / length)
  const amount = `${count} ${unit}${count === 1 ? '' : 's'}`
  return seconds < 0 ? `in ${amount}` : `${amount} ago`
}

/** `2026-11-20 14:01` in the time of this machine. */
export function localTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
}
