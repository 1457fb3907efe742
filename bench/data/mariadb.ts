import { Readable } from 'node:stream'
import { createConnection } from 'mysql2/promise'
import type { ServerAddress } from '../../test/servers/server.js'
import { lines } from './lines.js'
import { tables, type ColumnType, type Table, type Value } from './rows.js'

const types: Readonly<Record<ColumnType, string>> = {
  id: 'bigint primary key',
  int: 'int not null',
  amount: 'decimal(12,2) not null',
  time: 'datetime not null',
  word: 'varchar(200) not null',
  text: 'text not null',
  json: 'json not null',
  bytes: 'blob not null',
  // MariaDB has no arrays; applications keep such lists as JSON.
  ints: 'json not null',
}

/** Makes the database and fills it by LOAD DATA, indexes included: InnoDB builds them as fast afterwards. */
export async function makeMariadb(server: ServerAddress, database: string, bytes: number): Promise<void> {
  const { host, port, user, password } = server
  const connection = await createConnection({ host, port, user, password })
  try {
    await connection.query(`create database ${database} character set utf8mb4`)
    await connection.query(`use ${database}`)
    for (const table of tables(bytes)) {
      await connection.query(create(table))
      await connection.query({
        sql: `load data local infile 'rows' into table ${table.name} character set utf8mb4 ${targets(table)}`,
        infileStreamFactory: () => Readable.from(lines(table.rows(), cell), { objectMode: false }),
      })
      await connection.query(`analyze table ${table.name}`)
    }
  } finally {
    await connection.end()
  }
}

function create({ name, columns, indexes }: Table): string {
  const parts = [
    ...columns.map((column) => `${column.name} ${types[column.type]}`),
    ...indexes.map((column) => `key (${column})`),
  ]
  return `create table ${name} (${parts.join(', ')}) engine=InnoDB`
}

/** `(id, @thumbnail) set thumbnail = unhex(@thumbnail)`: bytes come as hexadecimal. */
function targets({ columns }: Table): string {
  const binary = columns.filter(({ type }) => type === 'bytes').map(({ name }) => name)
  const names = columns.map(({ name }) => (binary.includes(name) ? `@${name}` : name))
  const sets = binary.map((name) => `${name} = unhex(@${name})`)
  return `(${names.join(', ')})${sets.length === 0 ? '' : ` set ${sets.join(', ')}`}`
}

function cell(value: Value): string {
  if (Buffer.isBuffer(value)) return value.toString('hex')
  return typeof value === 'object' ? `[${value.join(', ')}]` : String(value)
}
