import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { BSON, type Db } from 'mongodb'
import { expect, onTestFinished } from 'vitest'
import { documentOf, element, fillCorpus, insertBytes } from '../../src/engines/mongodb/test-bson.js'
import { ScratchDatabase } from '../../src/engines/mongodb/test-database.js'
import { needsAll, needsSamples, needsServer } from '../servers/needs.js'
import { codeOf, needsPlaces, place } from './portable-places.js'
import { filesBelow, holdfastIn, testFolder } from './workbench.js'

const server = needsServer('mongodb')

function scratch(): ScratchDatabase {
  const database = new ScratchDatabase(server.server())
  onTestFinished(() => database.drop())
  return database
}

function configOf({ connection: { name, host = '', port = 0, user = '', password } }: ScratchDatabase) {
  const login = { user, ...(password === undefined ? {} : { password }) }
  return { engine: 'mongodb', name, host, port, ...login, authSource: 'admin' }
}

async function filled(): Promise<ScratchDatabase> {
  const database = scratch()
  await fillCorpus(database)
  await database.on(async (db) => {
    const people = db.collection('people')
    await people.insertMany(
      Array.from({ length: 2500 }, (_each, index) => ({ name: `person ${index} ☕`, at: new Date(index) })),
    )
    await people.createIndex({ name: 1, at: -1 }, { name: 'by name' })
    await people.createIndex({ name: 1 }, { name: 'one of each', unique: true })
    await insertBytes(db, 'odd', [
      documentOf(1, Buffer.concat(['b', '1', '0'].map((key) => element(8, key, Buffer.of(1))))),
      documentOf(2, element(2, '~', Buffer.from('05000000' + '62736f6e00', 'hex'))),
    ])
    await db.createCollection('empty')
  })
  return database
}

needsAll(server, needsSamples()).it(
  'documents are dumped and loaded byte for byte, indexes included, beside and in place of others',
  async () => {
    const [from, to] = [await filled(), scratch()]
    const folder = await testFolder()
    const databases = { from: configOf(from), to: configOf(to) }
    const hf = await holdfastIn(folder, { databases })
    const dumped = await hf.dump({ output: join(folder, 'datadir'), database: 'from', compress: 'zstd' })
    expect(dumped.tables.map(({ table }) => table)).toEqual(['empty', 'odd', 'people', 'types'])
    expect(await codeOf(hf.load({ database: 'to', input: join(folder, 'datadir') }))).toMatchObject({
      0: 'database.not-found',
    })
    expect(
      await hf.load({ database: 'to', input: join(folder, 'datadir'), create: true, dryRun: true }),
    ).toMatchObject({ losses: [] })
    expect(await to.tables()).toEqual([])
    await hf.load({ database: 'to', input: join(folder, 'datadir'), create: true })
    expect(await to.digest()).toEqual(await from.digest())
    expect(await to.schemaText()).toBe(await from.schemaText())

    await to.on((db) => db.collection('people').deleteMany({}))
    await hf.copy({ from: 'from', to: 'to', tables: ['people'], confirm: true })
    expect(await to.digest()).toEqual(await from.digest())
    expect(await to.schemaText()).toBe(await from.schemaText())
  },
)

needsAll(server, needsSamples(), needsPlaces('postgresql', 'mariadb')).it(
  'documents go through SQLite, PostgreSQL and MariaDB, and come back as they were',
  async () => {
    const [from, to] = [await filled(), scratch()]
    const folder = await testFolder()
    const places = {
      sqlite: await place('sqlite'),
      postgresql: await place('postgresql'),
      mariadb: await place('mariadb'),
    }
    const sql = Object.fromEntries(Object.entries(places).map(([name, { config }]) => [name, config]))
    const databases = { from: configOf(from), to: configOf(to), ...sql }
    const hf = await holdfastIn(folder, { databases })
    expect(await codeOf(hf.copy({ from: 'from', to: 'sqlite', create: true }))).toEqual([
      'refused.lossy',
      expect.stringContaining('people: the index by name does not carry over') as string,
    ])
    const route = ['from', 'sqlite', 'postgresql', 'mariadb', 'to']
    for (const [index, next] of route.slice(1).entries())
      await hf.copy({ from: route[index] ?? '', to: next, create: true, acceptLossy: true })
    expect(await to.digest()).toEqual(await from.digest())
    expect(await places.postgresql.ask("SELECT document->>'name' FROM people ORDER BY 1 LIMIT 1")).toEqual([
      ['person 0 ☕'],
    ])
  },
)

