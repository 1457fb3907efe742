import fc from 'fast-check'
import { expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { connectionString, identifier, literal } from './quoting.js'
import { execute, statements, TestDatabase } from './test-fixture.js'

const server = needsServer('postgresql')

it('writes connection strings that libpq reads', () => {
  expect(connectionString({ dbname: `it's \\ a=b`, sslmode: undefined, port: '1' })).toBe(
    `dbname='it\\'s \\\\ a=b' port='1'`,
  )
})

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => !value.includes('\0'))

server.it(
  'FAILURES 39, 74: the server reads any literal and any name as it was meant, whatever its settings',
  async () => {
    const samples = fc.sample(text, 100)
    const select = `SELECT ARRAY[${samples.map(literal).join(', ')}]::text[] AS texts`
    for (const conforming of ['on', 'off']) {
      const settings = `SET standard_conforming_strings = ${conforming}; SET escape_string_warning = off`
      const rows = await statements<{ texts: string[] }>(server.server(), 'postgres', [settings, select])
      expect(rows).toEqual([{ texts: samples }])
    }
    const names = samples.filter((name) => name !== '' && Buffer.byteLength(name) < 60)
    const [named] = await execute<Record<string, number>>(
      server.server(),
      'postgres',
      `SELECT ${[...new Set(names)].map((name, index) => `${index} AS ${identifier(name)}`).join(', ')}`,
    )
    expect(Object.keys(named ?? {}).sort()).toEqual([...new Set(names)].sort())
  },
)

server.it('FAILURES 39: a database of any name is reached', async () => {
  for (const name of [
    'a=b',
    'postgres://x',
    '-d',
    "it's",
    'back\\slash',
    'new\nline',
    '"quoted" %s ☃',
    ' ',
  ]) {
    const database = new TestDatabase(server.server(), `${name} q`)
    try {
      await database.make()
      expect(await database.pgDump()).toContain('PostgreSQL database dump complete')
    } finally {
      await database.drop()
    }
  }
})
