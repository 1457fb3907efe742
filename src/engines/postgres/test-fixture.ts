import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { ServerAddress } from '../../../test/servers/server.js'
import type {
  ConnectorFactory,
  ConnectorOptions,
  DumpRequest,
  ConnectorSettings,
  RestoreSource,
  ToolSettings,
} from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context, NoticeEvent, ProgressEvent } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import {
  dumpRequest,
  readDump,
  type ConnectorFixture,
  type ContractDatabase,
} from '../../testing/connector-contract.js'
import { partsSource } from '../../testing/connector-workbench.js'
import { postgresql } from './engine.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import { plainTools } from '../../testing/plain-tools.js'

/** For tests only: databases of a real server, and what is in them. */

const run = promisify(execFile)

export function testContext(
  signal = new AbortController().signal,
  emit: (event: ProgressEvent | NoticeEvent) => void = () => undefined,
): Context {
  return { env: nodeEnv(), signal, emit }
}

export interface SettingsChanges {
  readonly tools?: Partial<ToolSettings>
  readonly options?: ConnectorOptions
  readonly admin?: ConnectorSettings['admin']
}

export function connectorSettings(
  connection: ConnectionSettings,
  changes: SettingsChanges = {},
): ConnectorSettings {
  return {
    connection,
    tools: { ...plainTools, ...changes.tools },
    options: changes.options ?? {},
    ...(changes.admin === undefined ? {} : { admin: changes.admin }),
  }
}

/** Runs SQL as the server's superuser; several statements at once where there are no values. */
export async function execute<Row extends object = object>(
  server: ServerAddress,
  database: string,
  sql: string,
  values?: readonly unknown[],
): Promise<readonly Row[]> {
  const client = await connectedClient(server, database)
  try {
    const result =
      values === undefined ? await client.query<Row>(sql) : await client.query<Row>(sql, [...values])
    return result.rows
  } finally {
    await client.end()
  }
}

