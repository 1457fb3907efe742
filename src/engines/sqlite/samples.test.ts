import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { connectorNames, restore, roundTrip } from './test-connector.js'
import { removeTestFolders, TestDatabase } from './test-database.js'

afterAll(removeTestFolders)

const root = fileURLToPath(new URL('../../..', import.meta.url))
const samples = process.env['HOLDFAST_SAMPLES'] ?? join(root, '..', 'shared', 'samples')
const chinook = join(samples, 'chinook', 'Chinook_Sqlite.sqlite')
const northwind = join(samples, 'northwind', 'northwind-sqlite-create.sql')

function totalRows(database: TestDatabase, tables: readonly string[]): number {
  return tables.reduce(
    (sum, table) => sum + Number(database.rows(`SELECT count(*) FROM "${table}"`)[0]?.[0]),
    0,
  )
}

describe.each(connectorNames)('%s', (name) => {
  const title = (file: string) =>
    existsSync(file) ? '' : ` (skipped: ${file} is not there; set HOLDFAST_SAMPLES)`

  it.skipIf(!existsSync(chinook))(`Chinook: 11 tables, 15 607 rows${title(chinook)}`, async () => {
    const database = new TestDatabase()
    copyFileSync(chinook, database.path)
    const restored = await roundTrip(name, database)
    expect(await restored.tables()).toHaveLength(11)
    expect(totalRows(restored, await restored.tables())).toBe(15_607)
    expect(restored.digestOfAll()).toEqual(database.digestOfAll())
    expect(await restored.schemaText()).toBe(await database.schemaText())
  })

  it.skipIf(!existsSync(northwind))(`Northwind: 14 tables, 16 views${title(northwind)}`, async () => {
    const database = new TestDatabase()
    await restore('sqlite-dump', database, readFileSync(northwind), { create: true })
    const restored = await roundTrip(name, database)
    // 13 of the user's, and sqlite_sequence.
    expect(restored.rows(`SELECT count(*) FROM sqlite_schema WHERE type = 'table'`)).toEqual([[14n]])
    expect(restored.rows(`SELECT count(*) FROM sqlite_schema WHERE type = 'view'`)).toEqual([[16n]])
    expect(restored.digestOfAll()).toEqual(database.digestOfAll())
    expect(await restored.schemaText()).toBe(await database.schemaText())
  })
})
