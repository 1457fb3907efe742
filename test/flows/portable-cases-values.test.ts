import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import {
  between,
  codeOf,
  loaderOf,
  on,
  place,
  placeNames,
  tableFile,
  type Place,
  type PlaceName,
} from './portable-places.js'

/** Values that are lost elsewhere, each on every engine that has them: none is changed without a word. */

const mysqls: readonly PlaceName[] = ['mariadb', 'mysql']

/** The lines of rows that a dump has of a table. */
async function dumpedRows(from: Place, table = 't'): Promise<readonly string[]> {
  const { hf, folder } = await loaderOf({ from })
  await hf.dump({ database: 'from' })
  const name = `tables/${from.config.engine === 'postgresql' ? 'public.' : ''}${table}.ndjson`
  return readFileSync(join(folder, 'datadir', name), 'utf8')
    .split('\n')
    .slice(1, -2)
}

/** Dumps, deletes, loads: the table holds the same as before. @returns the dumped rows */
async function survives(engine: PlaceName, schema: string): Promise<readonly string[]> {
  const there = await place(engine, schema)
  const { hf, folder } = await loaderOf({ there })
  const before = await there.state()
  await hf.dump()
  const name = engine === 'postgresql' ? 'public.t' : 't'
  const lines = readFileSync(join(folder, `datadir/tables/${name}.ndjson`), 'utf8').split('\n')
  await there.execute('DELETE FROM t')
  expect(await hf.load({ confirm: true })).toMatchObject({ loaded: true })
  expect(await there.state()).toEqual(before)
  return lines.slice(1, -2)
}

/** Loads rows by hand into `t`, which is as it was where that fails. */
async function loadedByHand(
  engine: PlaceName,
  schema: string,
  columns: string,
  rows: readonly string[],
  config: HoldfastConfig = {},
) {
  const target = await place(engine, schema)
  const before = await target.state()
  const { hf, folder } = await loaderOf({ target }, undefined, config)
  writeFileSync(
    join(folder, 't.ndjson'),
    tableFile('t', [`{"holdfast":1,"table":"t","cols":[${columns}]}`, ...rows]),
  )
  const [code, message] = await codeOf(
    hf.load({ input: 't.ndjson', acceptEdits: true, confirm: true, ignoreUnknown: false }),
  )
  if (code !== 'none') expect(await target.state()).toEqual(before)
  return { code, message, target }
}

/** Copies into another engine, whose tables are made. */
async function copied(
  from: Place,
  to: PlaceName,
  more: { acceptLossy?: boolean } = {},
  config: HoldfastConfig = {},
) {
  const target = await place(to)
  const { hf } = await loaderOf({ from, target }, undefined, config)
  const [code, message] = await codeOf(
    hf.copy({ from: 'from', to: 'target', create: true, confirm: true, ...more }),
  )
  if (code !== 'none') expect(await target.state()).toEqual({})
  return { code, message, target }
}

on(placeNames, 'case 1: a wide integer survives, and stands in quotes or is refused', async (engine) => {
  const schema = 'CREATE TABLE t(id bigint PRIMARY KEY, n bigint);\n'
  const rows = await survives(
    engine,
    `${schema}INSERT INTO t VALUES (1, 9007199254740993), (2, -9223372036854775808);\n`,
  )
  expect(rows).toEqual(['[1,"9007199254740993"]', '[2,"-9223372036854775808"]'])
  const { code, message } = await loadedByHand(
    engine,
    `${schema}INSERT INTO t VALUES (7, 7);\n`,
    '{"n":"id","t":"i64","pk":1},{"n":"n","t":"i64"}',
    ['[1,1]', '[2,9007199254740993]'],
  )
  expect([code, message]).toEqual([
    'integrity.format',
    expect.stringContaining('t.ndjson:3: 9007199254740993'),
  ])
})

