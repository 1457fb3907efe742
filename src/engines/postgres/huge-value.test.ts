import { freemem } from 'node:os'
import { afterAll, beforeAll, expect } from 'vitest'
import { needsAll, needsServer, needsTool } from '../../../test/servers/needs.js'
import { HoldfastError } from '../../errors.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { connectorSettings, dumpBytes, TestDatabase } from './test-fixture.js'

const server = needsServer('postgresql')
const gigabyte = 1024 ** 3
/** The server holds the value some times over while it makes it. */
const roomy = needsTool(...(freemem() > 4 * gigabyte ? [] : ['4 GB of free memory']))
const need = needsAll(server, roomy)

need.describe('FAILURES 26: a value that COPY text cannot hold', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await new TestDatabase(server.server()).make()
    await database.execute('CREATE TABLE "large files" (id int, content bytea)')
    // 600 MB, in pieces as a text of more than a gigabyte is not possible; compressed they take little of the disk.
    await database.execute(
      `INSERT INTO "large files" SELECT 1, string_agg(convert_to(repeat('x', 100000000), 'UTF8'), '') FROM generate_series(1, 6)`,
    )
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  for (const factory of [pgDumpCustom, pgDump]) {
    need.it(
      `${factory.name}: the error names the table and a way out, which is one`,
      async () => {
        const settings = connectorSettings(database.connection)
        const error: unknown = await dumpBytes(settings, factory).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(HoldfastError)
        expect(error).toMatchObject({
          code: 'tool.failed',
          message: expect.stringContaining('the contents of table "large files" failed') as string,
          hint: expect.stringMatching(/512 MB .*--exclude-data .*FORMAT binary/u) as string,
        })
        const { bytes } = await dumpBytes(settings, factory, { excludeData: ['large files'] })
        expect(bytes.toString('latin1')).toContain('large files')
        expect(bytes.length).toBeLessThan(100_000)
      },
      120_000,
    )
  }

  need.it(
    'the way out of the hint holds the value',
    async () => {
      const length = 'SELECT octet_length(content) AS bytes FROM "large files"'
      expect(await database.rows(length)).toEqual([{ bytes: 600_000_000 }])
      await database.execute(
        `COPY "large files" TO PROGRAM 'test $(wc -c) -gt 600000000' WITH (FORMAT binary)`,
      )
    },
    120_000,
  )
})
