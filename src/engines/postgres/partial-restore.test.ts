import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { RestoreRequest } from '../../engine/connector.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { connectorSettings, dumpBytes, TestDatabase, testContext } from './test-fixture.js'
import { restore } from './test-restore.js'

const server = needsServer('postgresql')

const filled = `
  CREATE SCHEMA shop;
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NEW.note || '!'; RETURN NEW; END $$;
  CREATE TABLE customer (id serial PRIMARY KEY, name text);
  CREATE TABLE shop."order of" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customer, note text, CHECK (id > 0));
  CREATE TABLE shop."order" (id int PRIMARY KEY, of bigint REFERENCES shop."order of");
  CREATE INDEX order_note ON shop."order of" (note);
  CREATE STATISTICS shop.order_both ON customer, note FROM shop."order of";
  CREATE TRIGGER touching BEFORE INSERT ON shop."order of" FOR EACH ROW EXECUTE FUNCTION touch();
  COMMENT ON COLUMN shop."order of".note IS 'a note';
  CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
  CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2000-01-01') PARTITION BY LIST (what);
  CREATE TABLE event_old_x PARTITION OF event_old DEFAULT;
  CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);
  CREATE INDEX event_at ON event (at);
  CREATE VIEW named AS SELECT name FROM customer;
  INSERT INTO customer (name) SELECT 'c' || i FROM generate_series(1, 300) i;
  ALTER TABLE shop."order of" DISABLE TRIGGER touching;
  INSERT INTO shop."order of" (customer, note) SELECT i % 300 + 1, repeat('n', i % 50) FROM generate_series(1, 2000) i;
  ALTER TABLE shop."order of" ENABLE TRIGGER touching;
  INSERT INTO shop."order" SELECT i, i FROM generate_series(1, 50) i;
  INSERT INTO event VALUES ('1999-01-01', 'x'), ('2020-01-01', 'y');
  SELECT lo_from_bytea(4711, 'large')`

