import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BSON } from 'mongodb'
import { expect, onTestFinished } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { ScratchDatabase } from '../../src/engines/mongodb/test-database.js'
import type { LoadRequest } from '../../src/operations/portable-requests.js'
import { needsAll, needsServer } from '../servers/needs.js'
import {
  codeOf,
  loaderOf,
  needsPlaces,
  on,
  place,
  placeNames,
  tableFile,
  type Place,
  type PlaceName,
} from './portable-places.js'

/** Documents of MongoDB in the columns of tables that are there. */

const header =
  '{"holdfast":1,"table":"people","cols":[{"n":"_id","t":"text","pk":1},{"n":"document","t":"document","null":false}]}'

/** A loader of documents, each given as canonical extended JSON. */
async function documentLoader(target: Place, config: HoldfastConfig = {}) {
  const { hf, folder } = await loaderOf({ target }, undefined, config)
  return (documents: readonly string[], more: Omit<LoadRequest, 'input'> = {}) => {
    const rows = documents.map((document, place) => `["${place}",${document}]`)
    writeFileSync(join(folder, 'people.ndjson'), tableFile('people', [header, ...rows]))
    return hf.load({ input: 'people.ndjson', acceptEdits: true, confirm: true, ...more })
  }
}

const types: Readonly<
  Record<'int' | 'bytes' | 'at' | 'json' | 'double', Readonly<Record<PlaceName, string>>>
> = {
  int: { sqlite: 'INTEGER', postgresql: 'bigint', mariadb: 'bigint', mysql: 'bigint' },
  bytes: { sqlite: 'BLOB', postgresql: 'bytea', mariadb: 'blob', mysql: 'blob' },
  at: {
    sqlite: 'TIMESTAMPTZ',
    postgresql: 'timestamptz',
    mariadb: 'timestamp(6) NULL',
    mysql: 'timestamp(6) NULL',
  },
  json: { sqlite: 'JSON', postgresql: 'json', mariadb: 'json', mysql: 'json' },
  double: { sqlite: 'REAL', postgresql: 'double precision', mariadb: 'double', mysql: 'double' },
}
const key: Readonly<Record<PlaceName, string>> = {
  sqlite: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  postgresql: 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  mariadb: 'bigint PRIMARY KEY AUTO_INCREMENT',
  mysql: 'bigint PRIMARY KEY AUTO_INCREMENT',
}

const ada =
  '{"_id":{"$oid":"64b0a1c2d3e4f5a6b7c8d9e0"},"name":"Ada","n":{"$numberLong":"9007199254740993"},"w":{"$numberDouble":"1.5"},"bal":{"$numberDecimal":"1.25E+3"},' +
  '"yes":true,"raw":{"$binary":{"base64":"AP8=","subType":"00"}},"at":{"$date":{"$numberLong":"1709208000123"}},' +
  '"address":{"city":"Zürich","geo":{"x":{"$numberInt":"1"}}},"tags":["a",{"$numberInt":"1"},{"$oid":"64b0a1c2d3e4f5a6b7c8d9e0"}],"role":null}'

on(placeNames, 'documents are taken apart into the columns of a table that is there', async (engine) => {
  const columns = `id ${key[engine]}, mongo varchar(30) NOT NULL UNIQUE, name varchar(20) NOT NULL, n ${types.int[engine]}, w ${types.double[engine]}, bal decimal(9,2), yes boolean,
    raw ${types.bytes[engine]}, at ${types.at[engine]}, city varchar(20), tags ${types.json[engine]}, role varchar(9) DEFAULT 'user', nick varchar(20) NOT NULL, level int NOT NULL DEFAULT 3`
  const target = await place(engine, `CREATE TABLE people(${columns});\n`)
  const rename = { mongo: '_id', city: 'address.city' }
  const load = await documentLoader(target, {
    portable: {
      tables: { people: { rename, default: { nick: ['reference', 'name'] }, drop: ['address.geo'] } },
    },
  })
  const documents = [ada, '{"_id":"two","name":"Zoë","nick":"Z","level":{"$numberInt":"7"}}']
  const report = await load(documents)
  expect(report.tables).toMatchObject([{ inserted: 2, dropped: [] }])
  expect(report.tables[0]?.renamed).toEqual([
    { column: 'mongo', from: '_id' },
    { column: 'city', from: 'address.city' },
  ])
  const bal = 'CAST(bal AS char(9)) AS bal'
  const rows = await target.ask(
    `SELECT mongo, name, CAST(n AS char(20)) AS n, w, ${bal}, city, role, nick, level, CAST(tags AS char(99)) AS tags FROM people ORDER BY name`,
  )
  expect(rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell.trim() : cell)))).toEqual([
    [
      '64b0a1c2d3e4f5a6b7c8d9e0',
      'Ada',
      '9007199254740993',
      1.5,
      expect.stringMatching(/^1250(?:\.00)?$/u),
      'Zürich',
      // Null is not missing.
      null,
      'Ada',
      3,
      expect.stringMatching(/^\["a", ?1, ?\{"\$oid": ?"64b0a1c2d3e4f5a6b7c8d9e0"\}\]$/u),
    ],
    ['two', 'Zoë', null, null, null, null, 'user', 'Z', 7, null],
  ])
  const content = await target.content()
  expect(await load(documents, { mode: 'update' })).toMatchObject({ tables: [{ inserted: 0, updated: 2 }] })
  expect(await target.content()).toEqual(content)
})

