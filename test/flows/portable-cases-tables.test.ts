import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import type { LoadRequest } from '../../src/operations/portable-requests.js'
import { mask } from '../../src/portable/masks/mask.js'
import {
  codeOf,
  loaderOf,
  on,
  place,
  placeNames,
  tableFile,
  type Place,
  type PlaceName,
} from './portable-places.js'

/** Keys, references, next ids, changed tables and damaged files, each on every engine that has them. */

/** How each engine writes a column that numbers itself and is the key. */
const numbered: Readonly<Record<PlaceName, string>> = {
  sqlite: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  postgresql: 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  mariadb: 'bigint PRIMARY KEY AUTO_INCREMENT',
  mysql: 'bigint PRIMARY KEY AUTO_INCREMENT',
}

/** A file of several tables, as by hand, and its load. */
async function handLoader(
  target: Place,
  files: Readonly<Record<string, readonly string[]>>,
  config: HoldfastConfig = {},
) {
  const { hf, folder } = await loaderOf({ target }, undefined, config)
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(folder, `${name}.ndjson`), tableFile(name, lines))
  return (table: string, more: Omit<LoadRequest, 'input'> = {}) =>
    hf.load({ input: `${table}.ndjson`, acceptEdits: true, confirm: true, ...more })
}

async function idOf(there: Place, insert: string, table = 't'): Promise<number> {
  const before = Number((await there.ask(`SELECT coalesce(max(id), 0) AS id FROM ${table}`)).flat()[0])
  await there.execute(`${insert};\n`)
  const ids = (await there.ask(`SELECT id FROM ${table} WHERE id > ${before}`)).flat().map(Number)
  expect(ids.length).toBe(1)
  return ids[0] ?? 0
}

on(placeNames, 'case 19: generated columns are not dumped, and the same when loaded', async (engine) => {
  const virtual = engine === 'postgresql' ? '' : ', w bigint GENERATED ALWAYS AS (a * 3) VIRTUAL'
  const there = await place(
    engine,
    `CREATE TABLE t(id int PRIMARY KEY, a bigint, v bigint GENERATED ALWAYS AS (a * 2) STORED${virtual});\nINSERT INTO t (id, a) VALUES (1, 21), (2, NULL);\n`,
  )
  const { hf, folder } = await loaderOf({ there })
  const before = await there.ask('SELECT * FROM t ORDER BY id')
  await hf.dump({ output: 'all.ndjson' })
  expect(readFileSync(join(folder, 'all.ndjson'), 'utf8')).toContain('\n[1,21]\n[2,null]\n')
  await there.execute('UPDATE t SET a = 5')
  await hf.load({ input: 'all.ndjson', confirm: true })
  expect(await there.ask('SELECT * FROM t ORDER BY id')).toEqual(before)
})

on(
  placeNames,
  'case 20: a column that numbers itself is loaded, and the next insert gets the dumped next',
  async (engine) => {
    const there = await place(engine, `CREATE TABLE t(id ${numbered[engine]}, s varchar(9));\n`)
    for (const s of ['a', 'b', 'c', 'd']) await there.execute(`INSERT INTO t (s) VALUES ('${s}');\n`)
    await there.execute('DELETE FROM t WHERE id > 2;\n')
    const { hf } = await loaderOf({ there })
    await hf.dump()
    await there.execute("INSERT INTO t (s) VALUES ('e'), ('f'), ('g');\n")
    await hf.load({ confirm: true })
    expect((await there.ask('SELECT id FROM t ORDER BY id')).flat().map(Number)).toEqual([1, 2])
    // A counter of MySQL's never goes back below what a session has seen; the others are where the dump was.
    expect(await idOf(there, "INSERT INTO t (s) VALUES ('next')")).toBe(5)
  },
)

on(placeNames, 'case 21: the next id of an empty table is 1', async (engine) => {
  const from = await place(engine, `CREATE TABLE t(id ${numbered[engine]}, s varchar(9));\n`)
  const to = await place(engine)
  const { hf } = await loaderOf({ from, to })
  await hf.dump({ database: 'from' })
  await hf.load({ database: 'to', create: true })
  expect(await idOf(to, "INSERT INTO t (s) VALUES ('first')")).toBe(1)
})