for (const to of ['postgresql', 'sqlite'] as const)
  between(
    mysqls,
    to,
    'case 2: the largest unsigned integer is kept as another type, which is said first',
    async (engine) => {
      const from = await place(
        engine,
        'CREATE TABLE t(id bigint unsigned PRIMARY KEY);\nINSERT INTO t VALUES (18446744073709551615);\n',
      )
      expect(await copied(from, to)).toMatchObject({
        code: 'refused.lossy',
        message: expect.stringContaining('unsigned integer') as string,
      })
      const { code, target } = await copied(from, to, { acceptLossy: true })
      expect(code).toBe('none')
      expect(await target.ask('SELECT CAST(id AS text) AS id FROM t')).toEqual([['18446744073709551615']])
      const type = to === 'sqlite' ? 'typeof(id)' : 'pg_typeof(id)::text'
      expect(await target.ask(`SELECT ${type} AS type FROM t`)).toEqual([
        [to === 'sqlite' ? 'text' : 'numeric'],
      ])
    },
  )

on(mysqls, 'case 3: a FLOAT keeps all that it has', async (engine) => {
  const rows = await survives(
    engine,
    'CREATE TABLE t(id int PRIMARY KEY, f float);\nINSERT INTO t VALUES (1, 16777216), (2, 0.1), (3, 3.402823e38), (4, 1.17549435e-38);\n',
  )
  expect(rows).toEqual(['[1,16777216]', '[2,0.1]', '[3,3.402823e+38]', '[4,1.1754944e-38]'])
})

const floats = '{"n":"id","t":"i32","pk":1},{"n":"f","t":"f64"}'

on(['postgresql'], 'case 4: NaN, infinity and minus zero are exact', async (engine) => {
  const rows = await survives(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, d double precision, f real, n numeric);
     INSERT INTO t VALUES (1, 'NaN', 'NaN', 'NaN'), (2, 'Infinity', '-Infinity', 'Infinity'), (3, '-0', '-0', 0), (4, 5e-324, 1e-45, 0.10);`,
  )
  expect(rows).toEqual([
    '[1,"NaN","NaN","NaN"]',
    '[2,"Infinity","-Infinity","Infinity"]',
    '[3,"-0","-0","0"]',
    '[4,5e-324,1e-45,"0.10"]',
  ])
})

on(
  ['sqlite'],
  'case 4: infinity is exact; NaN and minus zero, which a REAL is not, are refused or replaced',
  async (engine) => {
    const schema = 'CREATE TABLE t(id INTEGER PRIMARY KEY, f REAL);\n'
    expect(await survives(engine, `${schema}INSERT INTO t VALUES (1, 9e999), (2, -9e999);`)).toEqual([
      '[1,"Infinity"]',
      '[2,"-Infinity"]',
    ])
    for (const cell of ['"NaN"', '"-0"']) {
      expect(await loadedByHand(engine, schema, floats, ['[1,1]', `[2,${cell}]`])).toMatchObject({
        code: 'refused.cells',
        message: expect.stringContaining('t.ndjson:3: f is') as string,
      })
      const allowed = { portable: { tables: { t: { cast: { f: 'allow' } } } } } as const
      const { target } = await loadedByHand(engine, schema, floats, [`[1,${cell}]`], allowed)
      expect(await target.ask('SELECT f FROM t')).toEqual([[cell === '"NaN"' ? null : 0]])
    }
  },
)

on(mysqls, 'case 4: NaN and infinity are refused, and -0 where it is not kept', async (engine) => {
  const schema = 'CREATE TABLE t(id int PRIMARY KEY, f double);\n'
  const lacking = ['"NaN"', '"Infinity"', '"-Infinity"', ...(engine === 'mariadb' ? ['"-0"'] : [])]
  for (const cell of lacking)
    expect(await loadedByHand(engine, schema, floats, ['[1,1]', `[2,${cell}]`])).toMatchObject({
      code: 'refused.cells',
      message: expect.stringContaining('t.ndjson:3: f is') as string,
    })
})
on(['mysql'], 'case 4: minus zero is exact', async (engine) => {
  const rows = await survives(
    engine,
    'CREATE TABLE t(id int PRIMARY KEY, d double, f float);\nINSERT INTO t VALUES (1, -0e0, -0e0), (2, 0, 0);\n',
  )
  expect(rows).toEqual(['[1,"-0","-0"]', '[2,0,0]'])
})

between(['postgresql'], 'sqlite', 'case 5: sixty digits stay sixty', async (engine) => {
  const digits = `${'1234567890'.repeat(4)}.${'0987654321'.repeat(2)}`
  const from = await place(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, n numeric); INSERT INTO t VALUES (1, ${digits}), (2, -${digits});`,
  )
  const { code, message, target } = await copied(from, 'sqlite')
  expect([code, message]).toEqual(['none', 'it has worked'])
  expect(await target.ask('SELECT n FROM t ORDER BY id')).toEqual([[digits], [`-${digits}`]])
  expect(await dumpedRows(target)).toEqual([`[1,"${digits}"]`, `[2,"-${digits}"]`])
})

