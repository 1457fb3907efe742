import type { LogicalType } from '../../engine/table-header.js'

/** What the catalog says of a column's type. */
export interface CatalogType {
  /** The type's own name, of the element where it is an array, of the base type where it is a domain: `int8`. */
  readonly name: string
  /** Of the same: `b` base, `c` composite, `d` domain, `e` enum, `r` range, `m` multirange. */
  readonly kind: string
  readonly array: boolean
  /** As SQL writes it: `numeric(12,2)[]`. */
  readonly text: string
}

const logical: Readonly<Record<string, LogicalType>> = {
  bool: 'bool',
  int2: 'i16',
  int4: 'i32',
  int8: 'i64',
  oid: 'u32',
  float4: 'f32',
  float8: 'f64',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  name: 'text',
  citext: 'text',
  bytea: 'bytes',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  time: 'time',
  timetz: 'timetz',
  interval: 'interval',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'json',
  geometry: 'geometry',
  geography: 'geometry',
}

/** Elements that nest as JSON without being taken for something else. */
const plainElements = new Set([
  ...[
    'bool',
    'i16',
    'i32',
    'i64',
    'u32',
    'f32',
    'f64',
    'text',
    'date',
    'timestamp',
    'timestamptz',
    'uuid',
    'enum',
  ],
  ...['numeric', 'time'],
])

export function logicalType({ name, kind, array, text }: CatalogType): LogicalType {
  const one = kind === 'e' ? 'enum' : kind === 'b' ? elementType(name, text) : 'native'
  if (!array) return one
  const base = one.replace(/\(.*$/u, '')
  return plainElements.has(base) ? `${one}[]` : 'native'
}

function elementType(name: string, text: string): LogicalType {
  const args = /\((\d+(?:,-?\d+)?)\)/u.exec(text)?.[1]
  if (name === 'numeric')
    return args === undefined ? 'numeric' : `numeric(${args.includes(',') ? args : `${args},0`})`
  if (name === 'bit') return `bit(${args ?? '1'})`
  if (name === 'varbit') return args === undefined ? 'bit' : `bit(${args})`
  return logical[name] ?? 'native'
}

/** `character varying(255)` holds 255 characters. */
export function maxLengthOf({ name, text, array }: CatalogType): number | undefined {
  if (array || !['varchar', 'bpchar'].includes(name)) return undefined
  const length = /\((\d+)\)/u.exec(text)?.[1]
  return length === undefined ? undefined : Number(length)
}

export function precisionOf({ name, text, array }: CatalogType): number | undefined {
  if (array || !['timestamp', 'timestamptz', 'time', 'timetz'].includes(name)) return undefined
  const digits = /\((\d)\)/u.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** `'user'::text` is a plain value; what calls functions is not. */
export function plainDefault(
  expression: string | null,
  type: LogicalType,
): { readonly value: string | number | boolean | null } | { readonly now: true } | undefined {
  if (expression === null) return undefined
  if (
    /^(?:now\(\)|CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_DATE)(?:\(\d\))?(?:::[a-z ]+)?$/iu.test(expression)
  )
    return { now: true }
  if (/^(?:true|false)$/u.test(expression)) return { value: expression === 'true' }
  const number = /^\(?'?(-?\d+(?:\.\d+)?)'?\)?(?:::[a-z0-9 (),]+)?$/u.exec(expression)?.[1]
  if (number !== undefined && /^[iuf]\d/u.test(type) && number.length < 16) return { value: Number(number) }
  if (number !== undefined && type.startsWith('numeric')) return { value: number }
  const quoted = /^'((?:[^'\\]|'')*)'::[a-z_"][a-z0-9_ ".(),]*$/iu.exec(expression)?.[1]
  return quoted === undefined || !['text', 'enum', 'date', 'uuid'].includes(type)
    ? undefined
    : { value: quoted.replaceAll("''", "'") }
}