server.describe('a part of a dump', () => {
  let original: TestDatabase
  let dump: Buffer
  beforeAll(async () => {
    original = await new TestDatabase(server.server()).make()
    await original.execute(filled)
    dump = (await dumpBytes(connectorSettings(original.connection), pgDumpCustom)).bytes
  })
  afterAll(() => original.drop())

  async function into(
    change: string,
    request: Partial<RestoreRequest>,
    look: (target: TestDatabase) => Promise<void>,
    template = original.name,
  ): Promise<void> {
    const target = await new TestDatabase(server.server()).make(`TEMPLATE "${template}"`)
    try {
      if (change !== '') await target.execute(change)
      await restore(pgDumpCustom, target, dump, request)
      await look(target)
    } finally {
      await target.drop()
    }
  }

  const same = async (target: TestDatabase) => {
    expect(await target.pgDump()).toBe(await original.pgDump())
    expect(await target.digest()).toEqual(await original.digest())
  }

  it('a table that was lost comes back with its keys, indexes, triggers, statistics, sequence and comments', async () => {
    const lost = `ALTER TABLE shop."order" DROP CONSTRAINT order_of_fkey; DROP TABLE shop."order of", shop."order"`
    await into(lost, { tables: ['shop.order*'] }, same)
    // The other table's name begins with this one's.
    await into('DROP TABLE shop."order"', { tables: ['order'] }, same)
  })

  it('a table that was changed is as in the dump, and others stay as they are now', async () => {
    await into(
      `DROP TABLE shop."order"; UPDATE shop."order of" SET note = 'changed'; UPDATE customer SET name = 'kept'`,
      { tables: ['shop.order of'] },
      async (target) => {
        const [there, wanted] = [await target.digest(), await original.digest()]
        expect(there['shop.order of']).toBe(wanted['shop.order of'])
        expect(there['shop.order']).toBeUndefined()
        expect(await target.rows('SELECT DISTINCT name FROM customer')).toEqual([{ name: 'kept' }])
      },
    )
  })

  it('what needs a table, and is not restored with it, is named before anything is dropped', async () => {
    const target = await new TestDatabase(server.server()).make(`TEMPLATE "${original.name}"`)
    try {
      const before = await target.digest()
      const refused = async (tables: readonly string[], message: RegExp) => {
        const request = restoreRequest({ clean: 'objects', tables })
        const connector = pgDumpCustom.create(connectorSettings(target.connection))
        const asked = connector.prepareRestore(testContext(), restoreSource(dump), request)
        await expect(asked).rejects.toMatchObject({
          code: 'refused.not-empty',
          message: expect.stringMatching(message) as string,
        })
      }
      await refused(
        ['customer', 'shop.order*'],
        /customer cannot be dropped and made anew: view \S*named needs it/u,
      )
      await refused(['customer'], /constraint .+ on table \S*"order of" needs it .* and 1 more dependent/u)
      expect(await target.digest()).toEqual(before)
    } finally {
      await target.drop()
    }
  })

  it('into an empty database: partitions, a serial column with its sequence, a schema that is not there', async () => {
    await into(
      '',
      { tables: ['event', 'customer'] },
      async (target) => {
        expect(await target.tables()).toEqual(['customer', 'event', 'event_new', 'event_old', 'event_old_x'])
        expect((await target.digest())['public.event_old_x']).toBe(
          (await original.digest())['public.event_old_x'],
        )
        expect(await target.rows(`SELECT nextval('customer_id_seq')::int AS next`)).toEqual([{ next: 301 }])
        expect(await target.largeObjects()).toEqual([])
        expect(await target.rows('SELECT FROM pg_views WHERE viewname = $1', ['named'])).toEqual([])
      },
      'template0',
    )
    await into(
      'CREATE TABLE customer (id int PRIMARY KEY); INSERT INTO customer SELECT generate_series(1, 300); CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      { tables: ['order of'] },
      async (target) => {
        expect((await target.digest())['shop.order of']).toBe((await original.digest())['shop.order of'])
      },
      'template0',
    )
  })

  it('schemaOnly restores definitions, dataOnly rows: in place of those there, or beside them', async () => {
    await into(
      '',
      { schemaOnly: true },
      async (target) => {
        expect(await target.pgDump('--schema-only')).toBe(await original.pgDump('--schema-only'))
        expect(Object.values(await target.digest()).filter((digest) => !digest.startsWith('0:'))).toEqual([])
      },
      'template0',
    )
    await into(
      `UPDATE event SET what = 'changed'; INSERT INTO event VALUES ('2021-01-01', 'later'); SELECT lo_put(4711, 0, 'other');
       DELETE FROM shop."order"; DELETE FROM shop."order of"; INSERT INTO shop."order of" (customer, note) VALUES (1, 'x')`,
      { dataOnly: true },
      async (target) => {
        expect(await target.digest()).toEqual(await original.digest())
        expect(await target.schemaText()).toBe(await original.schemaText())
        expect(await target.largeObjects()).toEqual(await original.largeObjects())
      },
    )
    // Rows of another table refer to those that the dump has not.
    const refers = into(
      `INSERT INTO customer VALUES (999, 'new'); INSERT INTO shop."order of" (customer) VALUES (999)`,
      { dataOnly: true, tables: ['customer'] },
      () => Promise.resolve(),
    )
    await expect(refers).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('violates foreign key constraint') as string,
    })
    await into('', { dataOnly: true, tables: ['event'], clean: 'none' }, async (target) => {
      expect(await target.rows('SELECT count(*)::int FROM event')).toEqual([{ count: 4 }])
    })
  })

  it('what cannot be is refused before anything starts, naming both settings', async () => {
    const prepare = (factory: typeof pgDump, bytes: Buffer, changes: Partial<RestoreRequest>) =>
      factory
        .create(connectorSettings(original.connection))
        .prepareRestore(testContext(), restoreSource(bytes), restoreRequest(changes))
    const plain = (await dumpBytes(connectorSettings(original.connection), pgDump)).bytes
    expect(pgDump.capabilities.partialRestore ?? false).toBe(false)
    await expect(prepare(pgDump, plain, { tables: ['customer'], dataOnly: true })).rejects.toMatchObject({
      code: 'usage.not-supported',
      message: 'a plain SQL dump is restored as a whole: tables, dataOnly cannot be picked',
    })
    const refused = (changes: Partial<RestoreRequest>) =>
      prepare(pgDumpCustom, dump, changes).then(
        () => 'not refused',
        (error: Error) => error.message,
      )
    expect(await refused({ dataOnly: true, schemaOnly: true })).toMatch(
      /^dataOnly does not go with schemaOnly/u,
    )
    expect(await refused({ dataOnly: true, clean: 'database' })).toMatch(
      /^dataOnly does not go with clean: 'database'/u,
    )
    expect(await refused({ dataOnly: true, create: true })).toMatch(/^dataOnly does not go with create/u)
    expect(await refused({ tables: ['customer', 'no*where'] })).toBe('the dump has no table no*where')
    const { losses } = await prepare(pgDumpCustom, dump, { dataOnly: true, tables: ['event'] })
    expect(losses).toEqual(['the rows of 2 tables are replaced: public.event_new, public.event_old_x'])
  })
})