on(
  placeNames,
  'case 6: a number with more decimals than its column has is refused, not rounded',
  async (engine) => {
    const schema = 'CREATE TABLE t(id int PRIMARY KEY, n decimal(5,2));\nINSERT INTO t VALUES (9, 1.5);\n'
    const columns = '{"n":"id","t":"i32","pk":1},{"n":"n","t":"numeric(8,3)"}'
    for (const cell of ['"12.345"', '12.345', '"1234.5"'])
      expect(await loadedByHand(engine, schema, columns, ['[1,"12.340"]', `[2,${cell}]`])).toMatchObject({
        code: 'refused.cells',
        message: expect.stringContaining('t.ndjson:3: n is') as string,
      })
    // However a number is written, it is compared by its value with what has arrived.
    const written = ['[1,"12.340"]', '[2,"+7.5"]', '[3,"007"]', '[4,"-0"]', '[5,-1.5]']
    const { code, target } = await loadedByHand(engine, schema, columns, written)
    expect(code).toBe('none')
    expect((await target.ask('SELECT n FROM t ORDER BY id')).flat().map(Number)).toEqual([
      12.34, 7.5, 7, 0, -1.5,
    ])
  },
)

between(
  ['sqlite'],
  'postgresql',
  'case 7: a text with NUL is refused by its row; without it only on request',
  async (engine) => {
    const from = await place(
      engine,
      "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'ok'), (2, 'a' || char(0) || 'b');",
    )
    expect(await dumpedRows(from)).toEqual(['[1,"ok"]', '[2,"a\\u0000b"]'])
    expect(await copied(from, 'postgresql')).toMatchObject({
      code: 'refused.cells',
      message: expect.stringMatching(/^t, row 2: s holds a NUL character/u) as string,
    })
    const allowed = { portable: { tables: { t: { cast: { s: 'allow' } } } } } as const
    const { target } = await copied(from, 'postgresql', {}, allowed)
    expect(await target.ask('SELECT s FROM t WHERE id = 2')).toEqual([['ab']])
  },
)

on(['sqlite'], 'case 7: a text with NUL is exact where the engine has it', async (engine) => {
  await survives(
    engine,
    "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'a' || char(0) || 'b');",
  )
})
on(mysqls, 'case 7: a text with NUL is exact where the engine has it', async (engine) => {
  await survives(
    engine,
    "CREATE TABLE t(id int PRIMARY KEY, s text);\nINSERT INTO t VALUES (1, CONCAT('a', CHAR(0), 'b'));\n",
  )
})

on(['sqlite'], 'case 8: a text that is not UTF-8 is exact to the byte', async (engine) => {
  const rows = await survives(
    engine,
    "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT)), (2, CAST(x'c328' AS TEXT));",
  )
  expect(rows).toEqual(['[1,{"~":"bytes","v":"Yf9i"}]', '[2,{"~":"bytes","v":"wyg="}]'])
})
for (const to of ['postgresql', 'mariadb', 'mysql'] as const)
  between(['sqlite'], to, 'case 8: a text that is not UTF-8 is refused by its row', async (engine) => {
    const from = await place(
      engine,
      "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT));",
    )
    expect(await copied(from, to)).toMatchObject({
      code: 'refused.cells',
      message: expect.stringContaining('t, row 1: s is not valid UTF-8') as string,
    })
  })