on(placeNames, 'case 22: a failure at the last row leaves rows and next ids as they were', async (engine) => {
  const there = await place(
    engine,
    `CREATE TABLE t(id ${numbered[engine]}, s varchar(9) UNIQUE NOT NULL);\nINSERT INTO t (s) VALUES ('a'), ('b');\n`,
  )
  const before = await there.state()
  const rows = Array.from({ length: 3000 }, (_, index) => `[${index + 10},"s${index}"]`)
  const header =
    '{"holdfast":1,"table":"t","cols":[{"n":"id","t":"i64","pk":1},{"n":"s","t":"text"}],"seq":{"id":{"next":"9000","inc":"1"}}}'
  for (const [last, code] of [
    ['[5000,"s7"]', 'refused.constraint'],
    ['[11,"z"]', 'refused.constraint'],
    ['[5000,null]', 'refused.cells'],
    ['[5000', 'integrity.format'],
  ] as const) {
    const load = await handLoader(there, { t: [header, ...rows, last] })
    expect(await codeOf(load('t'))).toEqual([code, expect.anything()])
    expect(await there.state()).toEqual(before)
  }
  expect(await idOf(there, "INSERT INTO t (s) VALUES ('c')")).toBe(3)
})

on(
  placeNames,
  'case 23: a table that refers to itself loads, children before their parents',
  async (engine) => {
    const there = await place(
      engine,
      'CREATE TABLE t(id int PRIMARY KEY, boss int, CONSTRAINT own FOREIGN KEY (boss) REFERENCES t(id));\n',
    )
    const header = '{"holdfast":1,"table":"t","cols":[{"n":"id","t":"i32","pk":1},{"n":"boss","t":"i32"}]}'
    const load = await handLoader(there, { t: [header, '[1,2]', '[2,3]', '[3,null]'] })
    for (const mode of ['replace', 'update', 'sync'] as const)
      expect(await load('t', { mode })).toMatchObject({ loaded: true, tables: [{ rows: 3 }] })
    expect(await there.ask('SELECT count(boss) AS n FROM t').then((rows) => Number(rows.flat()[0]))).toBe(2)
  },
)

/** A database as a user sees it who may make tables, and is nothing beside. */
async function asOrdinary(made: Place): Promise<Place & { readonly user: string }> {
  const [user, password] = [`owner_${randomBytes(4).toString('hex')}`, randomBytes(8).toString('hex')]
  await made.execute(
    `CREATE ROLE ${user} LOGIN PASSWORD '${password}'; GRANT CREATE, USAGE ON SCHEMA public TO ${user};`,
  )
  onTestFinished(() => made.execute(`DROP OWNED BY ${user}; DROP ROLE ${user};`))
  return {
    ...made,
    user,
    execute: (sql) => made.execute(`SET ROLE ${user}; ${sql}`),
    config: { ...made.config, user, password },
  }
}