needsAll(server, needsPlaces('postgresql')).it(
  'rows of a table become documents, with what BSON has for them',
  async () => {
    const to = scratch()
    const from = await place(
      'postgresql',
      `CREATE TABLE item(id bigint PRIMARY KEY, code text NOT NULL UNIQUE, n integer DEFAULT 7, f double precision,
       yes boolean, raw bytea, u uuid, day date, at timestamptz, doc json, list integer[]);
     CREATE TABLE pair(a integer, b text, PRIMARY KEY (a, b));
     CREATE TABLE loose(word text);
     INSERT INTO item VALUES (9007199254740993, 'Zoë ☕', 1, 2.5, true, '\\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
       '2024-02-29', '2024-02-29T12:00:00.123Z', '{"a":[1,2.5,"x",null]}', '{1,2}'), (2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
     INSERT INTO pair VALUES (1, 'x'); INSERT INTO loose VALUES ('once'), ('once')`,
    )
    const hf = await holdfastIn(await testFolder(), { databases: { from: from.config, to: configOf(to) } })
    const copied = { from: 'from', to: 'to', create: true, confirm: true }
    expect(await codeOf(hf.copy(copied))).toEqual([
      'refused.lossy',
      'the target cannot hold all of the dump: item: the default of n does not carry over',
    ])
    // Twice: beside nothing, and in place of what is there.
    const rename = { 'pair.c': 'b', 'item.sku': 'code' }
    for (const _time of [1, 2]) await hf.copy({ ...copied, acceptLossy: true, rename })
    const documents = (name: string) =>
      to.on((db) =>
        db
          .collection(name)
          .find({}, { promoteValues: false, promoteLongs: false })
          .sort({ _id: 1 })
          .toArray(),
      )
    const [empty, full] = (await documents('item')).map((each) =>
      BSON.EJSON.serialize(each, { relaxed: false }),
    )
    expect(full).toEqual({
      ...{
        _id: { $numberLong: '9007199254740993' },
        id: { $numberLong: '9007199254740993' },
        sku: 'Zoë ☕',
      },
      ...{ n: { $numberInt: '1' }, f: { $numberDouble: '2.5' } },
      ...{ yes: true, raw: { $binary: { base64: 'AP8=', subType: '00' } } },
      u: { $binary: { base64: 'oO68mZwLTvi7bWu5vTgKEQ==', subType: '04' } },
      ...{ day: '2024-02-29', at: { $date: { $numberLong: '1709208000123' } } },
      doc: { a: [{ $numberInt: '1' }, { $numberDouble: '2.5' }, 'x', null] },
      list: [{ $numberInt: '1' }, { $numberInt: '2' }],
    })
    expect(empty).toMatchObject({ _id: { $numberLong: '2' }, sku: '', n: null })
    expect((await documents('pair')).map((each) => BSON.EJSON.serialize(each))).toEqual([
      { _id: { a: 1, c: 'x' }, a: 1, c: 'x' },
    ])
    expect((await documents('loose')).map(({ word }) => word as unknown)).toEqual(['once', 'once'])
    expect(await to.schemaText()).toContain('sku_1_unique')

    await from.execute("UPDATE item SET at = '2024-01-01T00:00:00.123456Z' WHERE id = 2")
    const before = await to.digest()
    expect(await codeOf(hf.copy({ ...copied, acceptLossy: true }))).toMatchObject({ 0: 'refused.cells' })
    expect(await to.digest()).toEqual(before)
  },
)

