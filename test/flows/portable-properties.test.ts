import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Cell } from '../../src/engine/cell.js'
import { loaderOf, on, place, placeNames, tableFile, type PlaceName } from './portable-places.js'

/** Any row that an engine can hold is the same when it has been loaded and dumped again. */

interface Column {
  readonly logical: string
  readonly types: Readonly<Record<PlaceName, string>>
  cells(engine: PlaceName): fc.Arbitrary<Cell>
}

const same = (type: string) => ({ sqlite: type, postgresql: type, mariadb: type, mysql: type })
const mysqlAndMariadb = (type: string) => ({ mariadb: type, mysql: type })

/** Text of any characters; PostgreSQL takes no NUL. */
function texts(engine: PlaceName): fc.Arbitrary<string> {
  const any = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\\N', '\\.', '\t\\t', "'", '"~"'),
  )
  return any.filter(
    (text) => !/\p{Surrogate}/u.test(text) && (engine !== 'postgresql' || !text.includes('\0')),
  )
}

function floats(engine: PlaceName): fc.Arbitrary<Cell> {
  const finite: fc.Arbitrary<Cell> = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((each) => !Object.is(each, -0))
  if (engine === 'postgresql') return fc.oneof(finite, fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0'))
  if (engine === 'sqlite') return fc.oneof(finite, fc.constantFrom('Infinity', '-Infinity'))
  return finite
}

const days = fc
  .date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const moments = fc.tuple(days, fc.nat(86_399), fc.nat(999_999)).map(([day, second, micro]) => {
  const time = new Date(second * 1000).toISOString().slice(11, 19)
  return `${day}T${time}${micro === 0 ? '' : `.${String(micro).padStart(6, '0').replace(/0+$/u, '')}`}`
})

const columns: readonly Column[] = [
  {
    logical: 'i64',
    types: same('bigint'),
    cells: () =>
      fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : String(n))),
  },
  {
    logical: 'f64',
    types: { sqlite: 'REAL', postgresql: 'double precision', ...mysqlAndMariadb('double') },
    cells: floats,
  },
  { logical: 'text', types: { ...same('text'), ...mysqlAndMariadb('longtext') }, cells: texts },
  {
    logical: 'bytes',
    types: { sqlite: 'BLOB', postgresql: 'bytea', ...mysqlAndMariadb('longblob') },
    cells: () => fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
  },
  {
    logical: 'numeric(30,10)',
    types: { ...same('decimal(30,10)'), sqlite: 'DECIMAL_TEXT(30,10)' },
    cells: () =>
      fc
        .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }), fc.nat(999_999_999))
        .map(([minus, whole, rest]) => {
          const digits = `${whole}.${String(rest).padStart(10, '0')}`
          return minus && /[1-9]/u.test(digits) ? `-${digits}` : digits
        }),
  },
  {
    logical: 'bool',
    types: { ...same('boolean'), ...mysqlAndMariadb('tinyint(1)') },
    cells: () => fc.boolean(),
  },
  { logical: 'date', types: same('date'), cells: () => days },
  {
    logical: 'timestamp',
    types: { sqlite: 'DATETIME', postgresql: 'timestamp', ...mysqlAndMariadb('datetime(6)') },
    cells: () => moments,
  },
]

on(placeNames, 'any row survives a load and a dump', async (engine) => {
  const names = columns.map((_, place) => `c${place}`)
  const declared = columns.map(({ types }, place) => `c${place} ${types[engine]} NULL`)
  const there = await place(engine, `CREATE TABLE t(id int PRIMARY KEY, ${declared.join(', ')});\n`)
  const { hf, folder } = await loaderOf({ there })
  const cols = columns.map(({ logical }, place) => ({ n: names[place], t: logical }))
  const header = JSON.stringify({ holdfast: 1, table: 't', cols: [{ n: 'id', t: 'i32', pk: 1 }, ...cols] })
  const cells = columns.map((column) => fc.option(column.cells(engine), { freq: 9 }))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(...cells), { minLength: 1, maxLength: 60 }), async (rows) => {
      const lines = rows.map((row, index) => JSON.stringify([index, ...row]))
      writeFileSync(join(folder, 't.ndjson'), tableFile('t', [header, ...lines]))
      await hf.load({ input: 't.ndjson', acceptEdits: true, confirm: true })
      await hf.dump({ output: 'out.ndjson' })
      expect(readFileSync(join(folder, 'out.ndjson'), 'utf8').split('\n').slice(2, -3)).toEqual(lines)
    }),
    { numRuns: 6, endOnFailure: true },
  )
})
