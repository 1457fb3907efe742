import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { ConnectorFactory } from '../../engine/connector.js'
import { nodeEnv } from '../../env/node-env.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { identifier } from './quoting.js'
import { factories } from './test-restore.js'
import { connectorSettings, dumpBytes, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')

server.describe('what is left out', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await new TestDatabase(server.server()).make()
  })
  afterEach(() => database.drop())

  async function copyOf(changes: object, factory: ConnectorFactory = pgDumpCustom) {
    const { bytes, warnings } = await dumpBytes(connectorSettings(database.connection), factory, changes)
    const copy = new TestDatabase(server.server())
    try {
      await factory
        .create(connectorSettings(copy.connection))
        .restore(testContext(), restoreSource(bytes), restoreRequest({ create: true }))
      const sequences = await copy.rows<{ name: string }>(
        'SELECT sequencename::text AS name FROM pg_sequences ORDER BY 1',
      )
      return {
        digest: await copy.digest(),
        tables: await copy.tables(),
        sequences: sequences.map(({ name }) => name),
        warnings,
      }
    } finally {
      await copy.drop()
    }
  }

  it('FAILURES 39, 74: 500 tables with every kind of name, and only these', async () => {
    const odd = [
      '"',
      "'",
      '%',
      '%s',
      '\\',
      '*',
      '?',
      '.',
      '$',
      '|',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '+',
      '^',
      '-',
      '--',
      ' ',
      '\n',
      '\t',
      '☃',
      '𝄞',
      'A',
      '!',
      '~',
      ';',
      ':',
      '/',
    ]
    const names = Array.from(
      { length: 500 },
      (_, index) => `${odd[index % odd.length]}x${odd[(index * 7) % odd.length]}${index}`,
    )
    const schema = 'odd "schema" (*)'
    await database.execute(`CREATE SCHEMA ${identifier(schema)}`)
    await database.execute(
      names
        .map(
          (name, index) =>
            `CREATE TABLE ${index % 2 === 0 ? 'public' : identifier(schema)}.${identifier(name)} (i int)`,
        )
        .join(';'),
    )
    // Neighbours that a pattern read as a regular expression would take along.
    await database.execute('CREATE TABLE kept (i int); CREATE TABLE "Ax0" (i int); CREATE TABLE x (i int)')
    // Names with a star are also reached, since a star stands for itself, too.
    const { tables } = await copyOf({ exclude: names })
    expect(tables).toEqual(['Ax0', 'kept', 'x'])
    // The same in fewer, longer patterns, for the short command lines of Windows.
    const env = { ...nodeEnv(), platform: 'win32' as const }
    const tools = { dumpCommand: [join(server.server().binDirectory, 'pg_dump')] }
    const short = await dumpBytes(
      connectorSettings(database.connection, { tools }),
      pgDump,
      { exclude: names },
      { ...testContext(), env },
    )
    expect(short.bytes.toString().match(/^CREATE TABLE .*$/gmu)).toEqual(
      ['Ax0', 'kept', 'x'].map((name) => `CREATE TABLE public.${name === 'Ax0' ? '"Ax0"' : name} (`),
    )
  })

  it('a table goes with its partitions and the sequences of its serial columns', async () => {
    await database.execute(`
      CREATE TABLE events (id serial, at date) PARTITION BY RANGE (at);
      CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TABLE kept (id serial); INSERT INTO kept DEFAULT VALUES;
      INSERT INTO events (at) VALUES ('2024-05-05')`)
    const { tables, sequences, warnings } = await copyOf({ exclude: ['events'] })
    expect(tables).toEqual(['kept'])
    expect(sequences).toEqual(['kept_id_seq'])
    expect(warnings).toEqual(['left out with the tables they inherit from: public.events_2024'])
    const emptied = await copyOf({ excludeData: ['events'] })
    expect(emptied.tables).toEqual(['events', 'events_2024', 'kept'])
    expect(emptied.digest['public.events_2024']).toBe('0:')
    expect(emptied.digest['public.kept']).toMatch(/^1:/u)
  })

  it('what will stand in the way of a restore is said', async () => {
    await database.execute(`
      CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int CONSTRAINT b_to_a REFERENCES a); CREATE VIEW v AS SELECT * FROM a`)
    const warningsOf = async (changes: object) =>
      (await dumpBytes(connectorSettings(database.connection), pgDumpCustom, changes)).warnings
    expect(await warningsOf({ exclude: ['a'] })).toEqual([
      expect.stringMatching(/^foreign key b_to_a of b refers to a, which is left out/u),
      expect.stringMatching(/^view v shows a, which is left out/u),
    ])
    expect(await warningsOf({ excludeData: ['a'] })).toEqual([expect.stringMatching(/^foreign key b_to_a/u)])
    expect(await warningsOf({ exclude: ['a', 'b', 'v'] })).toEqual([])
    expect(await warningsOf({ schemas: ['public'] })).toEqual([
      expect.stringMatching(/^the dump holds public alone/u),
    ])
  })

  it('a schema that is not there is an error, unless that is allowed', async () => {
    const dump = (allowMissing: boolean) =>
      dumpBytes(connectorSettings(database.connection), pgDumpCustom, {
        schemas: ['public', 'Nowhere'],
        allowMissing,
      })
    await expect(dump(false)).rejects.toMatchObject({
      code: 'usage.pattern-unmatched',
      message: 'schemas names what is not there: Nowhere',
    })
    expect((await dump(true)).bytes.length).toBeGreaterThan(0)
  })

  it('views and materialized views can be left out like tables', async () => {
    await database.execute(
      'CREATE TABLE t (i int); CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT * FROM t',
    )
    const { bytes } = await dumpBytes(connectorSettings(database.connection), pgDump, { exclude: ['v', 'm'] })
    expect(bytes.toString()).not.toMatch(/VIEW/u)
  })
})

server.describe('FAILURES 27: an SQL_ASCII database with bytes that are no text', () => {
  for (const factory of factories) {
    it(`comes back byte for byte, whatever PGCLIENTENCODING says (${factory.name})`, async () => {
      const database = await new TestDatabase(server.server()).make(
        `ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
      )
      const copy = new TestDatabase(server.server())
      try {
        await database.execute(
          `CREATE TABLE t (v text); INSERT INTO t VALUES (convert_from('\\xfffe80c3', 'SQL_ASCII')), ('plain')`,
        )
        const tools = { env: { PGCLIENTENCODING: 'LATIN1' } }
        const { bytes } = await dumpBytes(connectorSettings(database.connection, { tools }), factory)
        const connector = factory.create(connectorSettings(copy.connection, { tools }))
        await connector.restore(testContext(), restoreSource(bytes), restoreRequest({ create: true }))
        const content = `SELECT getdatabaseencoding() AS encoding, encode(convert_to(v, 'SQL_ASCII'), 'hex') AS v FROM t ORDER BY v`
        expect(await copy.rows(content)).toEqual(await database.rows(content))
        expect(await copy.rows(content)).toContainEqual({ encoding: 'SQL_ASCII', v: 'fffe80c3' })
      } finally {
        await copy.drop()
        await database.drop()
      }
    })
  }
})
