import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { DatabaseConfig, HoldfastConfig } from '../../src/config/config.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { createHoldfast, type Holdfast } from '../../src/holdfast.js'
import { ScratchDatabase as MongoScratch } from '../../src/engines/mongodb/test-database.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import type { Difference } from '../../src/operations/reports.js'
import type { BackupRequest } from '../../src/operations/requests.js'
import type { ConnectionSettings } from '../../src/engine/engine.js'
import { needsServer, type Need } from '../servers/needs.js'
import { contentOf, execute, holdfastIn, resultOf, testFolder } from './workbench.js'

/** Something that may be wrong with a restored database, how to put it right, and what is to be said of it. */
type Damage = readonly [name: string, damage: string, undo: string, found: Partial<Difference>]

interface Subject {
  readonly title: string
  readonly need: Need
  readonly make: () => Promise<Live>
  readonly connectors: readonly string[]
  readonly tables: number
  readonly damages: readonly Damage[]
}

interface Live {
  readonly connection: DatabaseConfig
  /** For the connector that needs to be told where its programs are. */
  readonly tools?: DatabaseConfig
  readonly copy: string
  execute(sql: string): Promise<void>
  drop(): Promise<void>
}

const itemsTable = 'table items'
const rows = (id: number) => `(${id}, 'item ${id}', ${id}.125, ${id % 2 === 1 ? 'NULL' : `''`})`
const ids = Array.from({ length: 200 }, (_, index) => index + 1)
const filled = [
  `INSERT INTO items (id, name, amount, note) VALUES ${ids.map(rows).join(', ')};`,
  `INSERT INTO pieces (item, what) VALUES ${ids.map((id) => `(${id}, 'piece of ${id}')`).join(', ')};`,
].join('\n')

/** Wrong in the same words on every engine that speaks SQL. */
function damagesOf(prefix: string): readonly Damage[] {
  const items = itemsTable.replace(' ', ` ${prefix}`)
  return [
    [
      'a row is lost',
      'DELETE FROM items WHERE id = 7',
      `INSERT INTO items (id, name, amount, note) VALUES ${rows(7)}`,
      { object: items, what: 'rows', expected: '200 rows', found: '199 rows' },
    ],
    [
      'a row is doubled',
      `INSERT INTO pieces (item, what) VALUES (7, 'piece of 7')`,
      `DELETE FROM pieces WHERE item = 7; INSERT INTO pieces (item, what) VALUES (7, 'piece of 7')`,
      { object: `table ${prefix}pieces`, what: 'rows', found: '201 rows' },
    ],
    [
      'one byte is another',
      `UPDATE items SET name = 'Item 9' WHERE id = 9`,
      `UPDATE items SET name = 'item 9' WHERE id = 9`,
      { object: items, what: 'content' },
    ],
    [
      'a NULL is an empty text',
      `UPDATE items SET note = '' WHERE id = 11`,
      'UPDATE items SET note = NULL WHERE id = 11',
      { object: items, what: 'content' },
    ],
    [
      'a number is rounded',
      'UPDATE items SET amount = 13.1 WHERE id = 13',
      'UPDATE items SET amount = 13.125 WHERE id = 13',
      { object: items, what: 'content' },
    ],
    [
      'two rows have changed their values',
      `UPDATE items SET amount = CASE id WHEN 20 THEN 21.125 ELSE 20.125 END WHERE id IN (20, 21)`,
      `UPDATE items SET amount = CASE id WHEN 20 THEN 20.125 ELSE 21.125 END WHERE id IN (20, 21)`,
      { object: items, what: 'content' },
    ],
  ]
}

const always: Need = { missing: undefined, title: (text) => text, describe, it }
const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')
const mongodb = needsServer('mongodb')

