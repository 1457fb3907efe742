import { DatabaseSync } from '@photostructure/sqlite'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DatabaseConfig, HoldfastConfig } from '../../src/config/config.js'
import type { ConnectionSettings, Engine } from '../../src/engine/engine.js'
import type { Emit } from '../../src/env/context.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { mariadb as mariadbEngine, mysql as mysqlEngine } from '../../src/engines/mysql/engine.js'
import { ScratchDatabase, type ScratchAddress } from '../../src/engines/mysql/test-database.js'
import { postgresql as postgresqlEngine } from '../../src/engines/postgres/engine.js'
import { TestDatabase as PostgresDatabase } from '../../src/engines/postgres/test-fixture.js'
import { sqliteEngine } from '../../src/engines/sqlite/engine.js'
import type { HoldfastError } from '../../src/errors.js'
import type { Holdfast } from '../../src/holdfast.js'
import { RowDigest } from '../../src/portable/row-digest.js'
import { mysqlAddress } from '../servers/mysql-families.js'
import { needsAll, needsMysql, needsServer, type Need } from '../servers/needs.js'
import { execute as executeFile, holdfastIn, testFolder } from './workbench.js'

export type PlaceName = 'sqlite' | 'postgresql' | 'mariadb' | 'mysql'
export const placeNames: readonly PlaceName[] = ['sqlite', 'postgresql', 'mariadb', 'mysql']

/** A database of a test's own, gone when the test ends. */
export interface Place {
  readonly config: DatabaseConfig
  execute(sql: string): Promise<void>
  /** Rows as arrays, with what the driver makes of values as texts. */
  ask(sql: string): Promise<readonly (readonly unknown[])[]>
  /** By table: how many rows, and their digest, which is the same on every engine. */
  content(): Promise<Readonly<Record<string, string>>>
  /** By table: what a test that has changed nothing finds as it was. */
  state(): Promise<Readonly<Record<string, string>>>
}

export const needs = {
  sqlite: needsAll(),
  postgresql: needsServer('postgresql'),
  mariadb: needsServer('mariadb'),
  mysql: needsMysql(),
}

/** What tests of several engines need. */
export function needsPlaces(...names: readonly PlaceName[]): Need {
  return needsAll(...names.map((name) => needs[name]))
}

/** A test of its own on each of these engines. */
export function on(
  engines: readonly PlaceName[],
  title: string,
  body: (engine: PlaceName) => Promise<void>,
): void {
  for (const engine of engines) needsPlaces(engine).it(`${title} (${engine})`, () => body(engine))
}

/** A test of its own from each of these engines to another. */
export function between(
  froms: readonly PlaceName[],
  to: PlaceName,
  title: string,
  body: (from: PlaceName) => Promise<void>,
): void {
  for (const from of froms) needsPlaces(from, to).it(`${title} (${from} to ${to})`, () => body(from))
}

/** A Holdfast whose databases are places, in a folder of its own. */
export async function loaderOf(
  places: Readonly<Record<string, Place>>,
  emit: Emit = () => undefined,
  config: HoldfastConfig = {},
): Promise<{ hf: Holdfast; folder: string }> {
  const folder = await testFolder()
  const databases = Object.fromEntries(
    Object.entries(places).map(([name, place]) => [name, { ...databaseOf(config, name), ...place.config }]),
  )
  const env = { ...nodeEnv(), workingDirectory: folder }
  return { hf: await holdfastIn(folder, { ...config, databases }, { env, emit }), folder }
}

function databaseOf({ databases = {} }: HoldfastConfig, name: string): object {
  const found = databases[name]
  return typeof found === 'object' ? found : {}
}

export async function codeOf(work: Promise<unknown>): Promise<readonly [code: string, message: string]> {
  const error = (await work.then(
    () => ({ code: 'none', message: 'it has worked' }),
    (thrown: unknown) => thrown,
  )) as HoldfastError
  return [error.code, error.message]
}

