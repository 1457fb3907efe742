import { DatabaseSync } from '@photostructure/sqlite'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DatabaseConfig } from '../../src/config/config.js'
import type { ConnectionSettings, Engine } from '../../src/engine/engine.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { mariadb as mariadbEngine } from '../../src/engines/mysql/engine.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { postgresql as postgresqlEngine } from '../../src/engines/postgres/engine.js'
import { TestDatabase as PostgresDatabase } from '../../src/engines/postgres/test-fixture.js'
import { sqliteEngine } from '../../src/engines/sqlite/engine.js'
import { RowDigest } from '../../src/portable/row-digest.js'
import { needsServer } from '../servers/needs.js'
import { execute as executeFile, testFolder } from './workbench.js'

export type PlaceName = 'sqlite' | 'postgresql' | 'mariadb'

/** A database of a test's own, gone when the test ends. */
export interface Place {
  readonly config: DatabaseConfig
  execute(sql: string): Promise<void>
  /** Rows as arrays, with what the driver makes of values as texts. */
  ask(sql: string): Promise<readonly (readonly unknown[])[]>
  /** By table: how many rows, and their digest, which is the same on every engine. */
  content(): Promise<Readonly<Record<string, string>>>
}

export const needs = { postgresql: needsServer('postgresql'), mariadb: needsServer('mariadb') }

/** What tests of several engines need. */
export function makeable(name: PlaceName): boolean {
  return name === 'sqlite' || needs[name].missing === undefined
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
      execute: (sql) => Promise.resolve(executeFile(path, sql)),
      ask: (sql) => Promise.resolve(askFile(path, sql)),
      content: () => contentOf(sqliteEngine, { engine: 'sqlite', name: path, parameters: {} }),
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
      content: () => contentOf(postgresqlEngine, database.connection),
    }
  },
  async mariadb() {
    const { host, port, user, password } = needs.mariadb.server()
    const database = await new ScratchDatabase(needs.mariadb.server(), 'mariadb').create()
    onTestFinished(() => database.drop())
    return {
      config: { engine: 'mariadb', host, port, user, password, name: database.name },
      execute: (sql) => database.run(sql.split(/;\s*\n/u).filter((each) => each.trim() !== '')),
      ask: async (sql) => (await database.rows(sql)).map((row) => Object.values(row) as unknown[]),
      content: () => contentOf(mariadbEngine, database.connection),
    }
  },
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

async function contentOf(
  { rows }: Engine,
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
