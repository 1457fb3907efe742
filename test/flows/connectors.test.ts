import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { defineCommandConnector, defineConnector } from '../../src/index.js'
import { needsTool } from '../servers/needs.js'
import { contentOf, execute, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const lines = defineConnector({
  name: 'json-lines',
  engine: 'jsonl',
  extension: 'jsonl',
  replacesFile: true,
  dump: ({ connection }) => createReadStream(connection.name),
  restore: ({ connection }, dump) => pipeline(dump, createWriteStream(connection.name)),
})

const shell = defineCommandConnector({
  name: 'sqlite-shell',
  engine: 'sqlite',
  extension: 'sql',
  format: { startsWith: 'PRAGMA foreign_keys=OFF;', endsWith: 'COMMIT;' },
  transactional: true,
  version: ['sqlite3', '--version'],
  dump: ({ connection }) => ['sqlite3', '-readonly', connection.name, '.dump'],
  restore: ({ connection }) => ['sqlite3', '-bail', connection.name],
})

async function people() {
  const folder = await testFolder()
  const file = join(folder, 'people.jsonl')
  writeFileSync(file, '{"name":"Ada"}\n')
  return { folder, file }
}

it.each([
  [
    'connectors maps its engine',
    { connectors: { jsonl: lines }, databases: { people: 'jsonl:./people.jsonl' } },
  ],
  [
    'a database names it',
    { databases: { people: { engine: 'jsonl', name: './people.jsonl', connector: lines } } },
  ],
  [
    'a database with a URL names it',
    { databases: { people: { url: 'jsonl:people.jsonl', connector: lines } } },
  ],
  [
    'connectors maps another name',
    { connectors: { people: lines }, databases: { people: 'people:./people.jsonl' } },
  ],
])('a new engine: %s', async (_how, config) => {
  const { folder, file } = await people()
  const hf = await holdfastIn(folder, config)
  const { filename, backup } = resultOf(await hf.backup())
  expect(filename).toMatch(/\.jsonl\.zst$/u)
  expect(backup?.manifest).toMatchObject({ engine: 'jsonl', connector: 'json-lines', format: 'json-lines' })
  writeFileSync(file, 'oops')
  await hf.restore({ confirm: true })
  expect(readFileSync(file, 'utf8')).toBe('{"name":"Ada"}\n')
  const copy = join(folder, 'copy.jsonl')
  await hf.restore({ to: copy, create: true, confirm: true })
  expect(readFileSync(copy, 'utf8')).toBe('{"name":"Ada"}\n')
})

it('a URL on the command line or in a call finds the engine that connectors adds', async () => {
  const { folder, file } = await people()
  const hf = await holdfastIn(folder, { connectors: { jsonl: lines } })
  resultOf(await hf.backup({ databases: [`jsonl:${file}`] }))
  await hf.restore({ to: `jsonl:${join(folder, 'copy.jsonl')}`, create: true, confirm: true })
})

it('what cannot be known of a dump without a checker is said', async () => {
  const { folder } = await people()
  const hf = await holdfastIn(folder, {
    connectors: { jsonl: lines },
    databases: { people: 'jsonl:people.jsonl' },
  })
  resultOf(await hf.backup())
  expect((await hf.verify()).results).toMatchObject([{ ok: true, result: { decoded: true, checked: false } }])
  const { checks } = await hf.doctor()
  expect(checks.filter(({ name }) => name === 'format')).toMatchObject([
    {
      subject: 'database people',
      status: 'warning',
      message: expect.stringContaining('json-lines') as string,
    },
  ])
})

it('an empty dump is never a backup', async () => {
  const { folder, file } = await people()
  writeFileSync(file, '')
  const hf = await holdfastIn(folder, {
    connectors: { jsonl: lines },
    databases: { people: 'jsonl:people.jsonl' },
  })
  expect(await hf.backup()).toMatchObject([{ ok: false, error: { code: 'integrity.empty' } }])
  expect((await hf.list()).backups).toEqual([])
})

it('settings that a connector does not heed are refused before anything starts', async () => {
  const { folder } = await people()
  await expect(
    holdfastIn(folder, {
      databases: { people: { url: 'jsonl:people.jsonl', connector: lines, exclude: ['a'] } },
    }),
  ).rejects.toMatchObject({ code: 'usage.not-supported' })
})

it('a definition that defineConnector has not seen is no connector', async () => {
  const definition = { name: 'x', engine: 'x', extension: 'x', create: () => undefined }
  const config = { connectors: { x: definition } } as never
  await expect(holdfastIn(await testFolder(), config)).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining('defineConnector') as string,
  })
})

needsTool('sqlite3').it(
  'a built-in connector is replaced, and what it has backed up still restores',
  async () => {
    const folder = await testFolder()
    const file = join(folder, 'shop.sqlite3')
    makeShop(file)
    const before = contentOf(file)
    const databases = { shop: 'sqlite:./shop.sqlite3' }
    const old = resultOf(await (await holdfastIn(folder, { databases })).backup())
    const hf = await holdfastIn(folder, { databases, connectors: { sqlite: shell } })
    const { backup, filename } = resultOf(await hf.backup())
    expect(filename).toMatch(/\.sql\.zst$/u)
    expect(backup?.manifest).toMatchObject({
      connector: 'sqlite-shell',
      tools: [{ name: 'sqlite3' }],
      source: { product: 'SQLite', tables: 3 },
    })
    expect((await hf.verify()).results).toMatchObject([{ ok: true, result: { checked: true } }])
    await hf.restore({ to: join(folder, 'copy.sqlite3'), create: true, confirm: true })
    expect(contentOf(join(folder, 'copy.sqlite3'))).toBe(before)
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'refused.not-empty' })
    execute(file, 'DELETE FROM orders')
    await hf.restore({ backup: old.id, confirm: true })
    expect(contentOf(file)).toBe(before)
  },
)
