import { DatabaseSync } from '@photostructure/sqlite'
import { tables, type ColumnType, type Value } from './rows.js'

const types: Readonly<Record<ColumnType, string>> = {
  id: 'integer primary key',
  int: 'integer not null',
  amount: 'numeric not null',
  time: 'text not null',
  word: 'text not null',
  text: 'text not null',
  json: 'text not null',
  bytes: 'blob not null',
  ints: 'text not null',
}

/** Makes a database file in WAL mode, as applications with a writer have it. */
export function makeSqlite(path: string, bytes: number): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = off; begin')
    for (const { name, columns, indexes, rows } of tables(bytes)) {
      database.exec(
        `create table ${name} (${columns.map((column) => `${column.name} ${types[column.type]}`).join(', ')})`,
      )
      const insert = database.prepare(`insert into ${name} values (${columns.map(() => '?').join(', ')})`)
      for (const row of rows()) insert.run(...row.map(cell))
      for (const column of indexes) database.exec(`create index ${name}_${column} on ${name} (${column})`)
    }
    database.exec('create table heartbeat (at text not null); commit; pragma wal_checkpoint(truncate)')
  } finally {
    database.close()
  }
}

function cell(value: Value): string | number | Buffer {
  return typeof value === 'object' && !Buffer.isBuffer(value) ? `[${value.join(', ')}]` : value
}
