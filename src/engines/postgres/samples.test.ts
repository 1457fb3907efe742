import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { needsAll, needsSamples, needsServer, samplesFolder } from '../../../test/servers/needs.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { factories } from './test-restore.js'
import { connectorSettings, dumpBytes, psql, TestDatabase, testContext } from './test-fixture.js'

const server = needsServer('postgresql')

interface Sample {
  readonly name: string
  load(database: TestDatabase): Promise<void>
  readonly tables: number
  readonly rows: number
}

const read = (file: string) => readFile(join(samplesFolder, file), 'utf8')

/** They make a database of a fixed name; the test has its own. */
async function loadChinook(database: TestDatabase, file: string): Promise<void> {
  const sql = await read(file)
  await psql(database, sql.replace(/^(?:DROP DATABASE|CREATE DATABASE|\\c ).*$/gmu, ''))
}

const samples: readonly Sample[] = [
  {
    name: 'Chinook',
    load: (database) => loadChinook(database, 'chinook/Chinook_PostgreSql.sql'),
    tables: 11,
    rows: 15_607,
  },
  {
    name: 'Chinook with serial keys',
    load: (database) => loadChinook(database, 'chinook/Chinook_PostgreSql_SerialPKs.sql'),
    tables: 11,
    rows: 15_607,
  },
  {
    name: 'Sakila',
    async load(database) {
      const schema = await read('sakila/postgres-sakila-schema.sql')
      // Its owner is not a role of every server.
      await psql(database, schema.replace(/^.* (?:OWNER TO|FROM|TO) postgres;$/gmu, ''))
      await psql(database, await read('sakila/postgres-sakila-insert-data-using-copy.sql'))
    },
    tables: 21,
    rows: 46_273,
  },
]

needsAll(server, needsSamples()).describe('public databases come back as they were', () => {
  for (const sample of samples) {
    for (const factory of factories) {
      it(`${sample.name} through ${factory.name}`, async () => {
        const original = await new TestDatabase(server.server()).make()
        const copy = new TestDatabase(server.server())
        try {
          await sample.load(original)
          const digest = await original.digest()
          const counts = Object.values(digest).map((value) => Number(value.split(':')[0]))
          expect(counts).toHaveLength(sample.tables)
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sample.rows)

          const { bytes, warnings } = await dumpBytes(connectorSettings(original.connection), factory)
          expect(warnings).toEqual([])
          const checker = factory.format.checker()
          checker.push(bytes)
          checker.end()
          const connector = factory.create(connectorSettings(copy.connection))
          const request = restoreRequest({ create: true })
          const { warnings: said } = await connector.restore(testContext(), restoreSource(bytes), request)
          expect(said).toEqual([])

          expect(await copy.digest()).toEqual(digest)
          expect(await copy.pgDump()).toBe(await original.pgDump())
          const facts = (database: TestDatabase) =>
            factory.create(connectorSettings(database.connection)).inspect(testContext())
          expect((await facts(copy)).server.schemaHash).toBe((await facts(original)).server.schemaHash)
        } finally {
          await original.drop()
          await copy.drop()
        }
      })
    }
  }
})