const subjects: readonly Subject[] = [
  {
    title: 'PostgreSQL',
    need: postgresql,
    connectors: ['pg-dump-custom', 'pg-dump', 'pg-parallel'],
    tables: 3,
    async make() {
      const database = await new TestDatabase(postgresql.server()).make()
      await database.execute(`
        CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL, amount numeric, gone int, note text);
        ALTER TABLE items DROP COLUMN gone;
        CREATE INDEX items_name ON items (name);
        CREATE TABLE pieces (item int, what text);
        CREATE TYPE mood AS ENUM ('calm', 'wild');
        CREATE TABLE odd (m mood, j jsonb, f float8, r real, a text[], t timestamptz, c char(4), b bytea, x xml, p point, d numeric(6,2));
        INSERT INTO odd VALUES ('wild', '{"a": 1.0}', 0.1, 0.2, ARRAY['x', NULL, ''], now(), 'ab', '\\x00ff', '<a/>', '(1,2)', 1.5),
          (NULL, NULL, 'NaN', '-0', '{}', NULL, NULL, '', NULL, NULL, 'NaN');
        CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100;
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER kept BEFORE INSERT ON items FOR EACH ROW EXECUTE PROCEDURE keep();
        ${filled}
        SELECT setval('items_id_seq', 200)`)
      return serverSubject(database.connection, database.name, {
        execute: (sql) => database.execute(sql),
        drop: async () => {
          await new TestDatabase(postgresql.server(), `${database.name}_copy`).drop()
          await database.drop()
        },
      })
    },
    damages: [
      ...damagesOf('public.'),
      [
        'an index is missing',
        'DROP INDEX items_name',
        'CREATE INDEX items_name ON items (name)',
        { object: 'index public.items_name', what: 'missing' },
      ],
      [
        'a sequence is behind',
        `SELECT setval('items_id_seq', 5)`,
        `SELECT setval('items_id_seq', 200)`,
        { object: 'counter public.items_id_seq', what: 'counter', expected: 'next 201', found: 'next 6' },
      ],
      [
        'a view is missing',
        'DROP VIEW dear',
        'CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100',
        { object: 'view public.dear', what: 'missing' },
      ],
      [
        'a trigger is missing',
        'DROP TRIGGER kept ON items',
        'CREATE TRIGGER kept BEFORE INSERT ON items FOR EACH ROW EXECUTE PROCEDURE keep()',
        { object: 'trigger public.items.kept', what: 'missing' },
      ],
    ],
  },
  {
    title: 'MariaDB',
    need: mariadb,
    connectors: ['mysqldump'],
    tables: 3,
    async make() {
      const database = await new ScratchDatabase(mariadb.server(), 'mariadb').create('CHARACTER SET utf8mb4')
      const statements = [
        `CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, amount decimal(12,4), note text, KEY items_name (name))`,
        `CREATE TABLE pieces (item int, what text)`,
        `CREATE TABLE odd (j json, f double, r float, t timestamp(3) NULL, b varbinary(10), l longblob, e enum('a','b'), y year, i bit(5), c char(4) CHARACTER SET latin1, g point)`,
        `INSERT INTO odd VALUES ('{"a": 1.0}', 0.1, 0.2, '2026-11-27 12:00:00.5', x'00ff', x'ff00', 'b', 2026, b'101', 'é', POINT(1, 2)), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
        `CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100`,
        `CREATE TRIGGER kept BEFORE INSERT ON items FOR EACH ROW SET @seen = NEW.id`,
        ...filled.split('\n'),
        'ALTER TABLE items AUTO_INCREMENT = 301',
      ]
      await database.run(statements)
      return serverSubject(database.connection, database.name, {
        execute: (sql) => database.run(sql.split('; ')),
        drop: async () => {
          await new ScratchDatabase(mariadb.server(), 'mariadb', `${database.name}_copy`).drop()
          await database.drop()
        },
      })
    },
    damages: [
      ...damagesOf(''),
      [
        'an index is missing',
        'ALTER TABLE items DROP KEY items_name',
        'ALTER TABLE items ADD KEY items_name (name)',
        { object: 'index items.items_name', what: 'missing' },
      ],
      [
        'a sequence is behind',
        'ALTER TABLE items AUTO_INCREMENT = 250',
        'ALTER TABLE items AUTO_INCREMENT = 301',
        { object: 'counter items', what: 'counter', expected: 'next 301', found: 'next 250' },
      ],
      [
        'a view is missing',
        'DROP VIEW dear',
        'CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100',
        { object: 'view dear', what: 'missing' },
      ],
      [
        'a trigger is missing',
        'DROP TRIGGER kept',
        'CREATE TRIGGER kept BEFORE INSERT ON items FOR EACH ROW SET @seen = NEW.id',
        { object: 'trigger kept', what: 'missing' },
      ],
      [
        'an encoding is another',
        'ALTER DATABASE CHARACTER SET latin1',
        'ALTER DATABASE CHARACTER SET utf8mb4',
        { object: 'database', what: 'encoding', expected: 'utf8mb4', found: 'latin1' },
      ],
    ],
  },
  {
    title: 'SQLite',
    need: always,
    connectors: ['sqlite-backup', 'sqlite-dump', 'sqlite-copy'],
    tables: 2,
    async make() {
      const folder = await nodeEnv().temporaryDirectory()
      const path = join(folder.path, 'shop.sqlite3')
      const make = `
        CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, amount REAL, note TEXT);
        CREATE INDEX items_name ON items (name);
        CREATE TABLE pieces (item INT, what TEXT);
        CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100;
        CREATE TRIGGER kept BEFORE INSERT ON items BEGIN SELECT 1; END;
        ${filled}`
      execute(path, make)
      return {
        connection: { engine: 'sqlite', name: path },
        copy: `sqlite:${join(folder.path, 'copy.sqlite3')}`,
        execute: (sql) => {
          execute(path, sql)
          return Promise.resolve()
        },
        drop: () => folder.remove(),
      }
    },
    damages: [
      ...damagesOf(''),
      [
        'an index is missing',
        'DROP INDEX items_name',
        'CREATE INDEX items_name ON items (name)',
        { object: 'index items_name', what: 'missing' },
      ],
      [
        'a sequence is behind',
        'UPDATE sqlite_sequence SET seq = 5',
        'UPDATE sqlite_sequence SET seq = 200',
        { object: 'counter items', what: 'counter', expected: 'next 201', found: 'next 6' },
      ],
      [
        'a view is missing',
        'DROP VIEW dear',
        'CREATE VIEW dear AS SELECT * FROM items WHERE amount > 100',
        { object: 'view dear', what: 'missing' },
      ],
      [
        'a trigger is missing',
        'DROP TRIGGER kept',
        'CREATE TRIGGER kept BEFORE INSERT ON items BEGIN SELECT 1; END',
        { object: 'trigger kept', what: 'missing' },
      ],
    ],
  },
  {
    title: 'MongoDB',
    need: mongodb,
    connectors: ['mongodump', 'mongodb-driver'],
    tables: 1,
    async make() {
      const database = await new MongoScratch(mongodb.server()).create()
      const documents = ids.map((id) => ({
        _id: id,
        name: `item ${id}`,
        amount: id + 0.125,
        note: id % 2 === 1 ? null : '',
      }))
      await database.execute(
        JSON.stringify([
          { insert: 'items', documents },
          { createIndexes: 'items', indexes: [{ key: { name: 1 }, name: 'by_name' }] },
        ]),
      )
      const tools = mongodb.server().binDirectory
      return serverSubject(database.connection, database.name, {
        tools: {
          dumpCommand: [join(tools, 'mongodump')],
          restoreCommand: [join(tools, 'mongorestore')],
        },
        execute: (sql) => database.execute(sql),
        drop: async () => {
          await new MongoScratch(mongodb.server(), `${database.name}_copy`).drop()
          await database.drop()
        },
      })
    },
    damages: [
      [
        'a document is lost',
        '[{"delete":"items","deletes":[{"q":{"_id":7},"limit":1}]}]',
        '[{"insert":"items","documents":[{"_id":7,"name":"item 7","amount":7.125,"note":null}]}]',
        { object: itemsTable, what: 'rows', found: '199 rows' },
      ],
      [
        'a document is doubled',
        '[{"insert":"items","documents":[{"_id":700,"name":"item 7","amount":7.125,"note":null}]}]',
        '[{"delete":"items","deletes":[{"q":{"_id":700},"limit":1}]}]',
        { object: itemsTable, what: 'rows', found: '201 rows' },
      ],
      [
        'one byte is another',
        '[{"update":"items","updates":[{"q":{"_id":9},"u":{"$set":{"name":"Item 9"}}}]}]',
        '[{"update":"items","updates":[{"q":{"_id":9},"u":{"$set":{"name":"item 9"}}}]}]',
        { object: itemsTable, what: 'content' },
      ],
      [
        'a null is an empty text',
        '[{"update":"items","updates":[{"q":{"_id":11},"u":{"$set":{"note":""}}}]}]',
        '[{"update":"items","updates":[{"q":{"_id":11},"u":{"$set":{"note":null}}}]}]',
        { object: itemsTable, what: 'content' },
      ],
      [
        'a number is rounded',
        '[{"update":"items","updates":[{"q":{"_id":13},"u":{"$set":{"amount":13.1}}}]}]',
        '[{"update":"items","updates":[{"q":{"_id":13},"u":{"$set":{"amount":13.125}}}]}]',
        { object: itemsTable, what: 'content' },
      ],
      [
        'an index is missing',
        '[{"dropIndexes":"items","index":"by_name"}]',
        '[{"createIndexes":"items","indexes":[{"key":{"name":1},"name":"by_name"}]}]',
        { object: 'index items.by_name', what: 'missing' },
      ],
    ],
  },
]

function serverSubject(
  { engine, host, port, user, password, parameters }: ConnectionSettings,
  name: string,
  rest: Pick<Live, 'tools' | 'execute' | 'drop'>,
): Live {
  return {
    connection: {
      engine,
      name,
      parameters,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    },
    copy: `${name}_copy`,
    ...rest,
  }
}

for (const { title, need, make, connectors, tables, damages } of subjects) {
  need.describe(`fingerprints: ${title}`, () => {
    let subject: Live
    let hf: Holdfast

    beforeAll(async () => {
      subject = await make()
      const { connection, tools } = subject
      hf = await createHoldfast({
        databases: {
          shop: connection,
          ...(tools === undefined ? {} : { tools: { ...connection, ...tools } }),
        },
        fingerprint: 'content',
        storages: { main: { driver: 'memory' } },
        serverName: 'test',
      })
    })
    afterAll(async () => {
      await hf.close()
      await subject.drop()
    })

    it.each(connectors)('what %s has dumped comes back, and is shown to be the same', async (connector) => {
      const database = connector === 'mongodump' ? 'tools' : 'shop'
      const { backup } = resultOf(await hf.backup({ databases: [database], connector }))
      const { fingerprint } = (await hf.show()).manifest
      expect(backup?.manifest.fingerprint).toEqual(fingerprint)
      expect(fingerprint?.unproven).toBeUndefined()
      expect(fingerprint?.tables).toHaveLength(tables)
      for (const table of fingerprint?.tables ?? []) expect(table.digest).toMatch(/^-?[0-9a-f]+$/u)
      const exists = connector !== connectors[0]
      const { comparison } = await hf.restore({
        database,
        to: subject.copy,
        ...(exists ? { clean: 'database' } : { create: true }),
        safetyBackup: false,
        confirm: true,
      })
      expect(comparison).toEqual({ level: 'content', tables, differences: [], unproven: [] })
    })

    it('every damage is caught and named', async () => {
      const same = await hf.diff({ database: 'shop' })
      expect(same.comparison.differences).toEqual([])
      for (const [name, damage, undo, found] of damages) {
        await subject.execute(damage)
        const { comparison } = await hf.diff({ database: 'shop' })
        await subject.execute(undo)
        expect(comparison.differences, name).toEqual([expect.objectContaining(found)])
      }
      expect((await hf.diff({ database: 'shop' })).comparison.differences).toEqual([])
    })
  })
}

describe('an encoding that is another is caught and named', () => {
  const comparison = {
    tables: 1,
    differences: [{ object: 'database', what: 'encoding' }],
    unproven: [expect.stringContaining('digests of rows are not compared')],
  }

  postgresql.it('PostgreSQL', async () => {
    const database = await new TestDatabase(postgresql.server()).make()
    const other = await new TestDatabase(postgresql.server()).make(
      `ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    )
    try {
      await database.execute(`CREATE TABLE items (name text); INSERT INTO items VALUES ('é')`)
      const { connection } = serverSubject(database.connection, database.name, database)
      const hf = await holdfastIn('.', { databases: { shop: connection }, storages: { main: 'memory:' } })
      resultOf(await hf.backup({ fingerprint: 'content' }))
      await expect(hf.restore({ to: other.name, confirm: true })).rejects.toMatchObject({
        code: 'integrity.differs',
        details: { comparison },
      })
    } finally {
      await Promise.all([database.drop(), other.drop()])
    }
  })

  it('SQLite', async () => {
    const folder = await testFolder()
    const [path, items] = [
      join(folder, 'a.sqlite3'),
      `CREATE TABLE items (name TEXT); INSERT INTO items VALUES ('é')`,
    ]
    execute(path, items)
    const hf = await holdfastIn(folder, { databases: { shop: 'sqlite:./a.sqlite3' } })
    resultOf(await hf.backup({ fingerprint: 'content' }))
    rmSync(path)
    execute(path, `PRAGMA encoding = 'UTF-16le'; ${items}`)
    expect(await hf.diff()).toMatchObject({ comparison })
  })
})

