import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { ServerFacts } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { mariadb } from './engine.js'
import { unfinishedMark } from './inventory.js'
import { ScratchDatabase } from './test-database.js'
import { scratchContext } from './test-connector.js'

const server = needsServer('mariadb')

server.describe('what is known of a database', () => {
  let scratch: ScratchDatabase

  beforeEach(async () => {
    scratch = await new ScratchDatabase(server.server(), 'mariadb').create()
  })
  afterEach(() => scratch.drop())

  async function facts(connection = scratch.connection): Promise<ServerFacts> {
    const session = await mariadb.open(scratchContext(), connection)
    try {
      return await session.facts()
    } finally {
      await session.close()
    }
  }

  /** An account with these rights, for as long as the work lasts. */
  async function asAccount(
    grants: readonly string[],
    work: (connection: typeof scratch.connection) => Promise<void>,
  ) {
    const user = `u_${scratch.name}`
    await scratch.execute(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'secret-of-user'`)
    try {
      for (const grant of grants) await scratch.execute(`GRANT ${grant} TO '${user}'@'127.0.0.1'`)
      await work({ ...scratch.connection, user, password: new Secret('secret-of-user') })
    } finally {
      await scratch.execute(`DROP USER '${user}'@'127.0.0.1'`)
    }
  }

  it('counts every object', async () => {
    await scratch.run([
      'CREATE TABLE b (id INT PRIMARY KEY)',
      'CREATE TABLE a (id INT)',
      'CREATE VIEW v AS SELECT 1',
      'CREATE SEQUENCE s',
      'CREATE PROCEDURE p() SELECT 1',
      'CREATE FUNCTION f() RETURNS INT RETURN 1',
      'CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x = 1',
      `CREATE EVENT e ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO SELECT 1`,
      'INSERT INTO b VALUES (1), (2)',
    ])
    const found = await facts()
    expect(found.tables.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(found).toMatchObject({ objectCount: 8, encoding: 'utf8mb4', warnings: [] })
    expect(found.sizeBytes).toBeGreaterThan(0)
    expect(found.version).toMatch(/^\d+\.\d+\.\d+$/u)
  })

  it('the schema hash sees definitions, and neither rows nor counters', async () => {
    await scratch.run(['CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v INT)', 'CREATE SEQUENCE s'])
    const hashes = [(await facts()).schemaHash]
    await scratch.run(['INSERT INTO a (v) VALUES (1), (2), (3)', 'SELECT NEXTVAL(s)', 'ANALYZE TABLE a'])
    expect((await facts()).schemaHash).toBe(hashes[0])
    for (const sql of [
      `ALTER TABLE a COMMENT 'x'`,
      'ALTER TABLE a ADD KEY (v)',
      'CREATE VIEW w AS SELECT id FROM a',
      'CREATE OR REPLACE VIEW w AS SELECT v FROM a',
      'CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.v = 1',
      'CREATE PROCEDURE p() SELECT 1',
      `CREATE EVENT e ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO SELECT 1`,
      `ALTER EVENT e ON SCHEDULE AT '2037-01-02 00:00:00'`,
      'ALTER SEQUENCE s INCREMENT BY 5',
    ]) {
      await scratch.execute(sql)
      const { schemaHash } = await facts()
      expect(hashes).not.toContain(schemaHash)
      hashes.push(schemaHash)
    }
  })

  it('finds what migration tools have applied, in order', async () => {
    await scratch.run([
      `CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY, migration_name VARCHAR(255), started_at DATETIME(3),
        finished_at DATETIME(3), rolled_back_at DATETIME(3))`,
      `INSERT INTO _prisma_migrations VALUES ('z', '1_first', NOW(), '2024-01-01', NULL), ('a', '2_second', NOW(), '2024-01-02', NULL),
        ('m', '3_failed', NOW(), NULL, NULL), ('n', '4_undone', NOW(), '2024-01-03', '2024-01-04')`,
      'CREATE TABLE django_migrations (id INT PRIMARY KEY, app VARCHAR(99), name VARCHAR(99), applied DATETIME(6))',
      `INSERT INTO django_migrations VALUES (2, 'auth', '0001_initial', '2024-01-02'), (1, 'contenttypes', '0001_initial', '2024-01-02')`,
      'CREATE TABLE SequelizeMeta (name VARCHAR(255) PRIMARY KEY)',
      `INSERT INTO SequelizeMeta VALUES ('20240102.js'), ('20240101.js')`,
      'CREATE TABLE migrations (id INT, something_else INT)',
    ])
    expect((await facts()).migrations).toEqual([
      { tool: 'prisma', table: '_prisma_migrations', applied: ['1_first', '2_second'] },
      { tool: 'sequelize', table: 'SequelizeMeta', applied: ['20240101.js', '20240102.js'] },
      {
        tool: 'django',
        table: 'django_migrations',
        applied: ['contenttypes.0001_initial', 'auth.0001_initial'],
      },
    ])
  })

  it('FAILURES 50: tables outside the snapshot are named', async () => {
    await scratch.run(['CREATE TABLE inside (a INT)', 'CREATE TABLE outside (a INT) ENGINE=MyISAM'])
    expect((await facts()).warnings).toEqual([expect.stringMatching(/snapshot.*: outside \(MyISAM\)$/u)])
  })

  it('columns that a dump shortens are named', async () => {
    await scratch.run(['CREATE TABLE t (exact DOUBLE, rough FLOAT)', 'CREATE VIEW v AS SELECT rough FROM t'])
    expect((await facts()).warnings).toEqual([expect.stringMatching(/FLOAT.*: t\.rough$/u)])
  })

  it('FAILURES 41: objects of accounts that are gone are named', async () => {
    await scratch.run([
      'CREATE TABLE t (a INT)',
      "CREATE DEFINER='nobody_here'@'%' VIEW v AS SELECT a FROM t",
      "CREATE DEFINER='nobody_here'@'%' TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    ])
    expect((await facts()).warnings).toEqual([
      'v, tr: the definer nobody_here@% is not an account of this server',
    ])
  })

  it('FAILURES 54: what the account cannot see is said', async () => {
    await asAccount([`SELECT ON ${scratch.name}.*`], async (connection) => {
      expect((await facts(connection)).warnings).toEqual([
        expect.stringMatching(
          /cannot see triggers .*, events .*, stored routines .*if there are any, they are not dumped/u,
        ),
      ])
    })
    await asAccount([`SELECT, TRIGGER, EVENT, EXECUTE ON ${scratch.name}.*`], async (connection) => {
      expect((await facts(connection)).warnings).toEqual([])
    })
  })

  it('FAILURES 67: what a broken restore has left is said not to be whole, and is not counted', async () => {
    const before = (await facts()).schemaHash
    await scratch.execute(`CREATE TABLE ${unfinishedMark} (began DATETIME)`)
    const found = await facts()
    expect(found).toMatchObject({ tables: [], objectCount: 0, schemaHash: before })
    expect(found.warnings).toEqual([expect.stringContaining('did not finish')])
  })
})
