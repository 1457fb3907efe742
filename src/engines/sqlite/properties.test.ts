import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from './program/database.js'
import { insertLines, type Encoding } from './program/insert-sql.js'
import { repairText } from './sql-text.js'
import { connectorNames, roundTrip } from './test-connector.js'
import { removeTestFolders, TestDatabase } from './test-database.js'

afterAll(removeTestFolders)

/** Any value that a column can hold, as SQL that gives just that value. */
const value = fc.oneof(
  fc.constant('NULL'),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integer),
  fc.double({ noNaN: true }).map(real),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `x'${Buffer.from(bytes).toString('hex')}'`),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `CAST(x'${Buffer.from(bytes).toString('hex')}' AS TEXT)`),
  fc
    .string({ unit: 'binary', maxLength: 30 })
    .map((text) => `CAST(x'${Buffer.from(text).toString('hex')}' AS TEXT)`),
  fc.constantFrom(
    `''`,
    `''''`,
    `'--'`,
    `'/*'`,
    `';'`,
    `char(0)`,
    `'NULL'`,
    `'1.0'`,
    `'0x10'`,
    `' 1'`,
    '-0.0',
    '0.0',
    '1e999',
    '-1e999',
  ),
)

function integer(number: bigint): string {
  // The smallest has no literal of its own: its digits alone are too large.
  return number === -(2n ** 63n) ? '(-9223372036854775807 - 1)' : number.toString()
}

function real(number: number): string {
  if (!Number.isFinite(number)) return number > 0 ? '1e999' : '-1e999'
  return Object.is(number, -0) ? '-0.0' : number.toExponential()
}

const columns = ['none', 'i INTEGER', 't TEXT', 'r REAL', 'n NUMERIC', 'b BLOB']
const row = fc.tuple(...columns.map(() => value))

function tableOf(rows: readonly (readonly string[])[], encoding: Encoding): TestDatabase {
  const database = new TestDatabase()
  const inserts = rows.flatMap((values, index) => [
    `INSERT INTO t(rowid, ${columns.map((column) => column.split(' ')[0]).join(', ')}) VALUES (${index * 3 - 7}, ${values.join(', ')})`,
    `INSERT INTO w VALUES (${index}, ${values[0]}, ${values[2]})`,
  ])
  database.run(`PRAGMA encoding='${encoding}'; CREATE TABLE t(${columns.join(', ')}); CREATE TABLE w(k, v, u TEXT, PRIMARY KEY (k)) WITHOUT ROWID;
    BEGIN; ${inserts.join(';\n')}; COMMIT`)
  return database
}

it.each(['UTF-8', 'UTF-16le', 'UTF-16be'] as const)(
  'FAILURES 61: any row of an %s database comes out of its INSERT the same',
  async (encoding) => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        const source = tableOf(rows, encoding)
        const database = await openDatabase(source.path, 'read')
        const text = (bytes: Uint8Array) =>
          encoding === 'UTF-8' ? Buffer.from(bytes) : inUtf8(bytes, encoding)
        const inserts = ['t', 'w'].flatMap((table) => [
          ...insertLines(database, { table, encoding, keepRowid: table === 't' }),
        ])
        database.close()
        const copy = tableOf([], encoding)
        const sql = Buffer.concat(inserts.map(text))
        copy.run(`BEGIN; ${repairText(sql).toString('utf8')} COMMIT`)
        expect(copy.digestOfAll()).toEqual(source.digestOfAll())
      }),
      { numRuns: 60 },
    )
  },
)

function inUtf8(bytes: Uint8Array, encoding: Encoding): Buffer {
  const copy = Buffer.from(bytes)
  return Buffer.from((encoding === 'UTF-16be' ? copy.swap16() : copy).toString('utf16le'))
}

it.each(connectorNames)('FAILURES 61: any rows come back from %s the same', async (name) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 40, maxLength: 200 }),
      fc.constantFrom<Encoding>('UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'),
      async (rows, encoding) => {
        const source = tableOf(rows, encoding)
        const restored = await roundTrip(name, source)
        expect(restored.digestOfAll()).toEqual(source.digestOfAll())
        expect(await restored.schemaText()).toBe(await source.schemaText())
      },
    ),
    { numRuns: 8 },
  )
})
