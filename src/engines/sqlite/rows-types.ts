import type { LogicalType } from '../../engine/table-header.js'

export type Affinity = 'integer' | 'real' | 'text' | 'blob' | 'numeric'

/** What the sink alone knows of a column. */
export interface OwnColumn {
  readonly affinity: Affinity
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity */
export function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase()
  if (type.includes('INT')) return 'integer'
  if (/CHAR|CLOB|TEXT/u.test(type)) return 'text'
  if (type === '' || type.includes('BLOB')) return 'blob'
  return /REAL|FLOA|DOUB/u.test(type) ? 'real' : 'numeric'
}

/** Declarations that say more than an affinity. Those with TEXT in them are what `--create` writes, so that nothing is converted. */
const declarations: readonly (readonly [RegExp, (args: string) => LogicalType])[] = [
  [/^BOOL(?:EAN)?$/u, () => 'bool'],
  [/^DATE$/u, () => 'date'],
  [/^(?:DATETIME|TIMESTAMP)$/u, () => 'timestamp'],
  [/^(?:TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE)$/u, () => 'timestamptz'],
  [/^TIME$/u, () => 'time'],
  [/^UUID(?:_TEXT)?$/u, () => 'uuid'],
  [/^JSON(?:_TEXT)?$/u, () => 'json'],
  [
    /^(?:DECIMAL|NUMERIC)(?:_TEXT)?$/u,
    (args) => (args === '' ? 'numeric' : `numeric(${args.includes(',') ? args : `${args},0`})`),
  ],
  [/^U64_TEXT$/u, () => 'u64'],
  [/^INTERVAL_TEXT$/u, () => 'interval'],
]

export function logicalType(declared: string): LogicalType {
  const [, name = '', args = ''] =
    /^([^(]*?)\s*(?:\(\s*([\d\s,]*)\))?$/u.exec(declared.trim().toUpperCase()) ?? []
  const known = declarations.find(([pattern]) => pattern.test(name))
  if (known !== undefined) return known[1](args.replaceAll(/\s/gu, ''))
  const byAffinity: Readonly<Record<Affinity, LogicalType>> = {
    integer: 'i64',
    real: 'f64',
    text: 'text',
    blob: declared.trim() === '' ? 'text' : 'bytes',
    numeric: 'text',
  }
  return byAffinity[affinityOf(declared)]
}
