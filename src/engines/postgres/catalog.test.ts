import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { ServerFacts } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { postgresql } from './engine.js'
import { execute, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')

server.describe('what is known of a PostgreSQL database', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await new TestDatabase(server.server()).make()
  })
  afterEach(() => database.drop())

  async function facts(connection = database.connection): Promise<ServerFacts> {
    const session = await postgresql.open(testContext(), connection)
    try {
      return await session.facts()
    } finally {
      await session.close()
    }
  }

  it('an empty database', async () => {
    const { version } = server.server()
    expect(await facts()).toEqual({
      product: 'PostgreSQL',
      version: version.split(' ')[0],
      database: database.name,
      sizeBytes: expect.any(Number) as number,
      encoding: 'UTF8',
      tables: [],
      objectCount: 0,
      migrations: [],
      schemaHash: expect.stringMatching(/^[0-9a-f]{64}$/u) as string,
      warnings: [],
    })
  })

  it('tables with their estimates, in order; views, extensions and temporary tables are none', async () => {
    await database.execute(`
      CREATE EXTENSION citext; CREATE EXTENSION hstore;
      CREATE SCHEMA app; CREATE TABLE app.z (i int); CREATE TABLE "B" (i int); CREATE TABLE a (i int, t text) PARTITION BY LIST (i);
      CREATE TABLE a_1 PARTITION OF a FOR VALUES IN (1);
      INSERT INTO a SELECT 1, repeat('x', 500) FROM generate_series(1, 1000); ANALYZE;
      CREATE VIEW v AS SELECT 1; CREATE TEMP TABLE gone (i int)`)
    const { tables, objectCount, sizeBytes } = await facts()
    expect(tables).toEqual([
      { schema: 'app', name: 'z' },
      { schema: 'public', name: 'B' },
      { schema: 'public', name: 'a', estimatedRows: 1000 },
      { schema: 'public', name: 'a_1', estimatedRows: 1000, bytes: expect.any(Number) as number },
    ])
    expect(tables[3]?.bytes).toBeGreaterThan(500_000)
    expect(sizeBytes).toBeGreaterThan(7e6)
    // Four tables, a view, a schema.
    expect(objectCount).toBe(6)
  })

  it.each([
    ['CREATE SEQUENCE s', 1],
    ['CREATE SCHEMA s', 1],
    [`CREATE TYPE t AS ENUM ('a')`, 1],
    ['CREATE TYPE t AS (a int)', 1],
    ['CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', 1],
    ['SELECT lo_create(0)', 1],
    ['CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)', 1],
    ['CREATE EXTENSION citext', 0],
  ])('%s makes %i objects', async (sql, count) => {
    await database.execute(sql)
    expect((await facts()).objectCount).toBe(count)
  })

  it('the schema hash changes with every kind of definition, and comes back when the change is undone', async () => {
    await database.execute(`CREATE TYPE e AS ENUM ('a', 'c'); CREATE DOMAIN d AS int; CREATE SEQUENCE s;
      CREATE TABLE t (id int, v text, n int DEFAULT 1, PRIMARY KEY (id)); CREATE TABLE u (t int);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE VIEW w AS SELECT id FROM t;
      CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`)
    const seen = new Set([(await facts()).schemaHash])
    for (const change of [
      `ALTER TYPE e ADD VALUE 'b' BEFORE 'c'`,
      'ALTER DOMAIN d ADD CHECK (VALUE > 0)',
      'ALTER SEQUENCE s INCREMENT 2',
      'ALTER TABLE t ALTER n SET DEFAULT 2',
      'ALTER TABLE t ALTER v TYPE varchar(10)',
      'ALTER TABLE t ALTER v SET NOT NULL',
      'ALTER TABLE t ADD UNIQUE (v)',
      'ALTER TABLE u ADD FOREIGN KEY (t) REFERENCES t',
      'CREATE INDEX i ON u (t) WHERE t > 1',
      'ALTER TABLE t DISABLE TRIGGER g',
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
      'CREATE POLICY p ON t USING (id > 1)',
      'ALTER POLICY p ON t USING (id > 2)',
      'CREATE OR REPLACE VIEW w AS SELECT id FROM t WHERE id > 3',
      'CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      'CREATE RULE r AS ON DELETE TO u DO INSTEAD NOTHING',
      'ALTER TABLE u SET (fillfactor = 50)',
      'ALTER TABLE u SET UNLOGGED',
      'CREATE MATERIALIZED VIEW m AS SELECT 1 AS one',
      'CREATE STATISTICS st ON id, v FROM t',
      'CREATE PUBLICATION pub FOR TABLE t',
      'CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION et_f()',
      'CREATE COLLATION co FROM "C"',
      'CREATE CAST (d AS text) WITH INOUT',
      'CREATE SCHEMA other',
    ]) {
      if (change.startsWith('CREATE EVENT TRIGGER')) {
        await database.execute(`CREATE FUNCTION et_f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`)
        seen.add((await facts()).schemaHash)
      }
      await database.execute(change)
      const { schemaHash } = await facts()
      expect([change, seen.has(schemaHash)]).toEqual([change, false])
      seen.add(schemaHash)
    }
    const { schemaHash } = await facts()
    // What leaves traces in the catalogs, and none in the definitions.
    for (const statement of [
      'ALTER TABLE u ADD COLUMN gone int',
      'ALTER TABLE u DROP COLUMN gone',
      `INSERT INTO u VALUES (NULL)`,
      'DROP SCHEMA other',
      'CREATE SCHEMA other',
      'VACUUM FULL',
      `SELECT nextval('s')`,
    ]) {
      await database.execute(statement)
    }
    expect((await facts()).schemaHash).toBe(schemaHash)
  })

  it("the schema hash does not depend on the role's or the database's settings", async () => {
    await database.execute(
      `CREATE TABLE t (at timestamptz DEFAULT '2020-01-01 12:00+00', d interval DEFAULT '1 day 02:00', f float8 DEFAULT 0.1)`,
    )
    const { schemaHash } = await facts()
    for (const setting of [
      `TimeZone = 'Asia/Tokyo'`,
      `DateStyle = 'German'`,
      `IntervalStyle = 'iso_8601'`,
      'extra_float_digits = -5',
      'search_path = public',
      'quote_all_identifiers = on',
      'default_transaction_read_only = on',
      'statement_timeout = 500',
    ]) {
      await execute(server.server(), 'postgres', `ALTER DATABASE ${database.name} SET ${setting}`)
    }
    expect((await facts()).schemaHash).toBe(schemaHash)
  })

  it('what migration tools have applied, in their order', async () => {
    await database.execute(`
      CREATE TABLE _prisma_migrations (id varchar(36), migration_name text, started_at timestamptz, finished_at timestamptz, rolled_back_at timestamptz);
      INSERT INTO _prisma_migrations VALUES ('z', '1_first', '2020-01-01', '2020-01-01', NULL), ('a', '2_second', '2020-01-02', '2020-01-02', NULL),
        ('b', '3_failed', '2020-01-03', NULL, NULL), ('c', '4_undone', '2020-01-04', '2020-01-04', '2020-01-05');
      CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial, hash text, created_at bigint);
      INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('beef', 2), ('cafe', 1);
      CREATE TABLE django_migrations (id bigint, app text, name text, applied timestamptz);
      INSERT INTO django_migrations VALUES (2, 'shop', '0001_initial', now()), (1, 'auth', '0001_initial', now());
      CREATE TABLE knex_migrations (id serial, name text, batch int, migration_time timestamptz);
      INSERT INTO knex_migrations (name) VALUES ('b.js'), ('a.js');
      CREATE TABLE "SequelizeMeta" (name text); INSERT INTO "SequelizeMeta" VALUES ('2.js'), ('1.js');
      CREATE TABLE kysely_migration (name text, "timestamp" text); INSERT INTO kysely_migration VALUES ('x', '2'), ('y', '1');
      CREATE SCHEMA tenant; CREATE TABLE tenant.migrations (id serial, "timestamp" bigint, name text); INSERT INTO tenant.migrations (name) VALUES ('Init1');
      -- A table of that name that is none of TypeORM's.
      CREATE TABLE migrations (i int)`)
    expect((await facts()).migrations).toEqual([
      { tool: 'drizzle', table: 'drizzle.__drizzle_migrations', applied: ['beef', 'cafe'] },
      { tool: 'sequelize', table: 'public.SequelizeMeta', applied: ['1.js', '2.js'] },
      { tool: 'prisma', table: 'public._prisma_migrations', applied: ['1_first', '2_second'] },
      {
        tool: 'django',
        table: 'public.django_migrations',
        applied: ['auth.0001_initial', 'shop.0001_initial'],
      },
      { tool: 'knex', table: 'public.knex_migrations', applied: ['b.js', 'a.js'] },
      { tool: 'kysely', table: 'public.kysely_migration', applied: ['y', 'x'] },
      { tool: 'typeorm', table: 'tenant.migrations', applied: ['Init1'] },
    ])
  })

  it('a migrations table that may not be read is a warning', async () => {
    const role = `r_${randomBytes(4).toString('hex')}`
    await execute(server.server(), 'postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
    try {
      await database.execute('CREATE TABLE "SequelizeMeta" (name text)')
      const { migrations, warnings } = await facts({
        ...database.connection,
        user: role,
        password: new Secret('p'),
      })
      expect(migrations).toEqual([])
      expect(warnings[0]).toBe(
        'the migrations in public.SequelizeMeta cannot be read: this user lacks SELECT',
      )
    } finally {
      await execute(server.server(), 'postgres', `DROP ROLE ${role}`)
    }
  })

  it('asking for sizes waits for no lock', async () => {
    await database.execute('CREATE TABLE t (id int PRIMARY KEY)')
    const { connectedClient } = await import('./test-fixture.js')
    const holder = await connectedClient(server.server(), database.name)
    try {
      await holder.query('BEGIN; LOCK TABLE t IN ACCESS SHARE MODE')
      const waiting = await connectedClient(server.server(), database.name)
      const blocked = waiting.query('LOCK TABLE t IN ACCESS EXCLUSIVE MODE').catch(() => undefined)
      expect((await facts()).tables).toHaveLength(1)
      await holder.end()
      await blocked
      await waiting.end()
    } finally {
      await holder.end()
    }
  })
})
