import { statSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import { dumpRequest, restoreRequest } from '../../testing/connector-contract.js'
import { connectorOf } from './test-connector.js'
import { removeTestFolders, TestDatabase, testContext } from './test-database.js'

afterAll(removeTestFolders)

/** SQLite's locks lie at this offset, and the page that holds it is never used (https://sqlite.org/fileformat2.html, 1.4). */
const lockOffset = 2 ** 30

it.each(['sqlite-backup', 'sqlite-copy'] as const)(
  'FAILURES 62: a database over 1 GiB comes back whole through %s',
  async (name) => {
    const source = new TestDatabase()
    source.run(`
      PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      CREATE TABLE large (id INTEGER PRIMARY KEY, mark TEXT, content BLOB);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1050)
      INSERT INTO large SELECT i, 'row ' || i, zeroblob(1048576) FROM n`)
    const plainBytes = statSync(source.path).size
    expect(plainBytes).toBeGreaterThan(lockOffset)

    const target = new TestDatabase()
    const dump = await connectorOf(name, source).dump(testContext(), dumpRequest())
    for await (const { bytes } of dump.parts)
      await connectorOf(name, target).restore(
        testContext(),
        { parts: [{ name: 'dump', role: 'dump', plainBytes }], open: () => Promise.resolve(bytes) },
        restoreRequest({ create: true }),
      )
    const digest =
      'SELECT count(*), sum(id), group_concat(mark), sum(length(content)), max(content) = zeroblob(1048576) FROM large'
    expect(target.rows(digest)).toEqual(source.rows(digest))
    expect(target.rows('PRAGMA integrity_check')).toEqual([['ok']])
  },
  120_000,
)