/** A table's file by hand, with a footer that nobody has reckoned: it loads with `acceptEdits`. */
export function tableFile(table: string, lines: readonly string[]): string {
  return `${lines.join('\n')}\n${footer(table, lines)}\n`
}

export function footer(table: string, lines: readonly string[]): string {
  return JSON.stringify({ end: table, rows: lines.length - 1, sum64: '0'.repeat(16), sha256: '0'.repeat(64) })
}

const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

export async function place(name: PlaceName, schema = ''): Promise<Place> {
  const made = await makers[name]()
  if (schema !== '') await made.execute(schema)
  return made
}

const makers: Readonly<Record<PlaceName, () => Promise<Place>>> = {
  async sqlite() {
    const path = join(await testFolder(), 'app.db')
    executeFile(path, 'PRAGMA user_version = 0')
    return {
      config: { url: `sqlite:${path}` },
      execute: async (sql) => Promise.resolve(executeFile(path, sql)),
      ask: (sql) => Promise.resolve(askFile(path, sql)),
      content: () => contentOf(sqliteEngine.rows, { engine: 'sqlite', name: path, parameters: {} }),
      state: () => Promise.resolve(stateOfFile(path)),
    }
  },
  async postgresql() {
    const { host, port, user, password } = needs.postgresql.server()
    const database = await new PostgresDatabase(needs.postgresql.server()).make()
    onTestFinished(() => database.drop())
    return {
      config: { engine: 'postgresql', host, port, user, password, name: database.name },
      execute: (sql) => database.execute(sql),
      ask: async (sql) =>
        (await database.rows<Record<string, unknown>>(sql)).map((row) => Object.values(row)),
      content: () => contentOf(postgresqlEngine.rows, database.connection),
      state: () => contentOf(postgresqlEngine.rows, database.connection),
    }
  },
  mariadb: () => serverOfMysql('mariadb', mariadbEngine, needs.mariadb.server()),
  mysql: () => serverOfMysql('mysql', mysqlEngine, mysqlAddress()),
}

async function serverOfMysql(
  engine: 'mariadb' | 'mysql',
  { rows }: Engine,
  { host, port, user, password }: ScratchAddress,
): Promise<Place> {
  const database = await new ScratchDatabase({ host, port, user, password }, engine).create()
  onTestFinished(() => database.drop())
  return {
    config: { engine, host, port, user, password, name: database.name },
    execute: (sql) => database.run(sql.split(/;\s*\n/u).filter((each) => each.trim() !== '')),
    ask: async (sql) => (await database.rows(sql)).map((row) => Object.values(row) as unknown[]),
    content: () => contentOf(rows, database.connection),
    state: () => contentOf(rows, database.connection),
  }
}

function askFile(path: string, sql: string): readonly (readonly unknown[])[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row as Record<string, unknown>))
  } finally {
    db.close()
  }
}

/** Asked in this process, which takes a tenth of the time that a program of its own does. */
function stateOfFile(path: string): Readonly<Record<string, string>> {
  const tables = askFile(
    path,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%'",
  )
  return Object.fromEntries(
    tables.map(([name]) => {
      const columns = askFile(path, `SELECT name FROM pragma_table_xinfo('${String(name)}')`).flat()
      const cells = columns.map((column) => `quote("${String(column)}")`).join(" || ',' || ")
      const rows = askFile(path, `SELECT ${cells} FROM "${String(name)}"`)
        .flat()
        .map(String)
      return [String(name), rows.sort().join('\n')]
    }),
  )
}

async function contentOf(
  rows: Engine['rows'],
  connection: ConnectionSettings,
): Promise<Readonly<Record<string, string>>> {
  const source = await rows?.openSource(cx, connection)
  if (source === undefined) throw new TypeError('the engine has no rows')
  const found: Record<string, string> = {}
  try {
    for (const header of await source.tables()) {
      const digest = new RowDigest()
      let count = 0
      for await (const chunk of source.rows(header)) {
        count += chunk.count
        digest.addLines(chunk.lines)
      }
      found[header.table.name] = `${count} ${digest.sum64}`
    }
  } finally {
    await source.close()
  }
  return found
}
