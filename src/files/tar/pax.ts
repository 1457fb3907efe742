import { HoldfastError } from '../../errors.js'

export type PaxRecord = readonly [key: string, value: Buffer]

/**
 * A record of an extended header (POSIX.1-2017, pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`, the length its own too.
 * @param value its bytes as the characters of Latin-1, as is the record
 */
export function formatPax(key: string, value: string): string {
  const rest = key.length + value.length + ' =\n'.length
  // The length may need one digit more than the rest alone.
  const length = rest + String(rest + String(rest).length).length
  return `${length} ${key}=${value}\n`
}

/** @throws integrity.format */
export function parsePax(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = []
  eachPaxRecord(bytes, 0, bytes.length, (key, value, end) => {
    records.push([bytes.toString('latin1', key, value - 1), bytes.subarray(value, end)])
  })
  return records
}

/**
 * Finds the records between two places without making anything of them.
 * @param see told where a record's key and value begin, and where its value ends
 * @throws integrity.format
 */
export function eachPaxRecord(
  bytes: Buffer,
  start: number,
  stop: number,
  see: (key: number, value: number, end: number) => void,
): void {
  for (let at = start; at < stop && bytes[at] !== 0;) {
    const space = lengthEnd(bytes, at)
    const end = at + Number(bytes.toString('latin1', at, space))
    const equals = bytes.indexOf(0x3d, space)
    const whole = space > at && end <= stop && bytes[end - 1] === 0x0a
    if (!whole || equals < 0 || equals >= end)
      throw new HoldfastError('integrity.format', 'an extended header of the tar archive is damaged')
    see(space + 1, equals + 1, end - 1)
    at = end
  }
}

/** Where the digits of a record's length end, which a space does; `start` where they do not. */
function lengthEnd(bytes: Buffer, start: number): number {
  let at = start
  while (at < start + 9 && isDigit(bytes[at])) at++
  return bytes[at] === 0x20 ? at : start
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

const nanosPerSecond = 1_000_000_000n

/** Nanoseconds as decimal seconds: `1700000000.000000001`, `-0.500000000`. */
export function formatTime(nanoseconds: bigint): string {
  const digits = String(nanoseconds < 0n ? -nanoseconds : nanoseconds).padStart(10, '0')
  const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`
  return nanoseconds < 0n ? `-${text}` : text
}

/** @returns undefined for what is no time */
export function parseTime(text: string): bigint | undefined {
  const [, sign, seconds, fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d*))?$/u.exec(text) ?? []
  if (seconds === undefined) return undefined
  const absolute = BigInt(seconds) * nanosPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -absolute : absolute
}