on(mysqls, 'case 9: an emoji is refused before utf8mb3 makes a question mark of it', async (engine) => {
  const schema = 'CREATE TABLE t(id int PRIMARY KEY, s varchar(20) CHARACTER SET utf8mb3);\n'
  expect(
    await loadedByHand(engine, schema, '{"n":"id","t":"i32","pk":1},{"n":"s","t":"text"}', [
      '[1,"é"]',
      '[2,"a😀"]',
    ]),
  ).toMatchObject({
    code: 'refused.cells',
    message: expect.stringContaining('t.ndjson:3: s holds a character outside of utf8mb3') as string,
  })
})

on(
  placeNames,
  'case 10: what other tools take for the end of a line does not end a record',
  async (engine) => {
    const separators = '\u2028\u2029\u0085\r\n\n\u000b\u000c'
    const schema = `CREATE TABLE t(id int PRIMARY KEY, s text);\nINSERT INTO t VALUES (1, 'a${separators}b'), (2, '\t\\\\N');\n`
    const rows = await survives(engine, schema)
    expect(rows.length).toBe(2)
    expect((JSON.parse(rows[0] ?? '') as unknown[])[1]).toBe(`a${separators}b`)
  },
)

on(placeNames, "case 11: '' and NULL stay apart", async (engine) => {
  const rows = await survives(
    engine,
    "CREATE TABLE t(id int PRIMARY KEY, s varchar(9));\nINSERT INTO t VALUES (1, ''), (2, NULL), (3, 'NULL'), (4, '\\\\N');\n",
  )
  expect(rows.slice(0, 3)).toEqual(['[1,""]', '[2,null]', '[3,"NULL"]'])
})