server.it('a load that fails leaves the collections as they were, and nothing beside them', async () => {
  const database = scratch()
  await database.on(async (db) => {
    await db.collection('a').insertMany([{ n: new BSON.Int32(1) }, { n: new BSON.Int32(2) }])
    await db.collection('a').createIndex({ n: 1 }, { unique: true })
    await db.collection('b').insertOne({ x: 'y' })
    await db.createCollection(`holdfast_load_${Date.now() - 2 * 24 * 60 * 60 * 1000}_killed_0`)
  })
  const before = [(await database.digest())['a'], await database.schemaText()]
  const folder = await testFolder()
  const hf = await holdfastIn(folder, { databases: { shop: configOf(database) } })
  await hf.dump({ output: join(folder, 'out') })
  expect(filesBelow(join(folder, 'out'))).toEqual(['manifest.json', 'tables/a.ndjson', 'tables/b.ndjson'])
  const file = join(folder, 'out/tables/a.ndjson')
  const whole = readFileSync(file, 'utf8')
  const load = () => hf.load({ input: join(folder, 'out'), acceptEdits: true, confirm: true })
  const one = '{"$numberInt":"1"}'
  for (const [code, cell] of [
    ['refused.cells', '5'],
    ['refused.cells', '{"$numberInt":"x"}'],
    ['refused.constraint', '{"$numberInt":"2"}'],
  ] as const) {
    writeFileSync(file, whole.replace(one, cell))
    expect((await codeOf(load()))[0]).toBe(code)
    expect([(await database.digest())['a'], await database.schemaText()]).toEqual(before)
    expect(await database.tables()).toEqual(['a', 'b'])
  }
  writeFileSync(file, whole)
  expect(await load()).toMatchObject({ loaded: true })
  expect(await database.tables()).toEqual(['a', 'b'])
  expect([(await database.digest())['a'], await database.schemaText()]).toEqual(before)
  const some = await hf.dump({ output: join(folder, 'some'), where: { a: '{"n":{"$gt":1}}' } })
  expect(some.rows).toBe(2)
  expect(await codeOf(hf.dump({ output: join(folder, 'no'), where: { a: 'n > 1' } }))).toMatchObject({
    0: 'usage.invalid',
  })
})

