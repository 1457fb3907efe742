import { primaryKeyOf } from '../../engine/row-key.js'
import { tableText, type ColumnHeader, type TableHeader, type TableName } from '../../engine/table-header.js'

/** A column of a table, and what the keys of the database say of it. */
export interface KeyedColumn {
  readonly header: TableHeader
  readonly column: ColumnHeader
  /** `public.users.email` */
  readonly name: string
  /** Stands in a primary or unique key, or a foreign key refers to it. */
  readonly unique: boolean
}

/** Columns that foreign keys join, whose values have to stay equal. */
export interface ColumnDomain {
  /** The root's name: the column that the foreign keys lead to in the end. */
  readonly name: string
  readonly columns: readonly KeyedColumn[]
}

/** Every column of the tables, in the domain it belongs to; a column without foreign keys is a domain by itself. */
export function columnDomains(tables: readonly TableHeader[]): readonly ColumnDomain[] {
  const columns = tables.flatMap((header) => {
    const keys = new Set([...primaryKeyOf(header), ...header.unique.flat()])
    return header.columns.map((column) => ({
      header,
      column,
      name: nameOf(header.table, column.name),
      unique: keys.has(column.name),
    }))
  })
  const links = tables.flatMap((header) =>
    header.foreignKeys.flatMap((key) =>
      key.columns.map((column, index) => ({
        from: nameOf(header.table, column),
        to: nameOf(key.references, key.referencedColumns[index] ?? ''),
      })),
    ),
  )
  const referring = new Set(links.map(({ from }) => from))
  const referred = new Set(links.map(({ to }) => to))
  const groups = joined(
    columns.map(({ name }) => name),
    links,
  )
  const byGroup = new Map<string, KeyedColumn[]>()
  for (const each of columns) {
    const group = groups.get(each.name) ?? each.name
    byGroup.set(group, [
      ...(byGroup.get(group) ?? []),
      { ...each, unique: each.unique || referred.has(each.name) },
    ])
  }
  return [...byGroup.values()].map((members) => {
    const names = members.map(({ name }) => name).sort()
    return { name: names.find((name) => !referring.has(name)) ?? names[0] ?? '', columns: members }
  })
}

function nameOf(table: TableName, column: string): string {
  return `${tableText(table)}.${column}`
}

/** Union-find: which names hang together, as a representative of each. */
function joined(
  names: readonly string[],
  links: readonly { readonly from: string; readonly to: string }[],
): ReadonlyMap<string, string> {
  const parent = new Map(names.map((name) => [name, name]))
  const top = (name: string): string => {
    let at = name
    for (let next = parent.get(at); next !== undefined && next !== at; next = parent.get(at)) at = next
    return at
  }
  for (const { from, to } of links) if (parent.has(from) && parent.has(to)) parent.set(top(from), top(to))
  return new Map(names.map((name) => [name, top(name)]))
}
