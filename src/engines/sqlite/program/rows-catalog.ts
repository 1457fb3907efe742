import type { ColumnHeader, ForeignKey, Sequence, TableHeader } from '../../../engine/table-header.js'
import { affinityOf, logicalType, type OwnColumn } from '../rows-types.js'
import { hasTable, listTables, type Table } from './catalog.js'
import type { Database, Row } from './database.js'

/** Tables in order of their names; virtual ones keep their rows elsewhere. */
export function readTableHeaders(database: Database): { tables: TableHeader[]; warnings: string[] } {
  const found = listTables(database)
  const sequences = readSequences(database)
  const plain = found.filter(({ kind }) => kind === 'table').sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    tables: plain.map((table) => headerOf(database, table, sequences)),
    warnings: found
      .filter(({ kind }) => kind === 'virtual')
      .map(({ name }) => `${name} is a virtual table, whose rows are not dumped`),
  }
}

function headerOf(database: Database, { name }: Table, sequences: ReadonlyMap<string, bigint>): TableHeader {
  const rows = database.rows('SELECT * FROM pragma_table_xinfo(?) ORDER BY cid', name)
  const sql = String(
    database.row(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, name)?.['sql'],
  )
  const key = rows.filter(({ pk }) => Number(pk) > 0)
  const rowid =
    key.length === 1 && String(key[0]?.['type']).toUpperCase() === 'INTEGER' && !/WITHOUT\s+ROWID/iu.test(sql)
  const counts = rowid && /\bAUTOINCREMENT\b/iu.test(sql)
  const columns = rows
    .filter(({ hidden }) => Number(hidden) === 0)
    .map((row) => columnOf(row, rowid && Number(row['pk']) > 0))
  const numbered = columns.find(({ identity }) => identity !== undefined)
  const sequence: Record<string, Sequence> =
    counts && numbered !== undefined
      ? { [numbered.name]: { next: String((sequences.get(name) ?? 0n) + 1n), increment: '1' } }
      : {}
  return {
    table: { name },
    columns,
    foreignKeys: foreignKeys(database, name),
    ...indexes(database, name),
    sequences: sequence,
    renamedFrom: {},
    defaults: {},
    generated: rows
      .filter(({ hidden }) => [2, 3].includes(Number(hidden)))
      .map((row) => ({ name: String(row['name']), db: String(row['type']) })),
    notCarried: [
      ...(/\bCHECK\s*\(/iu.test(sql) ? ['its check constraints'] : []),
      ...database
        .rows(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? ORDER BY name`, name)
        .map((row) => `trigger ${String(row['name'])}`),
      ...database
        .rows(
          `SELECT l.name FROM pragma_index_list(?) AS l WHERE l.partial OR EXISTS
             (SELECT 1 FROM pragma_index_info(l.name) WHERE cid < 0) ORDER BY l.name`,
          name,
        )
        .map((row) => `index ${String(row['name'])}`),
    ],
  }
}

function columnOf(row: Row, numbersItself: boolean): ColumnHeader {
  const declared = String(row['type'])
  const type = logicalType(declared)
  const own: OwnColumn = { affinity: affinityOf(declared) }
  const filled = row['dflt_value'] === null ? undefined : plainDefault(row['dflt_value'] as string)
  return {
    name: String(row['name']),
    type,
    db: declared,
    ...(Number(row['pk']) > 0 ? { primaryKey: Number(row['pk']) } : {}),
    nullable: Number(row['notnull']) === 0 && !numbersItself,
    ...(numbersItself ? { identity: 'by default' as const } : {}),
    ...(filled === undefined ? {} : { defaultValue: filled }),
    hasDefault: numbersItself || row['dflt_value'] !== null,
    own,
  }
}

function plainDefault(sql: string): ColumnHeader['defaultValue'] {
  if (/^CURRENT_(?:TIMESTAMP|DATE|TIME)$/iu.test(sql)) return { now: true }
  if (/^(?:true|false)$/iu.test(sql)) return { value: sql.toLowerCase() === 'true' }
  if (/^-?\d{1,15}(?:\.\d+)?$/u.test(sql)) return { value: Number(sql) }
  const quoted = /^'((?:[^']|'')*)'$/su.exec(sql)?.[1]
  return quoted === undefined ? undefined : { value: quoted.replaceAll("''", "'") }
}

function foreignKeys(database: Database, table: string): ForeignKey[] {
  const keys = new Map<
    string,
    ForeignKey & { readonly columns: string[]; readonly referencedColumns: string[] }
  >()
  for (const row of database.rows('SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq', table)) {
    const parent = String(row['table'])
    const action = (name: string) => (row[name] === 'NO ACTION' ? undefined : String(row[name]))
    const [onDelete, onUpdate] = [action('on_delete'), action('on_update')]
    const key = keys.get(String(row['id'])) ?? {
      columns: [],
      references: { name: parent },
      referencedColumns: [],
      ...(onDelete === undefined ? {} : { onDelete }),
      ...(onUpdate === undefined ? {} : { onUpdate }),
    }
    key.columns.push(String(row['from']))
    key.referencedColumns.push(
      row['to'] === null
        ? (primaryKeyOf(database, parent)[Number(row['seq'])] ?? 'rowid')
        : (row['to'] as string),
    )
    keys.set(String(row['id']), key)
  }
  return [...keys.values()]
}

function primaryKeyOf(database: Database, table: string): string[] {
  return database
    .rows('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', table)
    .map(({ name }) => String(name))
}

function indexes(database: Database, table: string): Pick<TableHeader, 'unique' | 'indexes'> {
  const found = database.rows(
    `SELECT name, "unique", origin FROM pragma_index_list(?) WHERE NOT partial AND origin <> 'pk' ORDER BY name`,
    table,
  )
  const described = found.map((row) => ({
    unique: Number(row['unique']) === 1,
    columns: database.rows('SELECT name, cid FROM pragma_index_info(?) ORDER BY seqno', String(row['name'])),
  }))
  const plain = described.filter(({ columns }) => columns.every(({ cid }) => Number(cid) >= 0))
  const names = (unique: boolean) =>
    plain
      .filter((each) => each.unique === unique)
      .map(({ columns }) => columns.map(({ name }) => String(name)))
  return { unique: names(true), indexes: names(false) }
}

/** The largest id that each AUTOINCREMENT table has given. */
export function readSequences(database: Database): Map<string, bigint> {
  if (!hasTable(database, 'sqlite_sequence')) return new Map()
  return new Map(
    database
      .rows('SELECT name, seq FROM sqlite_sequence')
      .map(({ name, seq }) => [String(name), BigInt(seq as bigint)]),
  )
}