describe('a dump and its fingerprint are of one moment', () => {
  /** Adds rows to two tables for as long as the work goes on, each time to both at once. */
  async function whileWriting<Result>(write: (at: number) => Promise<void>, work: () => Promise<Result>) {
    let [going, at] = [true, 1_000]
    const writing = (async () => {
      while (going) await write((at += 1))
    })()
    try {
      return await work()
    } finally {
      going = false
      await writing
    }
  }

  async function proven(live: Live, write: (at: number) => Promise<void>, changes: DatabaseConfig = {}) {
    const hf = await holdfastIn('.', {
      databases: { shop: live.connection, account: { ...live.connection, ...changes } },
      storages: { main: { driver: 'memory' } },
    })
    const { backup } = resultOf(
      await whileWriting(write, () => hf.backup({ databases: ['account'], fingerprint: 'content' })),
    )
    const { comparison } = await hf.restore({
      database: 'shop',
      fromDatabase: 'account',
      to: live.copy,
      create: true,
      confirm: true,
    })
    return { comparison, fingerprint: backup?.manifest.fingerprint }
  }

  const both = (at: number) => [
    `INSERT INTO items (id, name, amount, note) VALUES ${rows(at)}`,
    `INSERT INTO pieces (item, what) VALUES (${at}, 'late')`,
  ]

  it.skipIf(postgresql.missing !== undefined)(postgresql.title('PostgreSQL'), async () => {
    const subject = subjects[0]
    const live = await subject?.make()
    if (live === undefined) return
    try {
      const { comparison } = await proven(live, (at) => live.execute(both(at).join(';')))
      expect(comparison).toEqual({ level: 'content', tables: 3, differences: [], unproven: [] })
    } finally {
      await live.drop()
    }
  })

  mariadb.describe('MariaDB', () => {
    const write = (live: Live) => (at: number) =>
      live.execute(['START TRANSACTION', ...both(at), 'COMMIT'].join('; '))

    it('with a lock on the server', async () => {
      const live = await subjects[1]?.make()
      if (live === undefined) return
      try {
        const { comparison } = await proven(live, write(live))
        expect(comparison).toEqual({ level: 'content', tables: 3, differences: [], unproven: [] })
      } finally {
        await live.drop()
      }
    })

    it.each([
      ['with locks on the tables', ', LOCK TABLES', undefined],
      ['without the right to lock it is unproven, and says why', '', 'writers could not be held up'],
    ])('%s', async (_name, privilege, why) => {
      const live = await subjects[1]?.make()
      if (live === undefined) return
      const name = String(live.connection.name)
      const user = `u_${name}`
      const account = { user, password: `pw-of-${user}`, exclude: [] }
      await live.execute(
        `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'pw-of-${user}'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT${privilege} ON ${name}.* TO '${user}'@'127.0.0.1'`,
      )
      try {
        const { comparison, fingerprint } = await proven(live, write(live), account)
        expect(fingerprint?.level).toBe(why === undefined ? 'content' : 'none')
        expect(comparison?.differences).toEqual([])
        expect(comparison?.tables).toBe(why === undefined ? 3 : 0)
        expect(comparison?.unproven.join()).toContain(why ?? '')
      } finally {
        await live.execute(`DROP USER '${user}'@'127.0.0.1'`)
        await live.drop()
      }
    })
  })
})

