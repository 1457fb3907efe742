import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { needsAll, needsPostgis } from '../servers/needs.js'
import {
  between,
  codeOf,
  loaderOf,
  needsPlaces,
  on,
  place,
  tableFile,
  type PlaceName,
} from './portable-places.js'

/** Every type that an engine has, as cells and back, and what becomes of it elsewhere. */

/** Dumps, deletes, loads: the table holds the same as before. @returns the dumped rows, and the types of the columns */
async function survives(engine: PlaceName, schema: string) {
  const there = await place(engine, schema)
  const { hf, folder } = await loaderOf({ there })
  const before = await there.state()
  await hf.dump({ output: 'all.ndjson' })
  const [, header = '{}', ...lines] = readFileSync(join(folder, 'all.ndjson'), 'utf8').split('\n')
  await there.execute('DELETE FROM t')
  expect(await hf.load({ input: 'all.ndjson', confirm: true })).toMatchObject({ loaded: true })
  expect(await there.state()).toEqual(before)
  const { cols } = JSON.parse(header) as {
    readonly cols: readonly { readonly n: string; readonly t: string }[]
  }
  const rows = lines.slice(0, -3).map((line) => JSON.parse(line) as readonly unknown[])
  return {
    there,
    hf,
    /** By column: its type, and its cells. */
    found: Object.fromEntries(cols.map(({ n, t }, at) => [n, [t, ...rows.map((row) => row[at])]])),
  }
}

