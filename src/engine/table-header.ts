import type { Json } from '../env/json.js'

/**
 * A logical type: `bool`, `i8`, `i16`, `i32`, `i64`, `u8`, `u16`, `u32`, `u64`, `numeric`, `numeric(12,2)`, `f32`, `f64`,
 * `text`, `bytes`, `date`, `timestamp`, `timestamptz`, `time`, `timetz`, `interval`, `year`, `uuid`, `json`, `enum`, `set`,
 * `bit(8)`, `geometry`, `document`; `native` for what only its own engine knows (its name is in `db`); and any of them with
 * `[]` for an array.
 */
export type LogicalType = string

/** A table's name; `schema` is absent where the engine has no schemas. */
export interface TableName {
  readonly schema?: string
  readonly name: string
}

/** What is known of a table: the first line of its file, or what an engine's catalog says of it. */
export interface TableHeader {
  readonly table: TableName
  /** Without generated columns, which are no data. The cells of a row are in this order. */
  readonly columns: readonly ColumnHeader[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Unique keys beside the primary key, each a list of columns. */
  readonly unique: readonly (readonly string[])[]
  /** Indexes that are not unique, on plain columns. */
  readonly indexes: readonly (readonly string[])[]
  /** The next value of columns that number themselves, by column. */
  readonly sequences: Readonly<Record<string, Sequence>>
  /** Names that columns had before: `{ email: 'mail' }`. */
  readonly renamedFrom: Readonly<Record<string, string>>
  /** What to fill a column with that the file does not have. Written by hand, or by a converter. */
  readonly defaults: Readonly<Record<string, DefaultRule>>
  /** Columns that the engine computes by itself. */
  readonly generated: readonly GeneratedColumn[]
  /** What else a table has that no dump of rows carries over (check constraints, triggers): each a few words. */
  readonly notCarried: readonly string[]
  /** What an engine alone knows of it, for another database of that engine. */
  readonly native?: { readonly engine: string; readonly definition: Json }
  /** What its rows are not: all of them, or as they were. */
  readonly stamps?: readonly DumpStamp[]
  /** Estimated by the server: for progress only. */
  readonly estimatedRows?: number
}

/** `masked`: values were replaced. `subset`: rows were left out. */
export type DumpStamp = 'masked' | 'subset'

export interface ColumnHeader {
  readonly name: string
  readonly type: LogicalType
  /** The engine's own name of the type: `character varying(255)`. */
  readonly db?: string
  /** Its place in the primary key, from 1. */
  readonly primaryKey?: number
  readonly nullable: boolean
  /** Numbers itself: `always` where the engine refuses explicit values by itself. */
  readonly identity?: 'always' | 'by default'
  /** The most characters (`text`) or bytes (`bytes`) it may hold. */
  readonly maxLength?: number
  /** Fractional digits of seconds, where fewer than 6. */
  readonly precision?: number
  /** The labels of `enum` and `set`. */
  readonly labels?: readonly string[]
  /** The database's default, where it is a plain value; `now` stands for the time of the insert. */
  readonly defaultValue?: { readonly value: Json } | { readonly now: true }
  /** The database has a default of any kind, or numbers the column: it may be left out of an INSERT. */
  readonly hasDefault: boolean
  /** What the engine alone knows, for its own sink: never written to a file. */
  readonly own?: unknown
}

export interface ForeignKey {
  readonly name?: string
  readonly columns: readonly string[]
  readonly references: TableName
  readonly referencedColumns: readonly string[]
  readonly onDelete?: string
  readonly onUpdate?: string
}

export interface Sequence {
  /** Decimal; the value that the next insert gets. */
  readonly next: string
  readonly increment: string
}

export interface GeneratedColumn {
  readonly name: string
  readonly db?: string
  readonly expression?: string
}

/** The kinds of {@link DefaultRule}. */
export const defaultKinds = [
  'value',
  'reference',
  'date',
  'time',
  'datetime',
  'uuid',
  'cast',
  'coalesce',
  'concat',
  'lookup',
  'hook',
] as const
export type DefaultKind = (typeof defaultKinds)[number]

/**
 * `["value", "user"]`, `["reference", "email"]`, `["datetime", "now"]`: what fills a column that the file lacks. The third
 * item may say `{"on": ["missing", "null"]}`, so that it fills cells that are null as well.
 */
export interface DefaultRule {
  readonly kind: DefaultKind
  readonly value: Json
  readonly on: readonly ('missing' | 'null')[]
}

/** `public.users`, for people and for the names of files. */
export function tableText({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`
}

/** @throws TypeError where the table has no such column: whoever asks has looked it up before */
export function columnNamed(header: TableHeader, name: string): ColumnHeader {
  const column = header.columns.find((each) => each.name === name)
  if (column === undefined) throw new TypeError(`${tableText(header.table)} has no column ${name}`)
  return column
}