describe('a restore that is not what was backed up', () => {
  async function falsified(change: (table: { rows: number; digest?: string }) => void) {
    const folder = await testFolder()
    execute(
      join(folder, 'shop.sqlite3'),
      'CREATE TABLE items (id INTEGER PRIMARY KEY); INSERT INTO items VALUES (1), (2)',
    )
    const told: string[] = []
    const hf = await holdfastIn(folder, {
      databases: { shop: 'sqlite:./shop.sqlite3' },
      hooks: {
        afterRestore: () => void told.push('restored'),
        onFailure: ({ code, phase }) => void told.push(`${phase} ${code}`),
      },
    })
    const { id } = resultOf(await hf.backup({ fingerprint: 'content' }))
    const file = join(folder, `backups/shop/${id}.manifest.json`)
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
      fingerprint: { tables: [{ rows: number; digest?: string }] }
    }
    change(manifest.fingerprint.tables[0])
    writeFileSync(file, JSON.stringify(manifest))
    return { hf, told, folder }
  }

  it('FAILURES 68: is an error of exit code 7 that names the table; hooks hear of it', async () => {
    const { hf, told } = await falsified((table) => (table.rows = 3))
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
      code: 'integrity.differs',
      exit: 7,
      message: expect.stringContaining('table items has 2 rows in place of 3 rows') as string,
      details: { comparison: { differences: [{ object: 'table items', what: 'rows' }] } },
    })
    expect(told).toEqual(['compare integrity.differs'])
    expect((await hf.restore({ confirm: true, compare: false })).comparison).toBeUndefined()
  })

  it('is not swapped in: the old database answers, and nothing is left of the other', async () => {
    const { hf, folder } = await falsified((table) => (table.rows = 3))
    execute(join(folder, 'shop.sqlite3'), 'INSERT INTO items VALUES (3), (4)')
    const before = readdirSync(folder)
    await expect(hf.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
      code: 'integrity.differs',
      message: expect.stringContaining('is as it was') as string,
      details: { comparison: { differences: [{ object: 'table items', what: 'rows' }] } },
    })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toContain('{"id":4}')
    expect(readdirSync(folder)).toEqual(before)
  })

  async function notSwappedIn(make: () => Promise<Live>) {
    const live = await make()
    onTestFinished(() => live.drop())
    const folder = await testFolder()
    const hf = await holdfastIn(folder, { databases: { shop: live.connection } })
    const { id } = resultOf(await hf.backup({ fingerprint: 'content' }))
    const file = join(folder, `backups/shop/${id}.manifest.json`)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"rows": 200', '"rows": 201'))
    await live.execute('DELETE FROM items WHERE id < 100')
    await expect(hf.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
      code: 'integrity.differs',
      details: { comparison: { differences: [{ what: 'rows', expected: '201 rows', found: '200 rows' }] } },
    })
    // What was there answers, and nothing is kept or left.
    const { comparison } = await hf.diff()
    expect(comparison.differences).toContainEqual(expect.objectContaining({ found: '101 rows' }))
    await expect(hf.undoRestore({ confirm: true })).rejects.toMatchObject({ code: 'usage.nothing-kept' })
    expect((await hf.doctor()).checks.filter(({ name }) => name === 'swap')).toEqual([])
  }

  for (const { title, need, make } of subjects.slice(0, 2))
    need.it(`nor is it on ${title}`, () => notSwappedIn(make))

  it('also where the numbers of rows are the same', async () => {
    const { hf } = await falsified((table) => (table.digest = '0123456789abcdef'))
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
      details: { comparison: { differences: [{ object: 'table items', what: 'content' }] } },
    })
  })
})