on(
  placeNames,
  'case 24: two tables that need each other load, and an orphan takes all of it back',
  async (engine) => {
    const there = engine === 'postgresql' ? await asOrdinary(await place(engine)) : await place(engine)
    const tables = [
      'CREATE TABLE a(id int PRIMARY KEY, b int NOT NULL',
      'CREATE TABLE b(id int PRIMARY KEY, a int NOT NULL',
    ]
    await there.execute(
      engine === 'sqlite'
        ? `PRAGMA foreign_keys = OFF; ${tables[0]} REFERENCES b(id)); ${tables[1]} REFERENCES a(id)); INSERT INTO a VALUES (1, 2), (3, 4); INSERT INTO b VALUES (2, 3), (4, 1);`
        : [
            `${tables[0]})`,
            `${tables[1]}, CONSTRAINT to_a FOREIGN KEY (a) REFERENCES a(id))`,
            'INSERT INTO a VALUES (1, 2), (3, 4)',
            'INSERT INTO b VALUES (2, 3), (4, 1)',
            'ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES b(id)',
          ].join(';\n'),
    )
    const { hf, folder } = await loaderOf({ there })
    const before = await there.state()
    await hf.dump({ output: 'all.ndjson' })
    await hf.load({ input: 'all.ndjson', confirm: true })
    expect(await there.state()).toEqual(before)
    const file = join(folder, 'all.ndjson')
    writeFileSync(file, readFileSync(file, 'utf8').replace('[4,1]', '[4,77]'))
    expect(await codeOf(hf.load({ input: 'all.ndjson', confirm: true, acceptEdits: true }))).toEqual([
      'refused.constraint',
      expect.stringMatching(engine === 'postgresql' ? /to_a/u : /1 of b \(a\) to a/u),
    ])
    expect(await there.state()).toEqual(before)
    if (engine === 'postgresql')
      expect(await there.ask('SELECT count(*)::int AS n FROM pg_constraint WHERE condeferrable')).toEqual([
        [0],
      ])
  },
)

