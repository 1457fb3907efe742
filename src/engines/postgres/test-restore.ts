import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { ServerNeed } from '../../../test/servers/needs.js'
import type { ConnectorFactory, RestoreFacts, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { pgDump } from './connectors/pg-dump.js'
import { identifier } from './quoting.js'
import {
  connectorSettings,
  dumpBytes,
  execute,
  TestDatabase,
  testContext,
  type SettingsChanges,
} from './test-fixture.js'

/** For tests only: databases to restore into. */

/** One of each format; pg-dump-gis restores as pg-dump-custom does, and what is its own has tests of its own. */
export const factories = [pgDumpCustom, pgDump]

export function restore(
  factory: ConnectorFactory,
  database: TestDatabase,
  source: Buffer | RestoreSource,
  request: Partial<RestoreRequest> = {},
  changes: SettingsChanges = {},
  cx = testContext(),
): Promise<RestoreFacts> {
  const from = Buffer.isBuffer(source) ? restoreSource(source) : source
  return factory
    .create(connectorSettings(database.connection, changes))
    .restore(cx, from, restoreRequest(request))
}

const fill = `CREATE TABLE parent (id int PRIMARY KEY, t text);
  INSERT INTO parent SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 3000) i;
  CREATE TABLE child (parent int REFERENCES parent); INSERT INTO child SELECT generate_series(1, 500);
  CREATE VIEW seen AS SELECT id FROM parent;
  CREATE TABLE script (line text); INSERT INTO script VALUES ('BEGIN;'), ('COMMIT;'), (E'\\\\.'), ('COPY x FROM stdin;'), ('--'), ('''');
  CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$
BEGIN
COMMIT;
COMMIT;
END $$;
  SELECT lo_from_bytea(4711, 'large')`
export const change = `UPDATE parent SET t = 'changed' WHERE id < 100; DELETE FROM child WHERE parent > 400; SELECT lo_put(4711, 0, 'other')`

export const contentOf = async (database: TestDatabase) => ({
  rows: await database.digest(),
  schema: await database.schemaText(),
  largeObjects: await database.largeObjects(),
})

/** One filled database and its dumps for all tests of a file; databases of one test, which are looked after and dropped. */
export class RestoreBench {
  readonly #server: ServerNeed
  readonly #dumps = new Map<ConnectorFactory, Buffer>()
  #original: TestDatabase | undefined
  #made: TestDatabase[] = []

  constructor(server: ServerNeed) {
    this.#server = server
    beforeAll(async () => {
      if (server.missing !== undefined) return
      this.#original = await new TestDatabase(server.server()).make()
      await this.#original.execute(fill)
      for (const factory of factories) {
        this.#dumps.set(
          factory,
          (await dumpBytes(connectorSettings(this.#original.connection), factory)).bytes,
        )
      }
    })
    afterAll(() => this.#original?.drop())
    beforeEach(() => {
      this.#made = []
    })
    afterEach(async () => {
      for (const database of this.#made) {
        expect(await leftovers(database)).toEqual([])
        await database.drop()
      }
    })
  }

  get original(): TestDatabase {
    if (this.#original === undefined) throw new Error('there is no server')
    return this.#original
  }

  dump(factory: ConnectorFactory): Buffer {
    return this.#dumps.get(factory) ?? Buffer.alloc(0)
  }

  absent(): TestDatabase {
    const database = new TestDatabase(this.#server.server())
    this.#made.push(database)
    return database
  }

  empty(): Promise<TestDatabase> {
    return this.absent().make()
  }

  filled(): Promise<TestDatabase> {
    return this.absent().make(`TEMPLATE ${identifier(this.original.name)}`)
  }

  /** A dump, and a database whose rows are no longer those of the dump. */
  async prepared(factory: ConnectorFactory) {
    const target = await this.filled()
    await target.execute(change)
    return { bytes: this.dump(factory), target, old: await contentOf(target) }
  }
}

/** Databases that a failed or finished restore must not leave behind. */
export async function leftovers({ server, name }: TestDatabase): Promise<readonly string[]> {
  const found = await execute<{ name: string }>(
    server,
    'postgres',
    `SELECT datname::text AS name FROM pg_database WHERE datname ~ '_(restoring|replaced)_[0-9a-f]{8}$' AND starts_with(datname, $1)`,
    [name],
  )
  return found.map((row) => row.name)
}

/** The first bytes, in pieces, then nothing more. */
export function stalled(bytes: Buffer, cut: number): RestoreSource {
  return {
    parts: [{ name: 'dump', role: 'dump' }],
    open: () => {
      let at = 0
      return Promise.resolve(
        new Readable({
          read() {
            if (at >= cut) return
            const piece = bytes.subarray(at, Math.min(at + 65_536, cut))
            at += piece.length
            this.push(piece)
          },
        }),
      )
    },
  }
}

export async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A dump by pg_dump itself, as others make it. */
export async function rawDump(database: TestDatabase, ...args: readonly string[]): Promise<Buffer> {
  const { binDirectory, host, port, user, password } = database.server
  const { stdout } = await promisify(execFile)(
    join(binDirectory, 'pg_dump'),
    [...args, `--host=${host}`, `--port=${port}`, `--username=${user}`, `--dbname=${database.name}`],
    { env: { ...process.env, PGPASSWORD: password }, encoding: 'buffer', maxBuffer: 1024 ** 3 },
  )
  return stdout
}
