import { afterAll, describe, expect, it } from 'vitest'
import type { ConnectionSettings } from '../../src/engine/engine.js'
import type { RowEngine } from '../../src/engine/row-source.js'
import type { TableHeader } from '../../src/engine/table-header.js'
import { postgresRows } from '../../src/engines/postgres/rows.js'
import { TestDatabase as PostgresDatabase, testContext } from '../../src/engines/postgres/test-fixture.js'
import { sqliteRows } from '../../src/engines/sqlite/rows.js'
import { removeTestFolders, TestDatabase as SqliteDatabase } from '../../src/engines/sqlite/test-database.js'
import { RowDigest } from '../../src/portable/row-digest.js'
import { needsServer } from '../servers/needs.js'

interface Place {
  readonly rows: RowEngine
  readonly connection: ConnectionSettings
}

const postgresql = needsServer('postgresql')
const context = testContext()

afterAll(() => removeTestFolders())

const sample = `
  CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, weight REAL, photo BLOB,
    boss INTEGER REFERENCES person(id));
  CREATE TABLE visit(person INTEGER NOT NULL REFERENCES person(id), day TEXT, PRIMARY KEY (person, day));
  INSERT INTO person VALUES (1, 'Ada', 1.5, x'00ff', 2), (2, 'Zoë ☕', -0.1, NULL, NULL),
    (9007199254740993, '', NULL, x'', 1);
  INSERT INTO visit VALUES (1, '2024-01-01'), (2, ''), (9007199254740993, 'a''b');`

/** Makes the tables of one database in another, as its headers describe them, and loads their rows. */
async function copy(from: Place, to: Place): Promise<void> {
  const source = await from.rows.openSource(context, from.connection)
  const sink = await to.rows.openSink(context, to.connection, {
    mode: 'replace',
    dryRun: false,
    create: true,
  })
  try {
    const headers = await source.tables()
    await sink.create(headers.map((header) => sink.mapping(header)))
    const targets = await sink.tables()
    await sink.begin(targets)
    for (const target of targets) {
      const header = named(headers, target.table.name)
      const writer = sink.writer(
        target,
        header.columns.map(({ name }) => name),
      )
      const encoded = async function* () {
        for await (const chunk of source.rows(header)) yield chunk.rows.map((row) => writer.encode(row))
      }
      await writer.write(encoded())
    }
    await sink.finish({})
  } catch (error) {
    await sink.abandon()
    throw error
  } finally {
    await source.close()
  }
}

/** Per table the number and the digest of its rows, which are the same on every engine. */
async function content({ rows, connection }: Place): Promise<Record<string, string>> {
  const source = await rows.openSource(context, connection)
  const found: Record<string, string> = {}
  try {
    for (const header of await source.tables()) {
      const digest = new RowDigest()
      let count = 0
      for await (const chunk of source.rows(header)) {
        count += chunk.count
        for (const line of chunk.lines.split('\n').slice(0, -1)) digest.add(line)
      }
      found[header.table.name] = `${count} ${digest.sum64}`
    }
  } finally {
    await source.close()
  }
  return found
}

function named(headers: readonly TableHeader[], name: string): TableHeader {
  const header = headers.find(({ table }) => table.name === name)
  if (header === undefined) throw new Error(`there is no table ${name}`)
  return header
}

function sqliteWith(sql: string): Place {
  const database = SqliteDatabase.empty()
  if (sql !== '') database.run(sql)
  return { rows: sqliteRows, connection: database.connection }
}

postgresql.describe('rows of SQLite in PostgreSQL, and back', () => {
  it('are the same by count and digest', async () => {
    const first = sqliteWith(sample)
    const last = sqliteWith('')
    const between = await new PostgresDatabase(postgresql.server()).make()
    try {
      const middle: Place = { rows: postgresRows, connection: between.connection }
      await copy(first, middle)
      await copy(middle, last)
      const expected = await content(first)
      expect(Object.values(expected).map((each) => each.split(' ')[0])).toEqual(['3', '3'])
      expect(await content(middle)).toEqual(expected)
      expect(await content(last)).toEqual(expected)
    } finally {
      await between.drop()
    }
  })
})

describe('rows that break a foreign key', () => {
  it('are refused at the end, and the database is as it was', async () => {
    const place = sqliteWith(sample)
    const before = await content(place)
    const sink = await sqliteRows.openSink(context, place.connection, {
      mode: 'replace',
      dryRun: false,
      create: true,
    })
    const tables = await sink.tables()
    await sink.begin(tables)
    const writer = sink.writer(named(tables, 'visit'), ['person', 'day'])
    const orphan = async function* () {
      yield await Promise.resolve([writer.encode([77, 'nobody'])])
    }
    await writer.write(orphan())
    await expect(sink.finish({})).rejects.toMatchObject({ code: 'refused.constraint' })
    expect(await content(place)).toEqual(before)
  })
})