on(['postgresql'], 'numbers may have a scale beyond their precision, or before the point', async (engine) => {
  const { found } = await survives(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, small numeric(2,4), hundreds numeric(3,-2));
     INSERT INTO t VALUES (1, 0.0012, 12300), (2, -0.0099, -99900), (3, 0, 0);`,
  )
  expect(found).toEqual({
    id: ['i32', 1, 2, 3],
    small: ['numeric(2,4)', '0.0012', '-0.0099', '0.0000'],
    hundreds: ['numeric(3,-2)', '12300', '-99900', '0'],
  })
})

on(['postgresql'], 'the types of PostgreSQL are exact, each in its canonical form', async (engine) => {
  const { found } = await survives(
    engine,
    `CREATE EXTENSION hstore; CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'it''s, "ok"');
     CREATE DOMAIN small AS smallint CHECK (VALUE > 0);
     CREATE TABLE t(id int PRIMARY KEY, i2 smallint, o oid, r real, c char(5), vc varchar(9), ti time, tz timetz, iv interval, u uuid, ine inet, ci cidr, mac macaddr,
       rng int4range, tsr tstzrange, mr int4multirange, h hstore, p pair, x xml, tv tsvector, e mood, d small, b bit(5), vb varbit, m money, pt point,
       ia interval[], ea mood[], na numeric[], pa pair[], ba boolean[], one "char", lsn pg_lsn);
     INSERT INTO t VALUES (1, -32768, 4294967295, 0.1, 'ab', 'ab  ', '24:00:00', '12:00:00.5+05:30', '-1 year 2 mons -3 days 04:05:06.000007',
       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '[1,5)', '["2024-01-01 00:00:00+00",)', '{[1,2),[5,9)}',
       '"a"=>"x, \\"y\\"", "b"=>NULL', '(1,"x ""q"" \\\\ ,")', '<a b="c">d &amp; e</a>', '''a'':1A ''b c'':2', 'it''s, "ok"', 7, '10110', '101', '12.34', '(1,-2.5)',
       '{"1 day","01:00:00",NULL}', '{sad,"it''s, \\"ok\\""}', '{1.50,NaN}', '{"(1,x)"}', '{t,f,NULL}', 'x', '16/B374D848');
     INSERT INTO t VALUES (2);`,
  )
  expect(found).toEqual({
    id: ['i32', 1, 2],
    i2: ['i16', -32768, null],
    o: ['u32', 4294967295, null],
    r: ['f32', 0.1, null],
    c: ['text', 'ab   ', null],
    vc: ['text', 'ab  ', null],
    ti: ['time', '24:00:00', null],
    tz: ['timetz', '12:00:00.5+05:30', null],
    iv: ['interval', 'P-10M-3DT4H5M6.000007S', null],
    u: ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null],
    ine: ['native', '::1/64', null],
    ci: ['native', '10.0.0.0/8', null],
    mac: ['native', '08:00:2b:01:02:03', null],
    rng: ['native', '[1,5)', null],
    tsr: ['native', '["2024-01-01 00:00:00+00",)', null],
    mr: ['native', '{[1,2),[5,9)}', null],
    h: ['native', '"a"=>"x, \\"y\\"", "b"=>NULL', null],
    p: ['native', '(1,"x ""q"" \\\\ ,")', null],
    x: ['native', '<a b="c">d &amp; e</a>', null],
    tv: ['native', "'a':1A 'b c':2", null],
    e: ['enum', 'it\'s, "ok"', null],
    d: ['i16', 7, null],
    b: ['bit(5)', '10110', null],
    vb: ['bit', '101', null],
    m: ['native', '$12.34', null],
    pt: ['native', '(1,-2.5)', null],
    ia: ['native', '{P1D,PT1H,NULL}', null],
    ea: ['enum[]', ['sad', 'it\'s, "ok"'], null],
    na: ['numeric[]', ['1.50', 'NaN'], null],
    pa: ['native', '{"(1,x)"}', null],
    ba: ['bool[]', [true, false, null], null],
    one: ['native', 'x', null],
    lsn: ['native', '16/B374D848', null],
  })
})

on(['mariadb', 'mysql'], 'the types of MySQL are exact, each in its canonical form', async (engine) => {
  const own = engine === 'mariadb' ? ', u uuid, ip inet6' : ''
  const values = engine === 'mariadb' ? ", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1'" : ''
  const nulls = engine === 'mariadb' ? ', NULL, NULL' : ''
  const { found } = await survives(
    engine,
    `CREATE TABLE t(id int unsigned PRIMARY KEY, ti tinyint, mi mediumint unsigned, n decimal(65,30), y year, t0 time(6), t1 time, t2 time(3), b bit(12), b1 bit(1),
       e enum('a,b', 'it''s'), s set('x', 'y z'), c char(5), v varchar(9), bi binary(4), vb varbinary(9), g point, ls geometry${own});
     INSERT INTO t VALUES (4294967295, -128, 16777215, 12345678901234567890123456789012345.000000000000000000000000000001, 1901, '23:59:59.000001', '838:59:59', '-01:00:00.500',
       b'101', b'1', 'it''s', 'x,y z', 'ab', 'ab  ', 'a', x'00ff', ST_GeomFromText('POINT(1 -2.5)'), ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)${values});
     INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, '', NULL, '', NULL, NULL${nulls});\n`.replace(
      /;\n\s+INSERT/gu,
      ';\nINSERT',
    ),
  )
  expect(found).toEqual({
    id: ['u32', 1, 4294967295],
    ti: ['i8', null, -128],
    mi: ['u24', null, 16777215],
    n: ['numeric(65,30)', null, '12345678901234567890123456789012345.000000000000000000000000000001'],
    y: ['year', null, 1901],
    t0: ['time', null, '23:59:59.000001'],
    t1: ['time', null, { '~': 'interval', v: 'PT838H59M59S' }],
    t2: ['time', null, { '~': 'interval', v: 'PT-1H-0M-0.5S' }],
    b: ['bit(12)', null, '000000000101'],
    b1: ['bit(1)', null, '1'],
    e: ['enum', null, "it's"],
    s: ['set', [], ['x', 'y z']],
    c: ['text', null, 'ab'],
    v: ['text', '', 'ab  '],
    bi: ['bytes', null, 'YQAAAA=='],
    vb: ['bytes', '', 'AP8='],
    g: ['geometry', null, '0101000000000000000000F03F00000000000004C0'],
    ls: [
      'geometry',
      null,
      '0102000020E61000000200000000000000000000000000000000000000000000000000F03F000000000000F03F',
    ],
    ...(engine === 'mariadb'
      ? { u: ['uuid', null, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'], ip: ['native', null, '::1'] }
      : {}),
  })
})

on(['sqlite'], 'a value of another class than its column is exact, with its class', async (engine) => {
  const { found } = await survives(
    engine,
    `CREATE TABLE t(id INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, b BLOB, n NUMERIC, bo BOOLEAN, d DATE, at DATETIME, j JSON, u UUID, anything);
     INSERT INTO t VALUES (1, 'one', 'x', x'00', 'text', 'n', 'yes', '1 May', 20240101, 'no json', 'u', 'a text');
     INSERT INTO t VALUES (2, 1.5, x'ff', CAST(x'ff' AS TEXT), 7, x'01', 2, 2460000.5, 1700000000, x'7b7d', 5, 1);
     INSERT INTO t VALUES (3, x'0a', 9223372036854775807, 'ok', 1.5, 1e300, 1.5, x'00', 1.5, 1, x'00', 2.5);
     INSERT INTO t VALUES (4, 9223372036854775807, 1, '', x'', 0.1, 1, '2024-02-29', '2024-02-29 12:00:00', '{"a":1}', NULL, x'00');`,
  )
  expect(found['i']).toEqual([
    'i64',
    { '~': 'text', v: 'one' },
    { '~': 'real', v: 1.5 },
    { '~': 'blob', v: 'Cg==' },
    '9223372036854775807',
  ])
  expect(found['s']).toEqual(['text', { '~': 'blob', v: 'AA==' }, { '~': 'bytes', v: '/w==' }, 'ok', ''])
  expect(found['bo']).toEqual([
    'bool',
    { '~': 'text', v: 'yes' },
    { '~': 'integer', v: 2 },
    { '~': 'real', v: 1.5 },
    true,
  ])
  expect(found['anything']).toEqual([
    'text',
    'a text',
    { '~': 'integer', v: 1 },
    { '~': 'real', v: 2.5 },
    { '~': 'blob', v: 'AA==' },
  ])
})

for (const through of ['sqlite', 'mariadb', 'mysql'] as const)
  between(['postgresql'], through, 'the types of PostgreSQL come back through another engine', async () => {
    const schema = `CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE t(id int PRIMARY KEY, ti time, tz timetz, iv interval, u uuid, ine inet, rng int4range, e mood, b bit(5), ia int[], na numeric[], j json, by bytea, d date, f real, x xml);`
    const [from, back] = [await place('postgresql', schema), await place('postgresql', schema)]
    // MySQL keeps of a JSON text what it means, and not its blanks.
    const json = through === 'mysql' ? '{"a":[1]}' : '{"a": [1]}'
    await from.execute(
      `INSERT INTO t VALUES (1, '12:00:00.5', '12:00:00.5+05:30', '-1 year 2 mons -3 days 04:05:06.000007', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '[1,5)', 'ok', '10110', '{1,NULL}', '{1.50}', '${json}', '\\x00ff', '2024-02-29', 0.1, '<a/>');
       INSERT INTO t VALUES (2)`,
    )
    const { hf } = await loaderOf({ from, back, through: await place(through) })
    const refused = await codeOf(hf.copy({ from: 'from', to: 'through', create: true }))
    expect(refused).toEqual(['refused.lossy', expect.stringContaining('t.tz: ')])
    await hf.copy({ from: 'from', to: 'through', create: true, acceptLossy: true })
    await hf.copy({ from: 'through', to: 'back', confirm: true })
    expect(await back.content()).toEqual(await from.content())
  })

on(['mariadb', 'mysql'], 'what a type would change in silence is said', async (engine) => {
  const target = await place(
    engine,
    'CREATE TABLE t(id int PRIMARY KEY, c char(5), v varchar(3), b binary(4));\n',
  )
  const { hf, folder } = await loaderOf({ target })
  const load = (row: string) => {
    const cols = '{"n":"id","t":"i32","pk":1},{"n":"c","t":"text"},{"n":"v","t":"text"},{"n":"b","t":"bytes"}'
    writeFileSync(
      join(folder, 't.ndjson'),
      tableFile('t', [`{"holdfast":1,"table":"t","cols":[${cols}]}`, row]),
    )
    return codeOf(hf.load({ input: 't.ndjson', acceptEdits: true, confirm: true }))
  }
  for (const [row, said] of [
    ['[1,"ab ",null,null]', 'c ends in blanks'],
    ['[1,null,"abc ",null]', 'v has 4 characters'],
    ['[1,null,null,"AP8="]', 'b has 2 bytes'],
  ] as const)
    expect(await load(row)).toEqual(['refused.cells', expect.stringContaining(said)])
  expect((await load('[1,"ab","ab ","AAECAw=="]'))[0]).toBe('none')
})

on(['postgresql'], 'what a type would change in silence is said', async (engine) => {
  const target = await place(engine, 'CREATE TABLE t(id int PRIMARY KEY, c char(5), v varchar(3))')
  const { hf, folder } = await loaderOf({ target })
  const load = (row: string, acceptLossy: boolean) => {
    const cols = '{"n":"id","t":"i32","pk":1},{"n":"c","t":"text"},{"n":"v","t":"text"}'
    writeFileSync(
      join(folder, 't.ndjson'),
      tableFile('t', [`{"holdfast":1,"table":"t","cols":[${cols}]}`, row]),
    )
    return codeOf(hf.load({ input: 't.ndjson', acceptEdits: true, confirm: true, acceptLossy }))
  }
  expect(await load('[1,"ab","abc"]', false)).toEqual([
    'refused.lossy',
    expect.stringContaining('t.c: character(n) fills up'),
  ])
  expect(await load('[1,"ab","abc "]', true)).toEqual([
    'refused.cells',
    expect.stringContaining('v has 4 characters'),
  ])
  expect((await load('[1,"ab","abc"]', true))[0]).toBe('none')
})

between(
  ['mariadb', 'mysql'],
  'postgresql',
  'a time of more than a day is an interval elsewhere',
  async (engine) => {
    const from = await place(
      engine,
      "CREATE TABLE t(id int PRIMARY KEY, t time);\nINSERT INTO t VALUES (1, '838:59:59'), (2, '23:00:00'), (3, '-01:00:00');\n",
    )
    const to = await place('postgresql', 'CREATE TABLE t(id int PRIMARY KEY, t interval)')
    const { hf } = await loaderOf({
      from,
      to,
      day: await place('postgresql', 'CREATE TABLE t(id int PRIMARY KEY, t time)'),
    })
    await hf.copy({ from: 'from', to: 'to', confirm: true })
    expect(await to.ask('SELECT t::text FROM t ORDER BY id')).toEqual([
      ['838:59:59'],
      ['23:00:00'],
      ['-01:00:00'],
    ])
    expect(await codeOf(hf.copy({ from: 'from', to: 'day', confirm: true }))).toEqual([
      'refused.cells',
      expect.stringContaining('t, row 1: t is PT838H59M59S, which is no time of day'),
    ])
  },
)

needsPlaces('postgresql').it('rows that a policy hides are an error, not fewer rows', async () => {
  const from = await place(
    'postgresql',
    'CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY;',
  )
  const user = `reader_${Date.now()}`
  await from.execute(`CREATE ROLE ${user} LOGIN PASSWORD 'x'; GRANT SELECT ON t TO ${user}`)
  onTestFinished(() => from.execute(`DROP OWNED BY ${user}; DROP ROLE ${user}`))
  const { hf, folder } = await loaderOf({
    from: { ...from, config: { ...from.config, user, password: 'x' } },
  })
  expect(await codeOf(hf.dump())).toEqual([
    expect.stringMatching(/^database\./u),
    expect.stringContaining('t'),
  ])
  expect(existsSync(join(folder, 'datadir/manifest.json'))).toBe(false)
})

needsAll(needsPlaces('postgresql', 'mariadb'), needsPostgis()).it(
  'geometry goes between PostGIS, MariaDB and SQLite with its SRID; where there is no such type it is bytes',
  async () => {
    const places = {
      from: await place(
        'postgresql',
        `CREATE EXTENSION postgis; CREATE TABLE t(id int PRIMARY KEY, p public.geometry(Point, 4326), any_ public.geometry, g public.geography);
        INSERT INTO t VALUES (1, 'SRID=4326;POINT(1 -2.5)', 'SRID=3857;LINESTRING(0 0,1 1)', 'POINT(1 2)'); INSERT INTO t VALUES (2)`,
      ),
      gis: await place('postgresql', 'CREATE EXTENSION postgis'),
      plain: await place('postgresql'),
      mariadb: await place('mariadb'),
      sqlite: await place('sqlite'),
      back: await place(
        'postgresql',
        'CREATE EXTENSION postgis; CREATE TABLE t(id int PRIMARY KEY, p public.geometry(Point, 4326), any_ public.geometry, g public.geography)',
      ),
    }
    const { hf } = await loaderOf(places)
    const content = await places.from.content()
    expect(await hf.copy({ from: 'from', to: 'gis', create: true })).toMatchObject({ losses: [] })
    expect(await places.gis.content()).toEqual(content)
    for (const to of ['plain', 'sqlite'] as const) {
      expect(await codeOf(hf.copy({ from: 'from', to, create: true }))).toEqual([
        'refused.lossy',
        expect.stringContaining('t.p: geometry becomes bytes (EWKB)'),
      ])
      await hf.copy({ from: 'from', to, create: true, acceptLossy: true })
      await hf.copy({ from: to, to: 'back', confirm: true })
      expect(await places.back.content()).toEqual(content)
    }
    await hf.copy({ from: 'from', to: 'mariadb', create: true })
    expect(await places.mariadb.ask('SELECT ST_AsText(p) AS t, ST_SRID(p) AS s FROM t WHERE id = 1')).toEqual(
      [['POINT(1 -2.5)', 4326]],
    )
    await hf.copy({ from: 'mariadb', to: 'back', confirm: true })
    expect(await places.back.content()).toEqual(content)
  },
)
