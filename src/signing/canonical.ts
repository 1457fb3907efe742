import type { Json } from '../env/json.js'

/** The one text of a JSON value by RFC 8785: keys in the order of their UTF-16 code units, no white space, numbers as JavaScript writes them. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((each: Json) => canonicalJson(each)).join(',')}]`
  const fields = Object.entries(value as Readonly<Record<string, Json | undefined>>)
    .filter((field): field is [string, Json] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`
}