/** A connection that stays, to hold locks and sessions. */
export async function connectedClient(server: ServerAddress, database: string): Promise<pg.Client> {
  const { host, port, user, password } = server
  const client = new pg.Client({ host, port, user, password, database })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Several statements on one connection; the rows of the last. */
export async function statements<Row extends object = object>(
  server: ServerAddress,
  database: string,
  sql: readonly string[],
): Promise<readonly Row[]> {
  const client = await connectedClient(server, database)
  try {
    let rows: readonly Row[] = []
    for (const statement of sql) rows = (await client.query<Row>(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

export function connectionTo(
  { host, port, user, password }: ServerAddress,
  name: string,
): ConnectionSettings {
  return { engine: 'postgresql', name, host, port, user, password: new Secret(password), parameters: {} }
}

/** A database of one test: it is there after `make`, and gone after `drop`. */
export class TestDatabase implements ContractDatabase {
  readonly server: ServerAddress
  readonly name: string

  constructor(server: ServerAddress, name = `t_${randomBytes(6).toString('hex')}`) {
    this.server = server
    this.name = name
  }

  get connection(): ConnectionSettings {
    return connectionTo(this.server, this.name)
  }

  async make(options = ''): Promise<this> {
    await execute(this.server, 'postgres', `CREATE DATABASE ${identifier(this.name)} ${options}`)
    return this
  }

  async execute(sql: string): Promise<void> {
    await execute(this.server, this.name, sql)
  }

  rows<Row extends object>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    return execute<Row>(this.server, this.name, sql, values)
  }

  async tables(): Promise<readonly string[]> {
    return (await this.#tables()).map(({ name }) => name)
  }

  #tables(): Promise<readonly { readonly schema: string; readonly name: string; readonly kind: string }[]> {
    return this.rows(
      `SELECT schemaname AS schema, tablename AS name, c.relkind AS kind FROM pg_tables t
       JOIN pg_class c ON c.oid = format('%I.%I', schemaname, tablename)::regclass
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS
         (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1, 2`,
    )
  }

  async rowCount(table: string): Promise<number> {
    const [found] = (await this.#tables()).filter(({ name }) => name === table)
    if (found === undefined) throw new Error(`there is no table ${table}`)
    const [row] = await this.rows<{ count: string }>(
      `SELECT count(*) FROM ${qualifiedName(found.schema, found.name)}`,
    )
    return Number(row?.count)
  }

  /** Of every row's text; since version 12 a float's text is exact. */
  async digest(): Promise<Readonly<Record<string, string>>> {
    // Rows of a partitioned table are counted where they lie; a parent is read without its children.
    const queries = (await this.#tables())
      .filter(({ kind }) => kind !== 'p')
      .map(
        ({ schema, name }) =>
          `SELECT ${literal(`${schema}.${name}`)} AS name,
             count(*) || ':' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS digest
           FROM ONLY ${qualifiedName(schema, name)} t`,
      )
    if (queries.length === 0) return {}
    const found = await this.rows<{ name: string; digest: string }>(queries.join(' UNION ALL '))
    return Object.fromEntries(found.map(({ name, digest }) => [name, digest]))
  }

  schemaText(): Promise<string> {
    return this.pgDump('--schema-only')
  }

  /** What pg_dump itself says of the database, without the random key of its `\restrict` lines. */
  async pgDump(...args: readonly string[]): Promise<string> {
    const { binDirectory, host, port, user, password } = this.server
    const name = this.name.replace(/['\\]/gu, '\\$&')
    const { stdout } = await run(
      join(binDirectory, 'pg_dump'),
      [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--dbname=dbname='${name}'`, ...args],
      { env: { ...process.env, PGPASSWORD: password }, maxBuffer: 1024 ** 3 },
    )
    return stdout.replace(/^\\(un)?restrict .*$/gmu, '')
  }

  /** Large objects: id, owner, privileges, comment, digest. */
  largeObjects(): Promise<readonly object[]> {
    return this.rows(
      `SELECT oid::text, pg_get_userbyid(lomowner)::text AS owner, lomacl::text AS acl, md5(lo_get(oid)) AS digest,
              obj_description(oid, 'pg_largeobject') AS comment FROM pg_largeobject_metadata ORDER BY oid`,
    )
  }

  async exists(): Promise<boolean> {
    const found = await execute(this.server, 'postgres', 'SELECT FROM pg_database WHERE datname = $1', [
      this.name,
    ])
    return found.length === 1
  }

  async drop(): Promise<void> {
    if (!(await this.exists())) return
    // Asked elsewhere: the database may have settings that let it answer nothing.
    const subscriptions = await execute<{ name: string }>(
      this.server,
      'postgres',
      'SELECT subname::text AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = $1)',
      [this.name],
    )
    for (const { name } of subscriptions) {
      await this.execute(`ALTER SUBSCRIPTION ${identifier(name)} SET (slot_name = NONE)`)
      await this.execute(`DROP SUBSCRIPTION ${identifier(name)}`)
    }
    await execute(this.server, 'postgres', `DROP DATABASE IF EXISTS ${identifier(this.name)} WITH (FORCE)`)
  }
}

const odd = `-odd "name" of 100% ’naïve’ 'quotes' ☃`

const sampleSql = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE parent (id serial PRIMARY KEY, name text NOT NULL UNIQUE, mood mood DEFAULT 'ok', data bytea, at timestamptz);
  CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int NOT NULL REFERENCES parent ON DELETE CASCADE,
    amount numeric(20, 6), ratio double precision, note text, tags text[], CHECK (amount IS NULL OR amount > -1e12));
  CREATE INDEX child_parent ON child (parent_id) WHERE note IS NOT NULL;
  CREATE VIEW happy AS SELECT p.name, c.amount FROM parent p JOIN child c ON c.parent_id = p.id WHERE p.mood = 'happy';
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := coalesce(NEW.at, '2001-01-01Z'); RETURN NEW; END $$;
  CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION touch();
  INSERT INTO parent (name, mood, data)
    SELECT 'parent ' || i, (ARRAY['sad', 'ok', 'happy', NULL])[i % 4 + 1]::mood, decode(md5(i::text), 'hex') FROM generate_series(1, 50) i;
  INSERT INTO parent (name, data, at) VALUES ('', '', 'infinity'), (E'tab\\t\\\\ line\\nbreak ☃ 𝄞', '\\x00ff0a0d5c2e', '0044-03-15 BC');
  INSERT INTO child (parent_id, amount, ratio, note, tags)
    SELECT i % 50 + 1, i * 1.000001, CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE i / 7.0 END::float8,
      CASE WHEN i % 3 = 0 THEN NULL ELSE 'row ' || i || repeat(' .', i % 60) END, ARRAY['a', NULL, '']
    FROM generate_series(1, 6000) i;
  CREATE TABLE lone (i int, t text);
  INSERT INTO lone SELECT i, md5(i::text) FROM generate_series(1, 100) i;
  CREATE TABLE ${identifier(odd)} ("od%d ""column" text);
  INSERT INTO ${identifier(odd)} VALUES ('x'), (NULL), ('\\.');
  CREATE SCHEMA side;
  CREATE TABLE side.part (id int PRIMARY KEY, t text);
  INSERT INTO side.part SELECT i, 'side ' || i FROM generate_series(1, 20) i;`

/** What the contract of connectors needs to know of PostgreSQL. */
export function contractFixture(server: ServerAddress, factory: ConnectorFactory): ConnectorFixture {
  return {
    engine: postgresql,
    factory,
    context: testContext,
    createDatabase: () => new TestDatabase(server).make(),
    missingDatabase: () => Promise.resolve(new TestDatabase(server)),
    fill: (database) => database.execute(sampleSql),
    sample: {
      lone: 'lone',
      odd,
      changeRows: `UPDATE parent SET name = name || ' changed'; DELETE FROM child WHERE id % 2 = 0`,
      changeSchema: 'ALTER TABLE lone ADD COLUMN added int',
      schema: { name: 'side', tables: ['side.part'] },
    },
  }
}

/** Loads SQL through psql, as its readers do. @throws with what psql said */
export async function psql(database: TestDatabase, sql: string): Promise<void> {
  const { binDirectory, host, port, user, password } = database.server
  const name = database.name.replace(/['\\]/gu, '\\$&')
  const finished = run(
    join(binDirectory, 'psql'),
    [
      ...['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-', `--host=${host}`, `--port=${port}`],
      ...[`--username=${user}`, `--dbname=dbname='${name}'`],
    ],
    { env: { ...process.env, PGPASSWORD: password }, maxBuffer: 1024 ** 3 },
  )
  finished.child.stdin?.end(sql)
  await finished
}

/** A dump by a connector, whole in memory. */
export async function dumpBytes(
  settings: ConnectorSettings,
  factory: ConnectorFactory,
  changes: Partial<DumpRequest> = {},
  cx = testContext(),
): Promise<{ readonly bytes: Buffer; readonly warnings: readonly string[] }> {
  const dump = await factory.create(settings).dump(cx, dumpRequest(changes))
  const [part] = await readDump(dump)
  if (part === undefined) throw new Error('the dump has no part')
  return { bytes: part.bytes, warnings: (await dump.facts()).warnings }
}

/** A dump by a connector, of one part or of several, whole in memory, to restore from. */
export async function dumpedSource(
  settings: ConnectorSettings,
  factory: ConnectorFactory,
  changes: Partial<DumpRequest> = {},
): Promise<RestoreSource> {
  return partsSource(await readDump(await factory.create(settings).dump(testContext(), dumpRequest(changes))))
}
