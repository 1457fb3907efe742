import { primaryKeyOf } from '../../engine/row-key.js'
import { tableText, type TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'

/**
 * Which rows a dump holds: those of the roots, all that they refer to, and of what refers to them as much as is asked for. A table
 * that nothing leads to is empty in the dump. Tables are named `orders` or `public.orders`.
 */
export interface SubsetConfig {
  /** Where to begin: a condition in the database's own SQL, or more of it. */
  readonly roots: Readonly<Record<string, string | SubsetRoot>>
  /** Tables whose rows come along with the rows that they refer to: at most so many for each row and foreign key, in key order. */
  readonly limitChildren?: Readonly<Record<string, number | 'all'>>
  /** Foreign keys that the database does not know of. */
  readonly virtualForeignKeys?: readonly VirtualForeignKey[]
  /** Tables that are dumped whole. */
  readonly keep?: readonly string[]
}

export interface SubsetRoot {
  /** Default: every row. */
  readonly where?: string
  /** At most so many rows, in key order. */
  readonly limit?: number
}

export interface VirtualForeignKey {
  readonly table: string
  readonly columns: readonly string[]
  readonly references: string
  /** Default: the primary key. */
  readonly referencedColumns?: readonly string[]
}

/** A foreign key, known to the database or only to the configuration, between two tables of a dump. */
export interface Link {
  readonly child: TableHeader
  readonly columns: readonly string[]
  readonly parent: TableHeader
  readonly parentColumns: readonly string[]
}

/** A configuration with its names found among the tables. */
export interface SubsetPlan {
  readonly roots: ReadonlyMap<TableHeader, SubsetRoot>
  readonly limits: ReadonlyMap<TableHeader, number>
  readonly keep: ReadonlySet<TableHeader>
  readonly links: readonly Link[]
}

/**
 * @param all every table of the database
 * @param dumped those of the dump; what the configuration says of others is left out
 * @throws config.invalid for tables and columns that are not there
 */
export function subsetPlan(
  config: SubsetConfig,
  all: readonly TableHeader[],
  dumped: readonly TableHeader[],
): SubsetPlan {
  const names = new Set(dumped.map(({ table }) => tableText(table)))
  const inDump = ([header]: readonly [TableHeader, unknown]) => names.has(tableText(header.table))
  const find = (name: string, setting: string) => findTable(all, name, `subset.${setting}`)
  const roots = Object.entries(config.roots).map(
    ([name, root]) => [find(name, 'roots'), typeof root === 'string' ? { where: root } : root] as const,
  )
  const limits = Object.entries(config.limitChildren ?? {}).map(
    ([name, limit]) => [find(name, 'limitChildren'), limit === 'all' ? Infinity : limit] as const,
  )
  const keep = (config.keep ?? []).map((name) => find(name, 'keep'))
  const virtual = (config.virtualForeignKeys ?? []).map((key) => virtualLink(key, all))
  return {
    roots: new Map(roots.filter(inDump)),
    limits: new Map(limits.filter(inDump)),
    keep: new Set(keep.filter(({ table }) => names.has(tableText(table)))),
    links: [...all.flatMap((child) => linksOf(child, all)), ...virtual].filter(
      ({ child, parent }) => names.has(tableText(child.table)) && names.has(tableText(parent.table)),
    ),
  }
}

function linksOf(child: TableHeader, all: readonly TableHeader[]): readonly Link[] {
  return child.foreignKeys.flatMap(({ columns, references, referencedColumns }) => {
    const parent = all.find(({ table }) => tableText(table) === tableText(references))
    // SQLite lets a foreign key name columns that are not there; no row refers to anything by it.
    const isThere = (name: string) => parent?.columns.some((column) => column.name === name)
    return parent === undefined || !referencedColumns.every(isThere)
      ? []
      : [{ child, columns, parent, parentColumns: referencedColumns }]
  })
}

function virtualLink(key: VirtualForeignKey, all: readonly TableHeader[]): Link {
  const setting = 'subset.virtualForeignKeys'
  const child = findTable(all, key.table, setting)
  const parent = findTable(all, key.references, setting)
  const parentColumns = key.referencedColumns ?? primaryKeyOf(parent)
  for (const [header, columns] of [
    [child, key.columns],
    [parent, parentColumns],
  ] as const) {
    const missing = columns.find((name) => !header.columns.some((column) => column.name === name))
    if (missing !== undefined)
      throw new HoldfastError(
        'config.invalid',
        `${setting}: ${tableText(header.table)} has no column ${missing}`,
        { hint: `its columns are ${header.columns.map(({ name }) => name).join(', ')}` },
      )
  }
  if (key.columns.length === 0 || key.columns.length !== parentColumns.length)
    throw new HoldfastError(
      'config.invalid',
      `${setting}: ${key.table} (${key.columns.join(', ')}) and ${key.references} (${parentColumns.join(', ')}) are not as many columns`,
    )
  return { child, columns: key.columns, parent, parentColumns }
}

function findTable(all: readonly TableHeader[], name: string, setting: string): TableHeader {
  const found = all.filter(({ table }) => table.name === name || tableText(table) === name)
  const [header] = found.length > 1 ? found.filter(({ table }) => tableText(table) === name) : found
  if (header !== undefined) return header
  throw new HoldfastError(
    'config.invalid',
    found.length > 1
      ? `${setting}: ${name} is in several schemas: ${found.map(({ table }) => tableText(table)).join(', ')}`
      : `${setting}: there is no table ${name}`,
    { hint: 'name it with its schema, as holdfast dump shows it' },
  )
}