on(['postgresql'], 'a circle that cannot be deferred is refused, with the reason', async () => {
  const there = await place('postgresql')
  const [owner, guest] = [await asOrdinary(there), await asOrdinary(there)]
  await owner.execute(`CREATE TABLE a(id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b(id int PRIMARY KEY, a int NOT NULL REFERENCES a);
    INSERT INTO a VALUES (1, 2); INSERT INTO b VALUES (2, 1); ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES b(id);`)
  await owner.execute(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${guest.user};`)
  const { hf } = await loaderOf({ guest })
  const before = await there.state()
  await hf.dump()
  expect(await codeOf(hf.load({ confirm: true }))).toEqual([
    'database.denied',
    expect.stringMatching(/to_b.*circle.*owner/u),
  ])
  expect(await there.state()).toEqual(before)
})

on(placeNames, 'case 25: a row that refers to nothing is found, and taken back', async (engine) => {
  const there = await place(
    engine,
    'CREATE TABLE p(id int PRIMARY KEY);\nCREATE TABLE c(id int PRIMARY KEY, p int, CONSTRAINT of_p FOREIGN KEY (p) REFERENCES p(id));\nINSERT INTO p VALUES (1);\nINSERT INTO c VALUES (1, 1);\n',
  )
  const before = await there.state()
  const header = '{"holdfast":1,"table":"c","cols":[{"n":"id","t":"i32","pk":1},{"n":"p","t":"i32"}]}'
  const load = await handLoader(there, { c: [header, '[5,1]', '[6,null]', '[7,99]'] })
  for (const mode of ['replace', 'append', 'update'] as const) {
    expect(await codeOf(load('c', { mode }))).toEqual([
      'refused.constraint',
      expect.stringMatching(/of_p|of c \(p\) to p/u),
    ])
    expect(await there.state()).toEqual(before)
  }
})

const cascading =
  "CREATE TABLE users(id int PRIMARY KEY, name varchar(9));\nCREATE TABLE orders(id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE);\nINSERT INTO users VALUES (1, 'a'), (2, 'b');\nINSERT INTO orders VALUES (10, 1), (20, 2);\n"

on(
  placeNames,
  'case 26: users alone are not replaced where their orders would go with them',
  async (engine) => {
    const there = await place(engine, cascading)
    const before = await there.state()
    const header =
      '{"holdfast":1,"table":"users","cols":[{"n":"id","t":"i32","pk":1},{"n":"name","t":"text"}]}'
    const load = await handLoader(there, { users: [header, '[1,"x"]'] })
    for (const mode of ['replace', 'sync'] as const) {
      expect(await codeOf(load('users', { mode }))).toEqual([
        'refused.referenced',
        expect.stringContaining('orders refers to'),
      ])
      expect(await there.state()).toEqual(before)
    }
  },
)

/** What sets `updated_at` at each change that does not name it. */
const touching: Readonly<Record<PlaceName, string>> = {
  sqlite: `ALTER TABLE users ADD updated_at TEXT DEFAULT 'old';
    CREATE TRIGGER touch AFTER UPDATE OF name ON users BEGIN UPDATE users SET updated_at = 'new' WHERE id = NEW.id; END;`,
  postgresql: `ALTER TABLE users ADD updated_at text DEFAULT 'old';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := 'new'; RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();`,
  mariadb:
    "ALTER TABLE users ADD updated_at timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP;\n",
  mysql:
    "ALTER TABLE users ADD updated_at timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP;\n",
}

on(
  placeNames,
  'case 27: a changed parent keeps its children, and the time of its last change',
  async (engine) => {
    const there = await place(engine, cascading)
    await there.execute(touching[engine])
    const untouched = await there.ask('SELECT DISTINCT CAST(updated_at AS char(20)) AS at FROM users')
    const header =
      '{"holdfast":1,"table":"users","cols":[{"n":"id","t":"i32","pk":1},{"n":"name","t":"text"}]}'
    const load = await handLoader(there, { users: [header, '[1,"x"]', '[3,"c"]'] })
    expect(await load('users', { mode: 'update' })).toMatchObject({ tables: [{ inserted: 1, updated: 1 }] })
    expect(await there.ask('SELECT name FROM users ORDER BY id')).toEqual([['x'], ['b'], ['c']])
    expect((await there.ask('SELECT id FROM orders ORDER BY id')).flat().map(Number)).toEqual([10, 20])
    expect(await there.ask('SELECT DISTINCT CAST(updated_at AS char(20)) AS at FROM users')).toEqual(
      untouched,
    )
    // What keeps the time is there again.
    await there.execute("UPDATE users SET name = 'y' WHERE id = 1")
    expect((await there.ask('SELECT DISTINCT CAST(updated_at AS char(20)) AS at FROM users')).length).toBe(2)
  },
)

on(
  placeNames,
  'case 28: renamed, dropped and added columns follow their rules, which a dry run lists',
  async (engine) => {
    const there = await place(
      engine,
      "CREATE TABLE t(id int PRIMARY KEY, email varchar(20) NOT NULL, role varchar(9) NOT NULL, nick varchar(20) NOT NULL, seen varchar(9) DEFAULT 'never', extra int);\n",
    )
    const cols =
      '{"n":"id","t":"i32","pk":1},{"n":"mail","t":"text"},{"n":"fax","t":"text"},{"n":"phone","t":"text"}'
    const rules =
      '"renamed_from":{"email":"mail"},"default":{"role":["value","user"],"nick":["reference","mail"]}'
    const lines = [
      `{"holdfast":1,"table":"t","cols":[${cols}],${rules}}`,
      '[1,"a@x","1",null]',
      '[2,"b@x","2",null]',
    ]
    const config: HoldfastConfig = { portable: { tables: { t: { drop: ['fax'] } } } }
    const load = await handLoader(there, { t: lines }, config)
    expect(await codeOf(load('t'))).toEqual(['refused.schema', expect.stringContaining('t has no phone')])
    const told = {
      matched: ['id'],
      renamed: [{ column: 'email', from: 'mail' }],
      filled: [
        { column: 'role', by: 'value "user"' },
        { column: 'nick', by: 'reference "mail"' },
        { column: 'seen', by: 'the database' },
        { column: 'extra', by: 'null' },
      ],
      dropped: [
        { column: 'fax', values: 2 },
        { column: 'phone', values: 0 },
      ],
    }
    expect(await load('t', { dryRun: true })).toMatchObject({ loaded: false, tables: [{ rows: 2, ...told }] })
    expect(await there.ask('SELECT id FROM t')).toEqual([])
    expect(await load('t', { ignoreUnknown: true })).toMatchObject({ loaded: true, tables: [told] })
    expect(await there.ask('SELECT email, role, nick, seen, extra FROM t ORDER BY id')).toEqual([
      ['a@x', 'user', 'a@x', 'never', null],
      ['b@x', 'user', 'b@x', 'never', null],
    ])
  },
)

on(
  placeNames,
  'case 29: a file that was cut or edited is refused; the edited one is taken on request',
  async (engine) => {
    const there = await place(
      engine,
      "CREATE TABLE t(id int PRIMARY KEY, s varchar(9));\nINSERT INTO t VALUES (1, 'a'), (2, 'b');\n",
    )
    const before = await there.state()
    const { hf, folder } = await loaderOf({ there })
    await hf.dump({ output: 'all.ndjson' })
    const file = join(folder, 'all.ndjson')
    const whole = readFileSync(file, 'utf8')
    for (const cut of [
      whole.slice(0, whole.indexOf('[2,')),
      whole.slice(0, whole.lastIndexOf('{')),
      whole.slice(0, -1),
    ]) {
      writeFileSync(file, cut)
      expect((await codeOf(hf.load({ input: 'all.ndjson', confirm: true, acceptEdits: true })))[0]).toBe(
        'integrity.truncated',
      )
    }
    writeFileSync(file, whole.replace('"b"', '"z"'))
    expect((await codeOf(hf.load({ input: 'all.ndjson', confirm: true })))[0]).toBe('integrity.checksum')
    expect(await there.state()).toEqual(before)
    await hf.load({ input: 'all.ndjson', confirm: true, acceptEdits: true })
    expect(await there.ask('SELECT s FROM t ORDER BY id')).toEqual([['a'], ['z']])
  },
)

on(
  placeNames,
  'case 30: a masked subset keeps joins and uniqueness, names what no rule is for, and is not the whole',
  async (engine) => {
    const schema = `CREATE TABLE users(mail varchar(40) PRIMARY KEY, name varchar(20));
    CREATE TABLE orders(id int PRIMARY KEY, mail varchar(40) NOT NULL, CONSTRAINT by_mail FOREIGN KEY (mail) REFERENCES users(mail));\n`
    const [from, to] = [await place(engine, schema), await place(engine, schema)]
    await from.execute(
      "INSERT INTO users VALUES ('ada@work.test', 'Ada'), ('bob@work.test', 'Bob'), ('eve@work.test', 'Eve');\n",
    )
    await from.execute(
      "INSERT INTO orders VALUES (1, 'ada@work.test'), (2, 'bob@work.test'), (3, 'ada@work.test'), (9, 'eve@work.test');\n",
    )
    const config: HoldfastConfig = {
      databases: { to: { protected: true }, loose: { protected: false } },
      mask: {
        mode: 'allowlist',
        key: 'a key of this test',
        users: { mail: mask.email(), name: mask.name() },
        orders: { id: mask.keep() },
      },
      subset: { roots: { orders: 'id < 4' } },
    }
    const { hf } = await loaderOf({ from, to, loose: to }, undefined, config)
    await hf.dump({ database: 'from', subset: true })
    const [whole, name] = [
      'to',
      (to.config as { name?: string }).name ?? (to.config as { url: string }).url.slice('sqlite:'.length),
    ]
    expect(await codeOf(hf.load({ database: whole, confirmName: name, confirm: true }))).toEqual([
      'refused.protected',
      expect.stringContaining('masked and only a part of its rows'),
    ])
    expect(await to.ask('SELECT * FROM orders')).toEqual([])
    await hf.load({ database: 'loose', confirm: true })
    const joined = await to.ask(
      'SELECT o.id, u.mail FROM orders o JOIN users u ON u.mail = o.mail ORDER BY o.id',
    )
    const [ada, bob, again] = joined.map(([, mail]) => mail)
    expect(joined.length).toBe(3)
    expect([ada === again, ada === bob, String(ada).includes('work.test')]).toEqual([true, false, false])
    expect((await to.ask('SELECT mail FROM users')).length).toBe(2)
    await from.execute('ALTER TABLE users ADD phone varchar(20);\n')
    expect(await codeOf(hf.dump({ database: 'from' }))).toEqual([
      expect.anything(),
      expect.stringContaining('phone'),
    ])
  },
)