on(['postgresql'], 'case 12: microseconds, infinity and 44 BC are exact', async (engine) => {
  const rows = await survives(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, d date, s timestamp, z timestamptz);
     INSERT INTO t VALUES (1, '0044-03-15 BC', '0044-03-15 12:00:00.000001 BC', '0044-03-15 12:00:00.000001+00 BC'),
       (2, 'infinity', '-infinity', 'infinity'), (3, '5874897-12-31', '294276-12-31 23:59:59.999999', '2024-01-01 00:00:00.123456+02'),
       (4, '0001-12-31 BC', '0001-01-01', '4713-01-01 00:00+00 BC');`,
  )
  expect(rows).toEqual([
    '[1,"-0043-03-15","-0043-03-15T12:00:00.000001","-0043-03-15T12:00:00.000001Z"]',
    '[2,"infinity","-infinity","infinity"]',
    '[3,"5874897-12-31","294276-12-31T23:59:59.999999","2023-12-31T22:00:00.123456Z"]',
    '[4,"0000-12-31","0001-01-01T00:00:00","-4712-01-01T00:00:00Z"]',
  ])
})
for (const to of mysqls)
  between(['postgresql'], to, 'case 12: infinity and the years before 1 are refused', async (engine) => {
    for (const value of ['infinity', '0044-03-15 BC', '10000-01-01']) {
      const from = await place(
        engine,
        `CREATE TABLE t(id int PRIMARY KEY, d timestamp); INSERT INTO t VALUES (1, '${value}');`,
      )
      expect(await copied(from, to)).toMatchObject({
        code: 'refused.cells',
        message: expect.stringMatching(/row 1: d is .*: MySQL holds the years/u) as string,
      })
    }
  })

between(
  mysqls,
  'postgresql',
  'case 13: a zero date is refused, unless a rule says null, which no NOT NULL column takes',
  async (engine) => {
    const from = await place(
      engine,
      "SET sql_mode = '';\nCREATE TABLE t(id int PRIMARY KEY, d date, n date NOT NULL);\nINSERT INTO t VALUES (1, '0000-00-00', '2024-01-01'), (2, '2024-00-00', '2024-01-01');\n",
    )
    const allowed = (column: string) => ({
      portable: { tables: { t: { cast: { [column]: 'allow' as const } } } },
    })
    expect(await copied(from, 'postgresql')).toMatchObject({
      code: 'refused.cells',
      message: expect.stringContaining('t, row 1: d is the zero date 0000-00-00') as string,
    })
    const { target } = await copied(from, 'postgresql', {}, allowed('d'))
    expect(await target.ask('SELECT d FROM t')).toEqual([[null], [null]])
    await from.execute("SET sql_mode = '';\nUPDATE t SET n = '0000-00-00';\n")
    expect(
      (
        await copied(
          from,
          'postgresql',
          {},
          { portable: { tables: { t: { cast: { d: 'allow', n: 'allow' } } } } },
        )
      ).code,
    ).toBe('refused.cells')
  },
)
on(mysqls, 'case 13: a zero date is exact where the engine has it', async (engine) => {
  const rows = await survives(
    engine,
    "SET sql_mode = '';\nCREATE TABLE t(id int PRIMARY KEY, d date, s datetime(3));\nINSERT INTO t VALUES (1, '0000-00-00', '0000-00-00'), (2, '2024-00-00', '2024-05-00 10:00:00');\n",
  )
  expect(rows[0]).toBe('[1,{"~":"zerodate","v":"0000-00-00"},{"~":"zerodate","v":"0000-00-00 00:00:00.000"}]')
})

const zone = process.env['TZ']
afterEach(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

on(placeNames, 'case 14: the zone of whoever dumps shifts nothing', async (engine) => {
  process.env['TZ'] = 'America/New_York'
  expect(new Date('2024-01-01T00:00:00Z').getDate()).toBe(31)
  const zoned = engine === 'postgresql' ? 'timestamptz' : engine === 'sqlite' ? 'timestamptz' : 'timestamp'
  const at =
    engine === 'postgresql' || engine === 'sqlite'
      ? engine === 'sqlite'
        ? '2024-03-10 02:30:00+00:00'
        : '2024-03-10 02:30:00+00'
      : '2024-03-10 02:30:00'
  const session = mysqls.includes(engine) ? "SET time_zone = '+00:00';\n" : ''
  const rows = await survives(
    engine,
    `${session}CREATE TABLE t(id int PRIMARY KEY, d date, s ${engine === 'postgresql' ? 'timestamp' : 'datetime'}, z ${zoned} NULL);\nINSERT INTO t VALUES (1, '2024-01-01', '2024-03-10 02:30:00', '${at}');\n`,
  )
  expect(rows).toEqual(['[1,"2024-01-01","2024-03-10T02:30:00","2024-03-10T02:30:00Z"]'])
})

between(mysqls, 'postgresql', 'case 15: a tinyint(1) that holds 2 is no boolean', async (engine) => {
  const from = await place(
    engine,
    'CREATE TABLE t(id int PRIMARY KEY, b tinyint(1));\nINSERT INTO t VALUES (1, 1), (2, 2), (3, NULL);\n',
  )
  expect(await dumpedRows(from)).toEqual(['[1,true]', '[2,{"~":"integer","v":2}]', '[3,null]'])
  expect(await copied(from, 'postgresql')).toMatchObject({
    code: 'refused.cells',
    message: expect.stringContaining('t, row 2: b is 2, not a boolean') as string,
  })
})
on(mysqls, 'case 15: a tinyint(1) that holds 2 is exact where the engine has it', async (engine) => {
  await survives(
    engine,
    'CREATE TABLE t(id int PRIMARY KEY, b tinyint(1));\nINSERT INTO t VALUES (1, 1), (2, 2), (3, -128);\n',
  )
})

const hardJson = '{"b":12345678901234567890,"a":1.0,"a":2, "~":"x"}'

on(
  ['postgresql', 'sqlite', 'mariadb'],
  'case 16: JSON is exact to the letter where the engine keeps it',
  async (engine) => {
    const rows = await survives(
      engine,
      `CREATE TABLE t(id int PRIMARY KEY, j json);\nINSERT INTO t VALUES (1, '${hardJson}'), (2, '{"a":[1,"é"]}'), (3, 'null'), (4, ' [1] ');\n`,
    )
    expect(rows[0]).toBe(`[1,${JSON.stringify({ '~': 'jsontext', v: hardJson })}]`)
    expect(rows[1]).toBe('[2,{"a":[1,"é"]}]')
  },
)
for (const to of ['postgresql', 'mysql'] as const)
  between(
    ['postgresql', 'mariadb'],
    to,
    'case 16: JSON that is kept by its meaning only is said first',
    async (engine) => {
      const from = await place(
        engine,
        `CREATE TABLE t(id int PRIMARY KEY, j json);\nINSERT INTO t VALUES (1, '{"b":1,"a":1,"a":2}');\n`,
      )
      const target = await place(
        to,
        `CREATE TABLE t(id int PRIMARY KEY, j ${to === 'mysql' ? 'json' : 'jsonb'});\n`,
      )
      const { hf } = await loaderOf({ from, target })
      const request = { from: 'from', to: 'target', confirm: true }
      expect(await codeOf(hf.copy(request))).toEqual([
        'refused.lossy',
        expect.stringMatching(/t\.j: jsonb? keeps neither/u),
      ])
      expect(await target.ask('SELECT * FROM t')).toEqual([])
      expect(await hf.copy({ ...request, acceptLossy: true })).toMatchObject({ loaded: true })
      expect(await target.ask('SELECT CAST(j AS char(40)) AS j FROM t')).toEqual([
        [expect.stringMatching(/^\{"a": 2, "b": 1\}/u)],
      ])
    },
  )
for (const engine of ['postgresql', 'mysql'] as const)
  on([engine], 'case 16: JSON that is kept by its meaning survives', async () => {
    const type = engine === 'mysql' ? 'json' : 'jsonb'
    await survives(
      engine,
      `CREATE TABLE t(id int PRIMARY KEY, j ${type});\nINSERT INTO t VALUES (1, '{"b": [1, 2.50, {"~": "x"}], "a": "x y"}'), (2, 'null'), (3, '12345678901234567');\n`,
    )
  })

on(['postgresql'], 'case 17: arrays keep their bounds', async (engine) => {
  const rows = await survives(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, a int[], s text[]);
     INSERT INTO t VALUES (1, '[0:2]={1,2,3}', '{}'), (2, '{{1,2},{3,NULL}}', '{"a,b","NULL",NULL,"q\\"\\\\x",""}'), (3, NULL, '[-1:0][2:2]={{x},{y}}');`,
  )
  expect(rows).toEqual([
    '[1,"[0:2]={1,2,3}",[]]',
    '[2,[[1,2],[3,null]],["a,b","NULL",null,"q\\"\\\\x",""]]',
    '[3,null,"[-1:0][2:2]={{x},{y}}"]',
  ])
})

on(mysqls, "case 18: the invalid value '' of an ENUM is not its label ''", async (engine) => {
  const rows = await survives(
    engine,
    "SET sql_mode = '';\nCREATE TABLE t(id int PRIMARY KEY, e enum('', 'a'));\nINSERT INTO t VALUES (1, 0), (2, ''), (3, 'a'), (4, NULL);\n",
  )
  expect(rows).toEqual(['[1,{"~":"enum","v":0}]', '[2,""]', '[3,"a"]', '[4,null]'])
})
between(
  mysqls,
  'postgresql',
  "case 18: the invalid value '' of an ENUM is refused elsewhere",
  async (engine) => {
    const from = await place(
      engine,
      "SET sql_mode = '';\nCREATE TABLE t(id int PRIMARY KEY, e enum('', 'a'));\nINSERT INTO t VALUES (1, ''), (2, 0);\n",
    )
    expect(await copied(from, 'postgresql')).toMatchObject({
      code: 'refused.cells',
      message: expect.stringContaining("t, row 2: e is the invalid value ''") as string,
    })
  },
)
