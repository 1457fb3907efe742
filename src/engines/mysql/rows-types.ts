import type { LogicalType } from '../../engine/table-header.js'

/** A line of information_schema.COLUMNS, by names of our own. */
export interface ColumnRow {
  readonly tableName: string
  readonly name: string
  /** `bigint` */
  readonly kind: string
  /** `bigint(20) unsigned` */
  readonly type: string
  readonly nullable: string
  readonly fallback: string | null
  readonly extra: string
  readonly charset: string | null
  readonly length: string | number | null
  readonly fraction: string | number | null
  readonly comment: string
}

const integers: Readonly<Record<string, string>> = {
  tinyint: '8',
  smallint: '16',
  mediumint: '24',
  int: '32',
  bigint: '64',
}

const plain: Readonly<Record<string, LogicalType>> = {
  float: 'f32',
  double: 'f64',
  date: 'date',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  time: 'time',
  year: 'year',
  uuid: 'uuid',
  json: 'json',
  enum: 'enum',
  set: 'set',
  ...named('text', ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']),
  ...named('bytes', ['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'vector']),
  ...named('geometry', ['geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring']),
  ...named('geometry', ['multipolygon', 'geometrycollection', 'geomcollection']),
}

function named(type: LogicalType, kinds: readonly string[]): Record<string, LogicalType> {
  return Object.fromEntries(kinds.map((kind) => [kind, type]))
}

/** @param isJson MariaDB's JSON is a text with a check */
export function logicalType({ kind, type }: Pick<ColumnRow, 'kind' | 'type'>, isJson: boolean): LogicalType {
  if (isJson) return 'json'
  const bits = integers[kind]
  if (bits !== undefined) {
    if (/^tinyint\(1\)$/u.test(type)) return 'bool'
    return `${type.includes('unsigned') ? 'u' : 'i'}${bits}`
  }
  const args = /\((\d+(?:,\d+)?)\)/u.exec(type)?.[1]
  if (kind === 'decimal') return `numeric(${args ?? '10,0'})`
  if (kind === 'bit') return `bit(${args ?? '1'})`
  return plain[kind] ?? 'native'
}

/** The labels of `enum('a','b')`. */
export function labelsOf(type: string): readonly string[] | undefined {
  const list = /^(?:enum|set)\((.*)\)$/su.exec(type)?.[1]
  return list === undefined
    ? undefined
    : [...list.matchAll(/'((?:[^']|'')*)'/gsu)].map(([, label = '']) => label.replaceAll("''", "'"))
}
