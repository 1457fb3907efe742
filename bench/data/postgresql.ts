import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ServerAddress } from '../../test/servers/server.js'
import { tables, type ColumnType, type Table, type Value } from './rows.js'
import { lines } from './lines.js'

const types: Readonly<Record<ColumnType, string>> = {
  id: 'bigint primary key',
  int: 'integer not null',
  amount: 'numeric(12,2) not null',
  time: 'timestamptz not null',
  word: 'varchar(200) not null',
  text: 'text not null',
  json: 'jsonb not null',
  bytes: 'bytea not null',
  ints: 'integer[] not null',
}

/** How programs reach a server, and where those of its clients lie. */
export type PostgresqlAddress = Pick<ServerAddress, 'host' | 'port' | 'user' | 'password' | 'binDirectory'>

/** Makes the database and fills it. */
export async function makePostgresql(
  server: PostgresqlAddress,
  database: string,
  bytes: number,
): Promise<void> {
  await psql(server, 'postgres', `create database ${database}`)
  await fillPostgresql(server, database, bytes)
}

/** Fills a database through psql, then builds the indexes and the planner's statistics. */
export async function fillPostgresql(
  server: PostgresqlAddress,
  database: string,
  bytes: number,
): Promise<void> {
  const all = tables(bytes)
  await psql(server, database, all.map(create).join('\n'))
  const child = spawn(join(server.binDirectory, 'psql'), [...connection(server, database), '-f', '-'], {
    env: { ...process.env, PGPASSWORD: server.password, PGOPTIONS: '-c timezone=UTC' },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const ended = once(child, 'close')
  for (const table of all) {
    child.stdin.write(`copy ${table.name} from stdin;\n`)
    for (const chunk of lines(table.rows(), cell)) {
      if (!child.stdin.write(chunk)) await once(child.stdin, 'drain')
    }
    child.stdin.write('\\.\n')
  }
  child.stdin.end()
  const [status] = (await ended) as [number | null]
  if (status !== 0) throw new Error(`psql ended with ${status} while loading`)
  await psql(server, database, `${all.flatMap(indexes).join('\n')} vacuum analyze;`)
}

/** Runs SQL, statement by statement. */
export async function psql(server: PostgresqlAddress, database: string, sql: string): Promise<void> {
  const child = spawn(join(server.binDirectory, 'psql'), [...connection(server, database), '-f', '-'], {
    env: { ...process.env, PGPASSWORD: server.password, PGOPTIONS: '-c client_min_messages=warning' },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin.end(`${sql};\n`)
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error(`psql ended with ${status}: ${sql.slice(0, 200)}`)
}

function connection({ host, port, user }: PostgresqlAddress, database: string): readonly string[] {
  return ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', host, '-p', String(port), '-U', user, '-d', database]
}

function create({ name, columns }: Table): string {
  return `create table ${name} (${columns.map((column) => `${column.name} ${types[column.type]}`).join(', ')});`
}

function indexes({ name, indexes: columns }: Table): readonly string[] {
  return columns.map((column) => `create index on ${name} (${column});`)
}

/** As COPY's text format has it; the generated texts hold nothing to escape. */
function cell(value: Value): string {
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString('hex')}`
  return typeof value === 'object' ? `{${value.join(',')}}` : String(value)
}
