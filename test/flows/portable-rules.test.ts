import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { codeOf, loaderOf, on, place, placeNames, tableFile } from './portable-places.js'

/** What fills columns, which tables go into a dump, and what a load compares before it begins. */

on(['sqlite'], 'null is not missing: a rule fires on null only where it says so', async (engine) => {
  const schema = 'CREATE TABLE t(id INTEGER PRIMARY KEY, role TEXT, nick TEXT, day TEXT, at TEXT, code TEXT)'
  const target = await place(engine, schema)
  const { hf, folder } = await loaderOf({ target })
  const cols = '{"n":"id","t":"i64","pk":1},{"n":"role","t":"text"},{"n":"nick","t":"text"}'
  const rules =
    '{"role":["value","user"],"nick":["reference","role",{"on":["missing","null"]}],"day":["date","2024-02-29"],"at":["time","now"],"code":["concat",["role","/","id"]]}'
  const lines = [
    `{"holdfast":1,"table":"t","cols":[${cols}],"default":${rules}}`,
    '[1,"r",null]',
    '[2,null,"n"]',
    '[3,null,null]',
  ]
  writeFileSync(join(folder, 't.ndjson'), tableFile('t', lines))
  await hf.load({ input: 't.ndjson', acceptEdits: true, confirm: true })
  expect(await target.ask('SELECT id, role, nick, day, code FROM t ORDER BY id')).toEqual([
    [1, 'r', 'r', '2024-02-29', 'r/1'],
    [2, null, 'n', '2024-02-29', '/2'],
    [3, null, null, '2024-02-29', '/3'],
  ])
  // One instant for the whole load.
  const times = await target.ask('SELECT DISTINCT at FROM t')
  expect(times).toEqual([[expect.stringMatching(/^\d\d:\d\d:\d\d$/u)]])
})

const made = {
  sqlite: 'INTEGER',
  postgresql: 'bigint',
  mariadb: 'bigint',
  mysql: 'bigint',
} as const

on(
  placeNames,
  'tables that are made have their defaults and indexes, and what is not made is listed',
  async (engine) => {
    const from = await place(
      engine,
      `CREATE TABLE t(id ${made[engine]} PRIMARY KEY, role varchar(9) NOT NULL DEFAULT 'user', n ${made[engine]} DEFAULT 7, a varchar(9), b varchar(9));\nCREATE INDEX by_a_b ON t(a, b);\nINSERT INTO t (id) VALUES (1);\n`,
    )
    const to = await place(engine)
    const { hf, folder } = await loaderOf({ from, to })
    await hf.dump({ database: 'from', output: 'one.ndjson' })
    expect(await hf.load({ database: 'to', input: 'one.ndjson', create: true })).toMatchObject({ losses: [] })
    await to.execute('INSERT INTO t (id) VALUES (2);\n')
    expect((await to.ask('SELECT role, n FROM t ORDER BY id')).map((row) => row.map(String))).toEqual([
      ['user', '7'],
      ['user', '7'],
    ])
    await hf.dump({ database: 'to', output: 'two.ndjson' })
    const header = (name: string) => {
      const line = readFileSync(join(folder, name), 'utf8').split('\n')[1] ?? ''
      const { cols, index } = JSON.parse(line) as { cols: readonly Record<string, unknown>[]; index: unknown }
      return { index, cols: cols.map(({ n, t, null: nullable, def }) => ({ n, t, nullable, def })) }
    }
    expect(header('two.ndjson')).toEqual(header('one.ndjson'))
    expect(header('one.ndjson').index).toEqual([['a', 'b']])
  },
)

on(
  ['sqlite'],
  'a dump takes the tables and groups that are named, without those that are excluded',
  async (engine) => {
    const names = ['orders', 'order_lines', 'users', 'logs']
    const from = await place(
      engine,
      names.map((name) => `CREATE TABLE ${name}(id INTEGER PRIMARY KEY)`).join(';'),
    )
    const { hf } = await loaderOf({ from }, undefined, {
      portable: { groups: { shop: ['order*', 'users'] } },
    })
    const dumped = async (request: Parameters<typeof hf.dump>[0]) =>
      (await hf.dump(request)).tables.map(({ table }) => table).sort()
    expect(await dumped({})).toEqual([...names].sort())
    expect(await dumped({ tables: ['order*'] })).toEqual(['order_lines', 'orders'])
    expect(await dumped({ groups: ['shop'], exclude: ['order_*'] })).toEqual(['orders', 'users'])
    expect(await dumped({ tables: ['shop', 'logs'] })).toEqual([...names].sort())
    expect((await codeOf(dumped({ exclude: ['*s'] })))[0]).toBe('usage.pattern-unmatched')
  },
)

on(
  ['sqlite'],
  'a target whose migrations are behind, or others, is refused without force',
  async (engine) => {
    const knex = (...applied: readonly string[]) =>
      `CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE knex_migrations(id INTEGER PRIMARY KEY, name TEXT, batch INTEGER, migration_time TEXT);
     ${applied.map((name) => `INSERT INTO knex_migrations(name, batch) VALUES ('${name}', 1)`).join(';')}`
    const places = {
      from: await place(engine, knex('1.js', '2.js')),
      equal: await place(engine, knex('1.js', '2.js')),
      ahead: await place(engine, knex('1.js', '2.js', '3.js')),
      behind: await place(engine, knex('1.js')),
      other: await place(engine, knex('1.js', 'x.js')),
    }
    const { hf } = await loaderOf(places)
    expect((await hf.dump({ database: 'from' })).tables.map(({ table }) => table)).toEqual(['t'])
    const load = (database: string, force = false) => codeOf(hf.load({ database, confirm: true, force }))
    for (const well of ['equal', 'ahead']) expect((await load(well))[0]).toBe('none')
    expect(await load('behind')).toEqual([
      'refused.migrations',
      expect.stringContaining('it is behind the dump: it lacks the migrations (knex) 2.js'),
    ])
    expect(await load('other')).toEqual(['refused.migrations', expect.stringContaining('it lacks 2.js')])
    expect((await load('behind', true))[0]).toBe('none')
  },
)