server.it('the modes that keep documents add, leave, change and delete them, all or nothing', async () => {
  const database = scratch()
  const fill = () =>
    database.on(async (db) => {
      await db.dropCollection('people').catch(() => undefined)
      await db.collection<{ _id: number; n: string }>('people').insertMany([
        { _id: 1, n: 'there' },
        { _id: 2, n: 'there' },
      ])
      await db.collection('people').createIndex({ n: 1, _id: 1 }, { unique: true })
    })
  const folder = await testFolder()
  const input = join(folder, 'out')
  const hf = await holdfastIn(folder, { databases: { shop: configOf(database) } })
  const names = async () => {
    const found = await database.on((db) => db.collection('people').find().sort({ _id: 1 }).toArray())
    return found.map(({ _id, n }) => `${String(_id)} ${String(n)}`)
  }
  await database.on((db) =>
    db.collection<{ _id: number; n: string }>('people').insertMany([
      { _id: 2, n: 'sent' },
      { _id: 3, n: 'sent' },
    ]),
  )
  await hf.dump({ output: input })
  await fill()
  const schema = await database.schemaText()
  const refused = await codeOf(hf.load({ input, mode: 'append' }))
  expect(refused).toEqual(['refused.constraint', expect.stringMatching(/duplicate key.*people/u)])
  expect(await names()).toEqual(['1 there', '2 there'])
  for (const [mode, counts, after] of [
    ['skip', { inserted: 1, skipped: 1, updated: 0 }, ['1 there', '2 there', '3 sent']],
    ['update', { inserted: 1, skipped: 0, updated: 1 }, ['1 there', '2 sent', '3 sent']],
    ['sync', { inserted: 1, updated: 1, deleted: 1 }, ['2 sent', '3 sent']],
  ] as const) {
    await fill()
    const report = await hf.load({ input, mode, confirm: true })
    expect(report.tables).toMatchObject([counts])
    expect(await names()).toEqual(after)
    expect(await database.schemaText()).toBe(schema)
  }
  await database.on((db) => db.collection('people').deleteMany({}))
  expect((await hf.load({ input, mode: 'append' })).tables).toMatchObject([{ inserted: 2 }])

  // Whoever writes meanwhile would lose what was written: the load gives way.
  await fill()
  const text = readFileSync(join(input, 'tables/people.ndjson'), 'utf8')
  const footer = text.lastIndexOf('\n', text.length - 2) + 1
  const copied = async (db: Db) => {
    const names = (await db.listCollections().toArray()).map(({ name }) => name)
    return db.collection(names.find((name) => name.startsWith('holdfast_load_')) ?? 'none').countDocuments()
  }
  async function* disturbed() {
    yield text.slice(0, footer)
    await expect.poll(() => database.on(copied)).toBe(2)
    await database.on((db) =>
      db.collection<{ _id: number }>('people').updateOne({ _id: 1 }, { $set: { n: 'new' } }),
    )
    yield text.slice(footer)
  }
  expect(await codeOf(hf.load({ input: Readable.from(disturbed()), mode: 'skip' }))).toEqual([
    'database.busy',
    expect.stringContaining('somebody has changed people during the load'),
  ])
  expect(await names()).toEqual(['1 new', '2 there'])
  expect(await database.tables()).toEqual(['people'])
})

needsAll(server, needsPlaces('sqlite')).it('rows change the fields of their columns alone', async () => {
  const to = scratch()
  const from = await place(
    'sqlite',
    `CREATE TABLE item(a integer, b text, n integer, PRIMARY KEY (a, b)); CREATE TABLE loose(word text);
     INSERT INTO item VALUES (1, 'x', 5), (2, 'y', NULL); INSERT INTO loose VALUES ('once')`,
  )
  const hf = await holdfastIn(await testFolder(), { databases: { from: from.config, to: configOf(to) } })
  const copy = { from: 'from', to: 'to', create: true, acceptLossy: true, confirm: true }
  const fill = () =>
    to.on(async (db) => {
      await db.dropCollection('item').catch(() => undefined)
      const [id, other] = [(a: number, b: string) => ({ a, b }), { more: [1] }]
      await db
        .collection<{ _id: object }>('item')
        .insertMany([
          { _id: id(1, 'x'), ...other, a: 1, b: 'x', n: 4 } as { _id: object },
          { _id: id(9, 'z'), a: 9, b: 'z' } as { _id: object },
        ])
    })
  for (const [mode, counts, left] of [
    ['update', { inserted: 1, updated: 1, deleted: 0 }, [{ _id: { a: 9, b: 'z' }, a: 9, b: 'z' }]],
    ['sync', { inserted: 1, updated: 1, deleted: 1 }, []],
  ] as const) {
    await fill()
    const report = await hf.copy({ ...copy, mode, tables: ['item'] })
    expect(report.tables).toMatchObject([counts])
    const documents = await to.on((db) => db.collection('item').find().sort({ a: 1 }).toArray())
    expect(documents.map((each) => JSON.stringify(each))).toEqual(
      [
        { _id: { a: 1, b: 'x' }, more: [1], a: 1, b: 'x', n: 5 },
        { _id: { a: 2, b: 'y' }, a: 2, b: 'y', n: null },
        ...left,
      ].map((each) => JSON.stringify(each)),
    )
  }
  expect(await codeOf(hf.copy({ ...copy, mode: 'skip', tables: ['loose'] }))).toEqual([
    'usage.not-supported',
    'loose has no key to tell its rows by: load it with the mode replace or append',
  ])
})