describe('what is taken', () => {
  it('follows call, environment, database, configuration, engine, in this order', async () => {
    const folder = await testFolder()
    execute(join(folder, 'shop.sqlite3'), 'CREATE TABLE items (id INTEGER PRIMARY KEY)')
    const url = 'sqlite:./shop.sqlite3'
    const level = async (config: HoldfastConfig, request: BackupRequest = {}, variables = {}) => {
      const env = { ...nodeEnv(), variables: { ...nodeEnv().variables, ...variables } }
      const hf = await holdfastIn(folder, config, { env })
      return resultOf(await hf.backup(request)).backup?.manifest.fingerprint?.level
    }
    expect(await level({ databases: { shop: url } })).toBe('counts')
    expect(await level({ databases: { shop: url }, fingerprint: 'content' })).toBe('content')
    const own = {
      databases: { shop: { url, fingerprint: 'none' as const } },
      fingerprint: 'content' as const,
    }
    expect(await level(own)).toBeUndefined()
    expect(await level(own, {}, { HOLDFAST_FINGERPRINT: 'counts' })).toBe('counts')
    expect(await level(own, { fingerprint: 'content' }, { HOLDFAST_FINGERPRINT: 'counts' })).toBe('content')
    await expect(level(own, {}, { HOLDFAST_FINGERPRINT: 'all' })).rejects.toMatchObject({
      code: 'config.invalid',
    })
  })
})