on(['sqlite'], 'what has no column, or does not fit one, is named, and nothing is loaded', async (engine) => {
  const target = await place(
    engine,
    'CREATE TABLE people(_id TEXT PRIMARY KEY, name TEXT NOT NULL, n INTEGER, d DATE);',
  )
  const load = await documentLoader(target)
  const more = '{"_id":"a","name":"x","extra":{"$numberInt":"1"},"deep":{"a":null}}'
  expect(await codeOf(load([more, more.replace('"a"', '"b"')]))).toEqual([
    'refused.schema',
    'people has no column for extra, deep',
  ])
  expect(await load([more, '{"_id":"b","name":"y"}'], { dryRun: true })).toMatchObject({
    tables: [
      {
        dropped: [
          { column: 'extra', values: 1 },
          { column: 'deep', values: 1 },
        ],
      },
    ],
  })
  for (const [document, said] of [
    ['{"_id":"a"}', 'people.ndjson:2: name is null, and may not be'],
    ['{"_id":"a","name":"x","n":{"$numberDouble":"1.5"}}', 'people.ndjson:2: n is 1.5, not an integer'],
    [
      '{"_id":"a","name":"x","n":{"$timestamp":{"t":1,"i":1}}}',
      'people.ndjson:2: n holds $timestamp, which i64 cannot',
    ],
    [
      '{"_id":"a","name":"x","n":{"$date":1}}',
      'people.ndjson:2: n holds {"$date":1}, which is not of its type',
    ],
    ['{"_id":"a","name":"x","n":["a"]}', 'people.ndjson:2: n holds a list, which i64 cannot'],
    [
      '{"_id":"a","name":"x","d":{"$date":{"$numberLong":"1"}}}',
      'people.ndjson:2: d is 1970-01-01T00:00:00.001Z: a date',
    ],
    ['{"~":"bson","v":"BQAAAAA="}', 'people.ndjson:2: _id holds BSON'],
  ] as const)
    expect(await codeOf(load([document]))).toEqual(['refused.cells', expect.stringContaining(said)])
  expect(await target.ask('SELECT * FROM people')).toEqual([])
  expect(await load([more], { ignoreUnknown: true })).toMatchObject({ loaded: true })
  expect(await target.ask('SELECT * FROM people')).toEqual([['a', 'x', null, null]])
})

const server = needsServer('mongodb')

needsAll(server, needsPlaces('postgresql')).it(
  'a collection goes into a table that is there, by copy',
  async () => {
    const database = new ScratchDatabase(server.server())
    onTestFinished(() => database.drop())
    await database.on(async (db) => {
      await db.collection('people').insertMany([
        { name: 'Ada', born: new Date(0), tags: ['a'], age: new BSON.Int32(36) },
        { name: 'Zoë', age: 4.5 },
      ])
    })
    const { name, host = '', port = 0, user = '', password } = database.connection
    const from = {
      engine: 'mongodb',
      name,
      host,
      port,
      user,
      authSource: 'admin',
      ...(password === undefined ? {} : { password }),
    }
    const to = await place(
      'postgresql',
      'CREATE TABLE people(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mongo text UNIQUE, name text NOT NULL, born timestamptz, tags text[], age numeric)',
    )
    const { hf } = await loaderOf({ from: { ...to, config: from }, to })
    expect(await codeOf(hf.copy({ from: 'from', to: 'to', confirm: true }))).toEqual([
      'refused.schema',
      'people has no column for _id',
    ])
    expect(
      await hf.copy({ from: 'from', to: 'to', confirm: true, rename: { 'people.mongo': '_id' } }),
    ).toMatchObject({ loaded: true })
    expect(
      await to.ask(
        'SELECT id::int, length(mongo), name, born::text, tags, age::text FROM people ORDER BY name',
      ),
    ).toEqual([
      [1, 24, 'Ada', '1970-01-01 00:00:00+00', ['a'], '36'],
      [2, 24, 'Zoë', null, null, '4.5'],
    ])
  },
)
