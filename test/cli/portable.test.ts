import { DatabaseSync } from '@photostructure/sqlite'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { shopJson, shopLines, shopSchema } from '../../src/portable/converters/test-shop.js'
import { execute, testFolder } from '../flows/workbench.js'
import { built, documentOf, holdfast } from './command-line.js'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

function ask(path: string, sql: string): unknown[][] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row as Record<string, unknown>))
  } finally {
    db.close()
  }
}

async function shop() {
  const cwd = await testFolder()
  const path = join(cwd, 'shop.db')
  execute(path, shopSchema.join(';'))
  const run = (...args: readonly string[]) => holdfast([...args, '--database', 'sqlite:./shop.db'], { cwd })
  return { cwd, path, run }
}

built.it('a fixture of Django is loaded, as JSON and as lines, many-to-many lists included', async () => {
  const { cwd, path, run } = await shop()
  for (const [name, text] of [
    ['fixture.json', shopJson],
    ['fixture.jsonl', shopLines],
  ] as const) {
    writeFileSync(join(cwd, name), text)
    const ended = await run('load', '--from', 'django', name, '--yes', '--json')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    expect(documentOf(ended)).toMatchObject({ command: 'load', loaded: true })
    expect(ask(path, 'SELECT title, price, CAST(big AS TEXT) FROM shop_book ORDER BY id')).toEqual([
      ['Notes', 12.5, '9007199254740993'],
      ['Empty', 0, null],
    ])
    expect(ask(path, 'SELECT book_id, tag_id FROM shop_book_tags ORDER BY tag_id')).toEqual([
      [1, 1],
      [1, 2],
    ])
  }
})

built.it('data files of dumpdb are loaded with their defaults, and are never run', async () => {
  const { cwd, path, run } = await shop()
  execute(path, 'DROP TABLE shop_book_tags')
  mkdirSync(join(cwd, 'old'))
  const text = (records: string) =>
    `table = 'shop_tag'\nfields = ['id', 'slug']\ndefault = {'label': ('reference', 'slug')}\nrecords = [\n${records}]\n`
  writeFileSync(join(cwd, 'old', 'shop_tag.py'), text("[1, u'caf\\xe9']\n[2, 'tea']\n"))
  expect(await run('load', '--from', 'dumpdb', 'old', '--yes')).toMatchObject({ code: 0 })
  const loaded = [
    [1, 'café', 'café'],
    [2, 'tea', 'tea'],
  ]
  expect(ask(path, 'SELECT id, slug, label FROM shop_tag ORDER BY id')).toEqual(loaded)
  writeFileSync(join(cwd, 'old', 'shop_tag.py'), text("[1, __import__('os').system('touch ran')]\n"))
  expect(await run('load', '--from', 'dumpdb', 'old', '--yes')).toMatchObject({ code: 7 })
  expect(existsSync(join(cwd, 'ran'))).toBe(false)
  expect(ask(path, 'SELECT id, slug, label FROM shop_tag ORDER BY id')).toEqual(loaded)
})

built.it('models fill what a dump lacks, and their modules are groups', async () => {
  const cwd = await testFolder()
  const path = join(cwd, 'shop.db')
  symlinkSync(modules, join(cwd, 'node_modules'))
  writeFileSync(
    join(cwd, 'people.ts'),
    `import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
export const people = sqliteTable('people', {
  id: integer().primaryKey(),
  mail: text().notNull(),
  role: text().notNull().$defaultFn(() => 'reader'),
})`,
  )
  const index = new URL('../../dist/index.js', import.meta.url)
  writeFileSync(
    join(cwd, 'holdfast.config.ts'),
    `import { defineConfig, drizzleModels } from ${JSON.stringify(fileURLToPath(index))}
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import * as staff from './people.js'
export default defineConfig({ databases: { shop: 'sqlite:./shop.db' }, models: [drizzleModels({ schema: { staff }, getTableConfig, isTable: (value) => is(value, SQLiteTable) })] })`,
  )
  execute(
    path,
    "CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT NOT NULL); CREATE TABLE other(id INTEGER PRIMARY KEY); INSERT INTO people VALUES (1, 'a@x')",
  )
  expect(await holdfast(['dump', 'staff'], { cwd })).toMatchObject({ code: 0 })
  expect(existsSync(join(cwd, 'datadir/tables/other.ndjson'))).toBe(false)
  execute(
    path,
    'ALTER TABLE people RENAME TO gone; CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT NOT NULL, role TEXT NOT NULL)',
  )
  expect(await holdfast(['load', '--yes'], { cwd })).toMatchObject({ code: 0 })
  expect(ask(path, 'SELECT * FROM people')).toEqual([[1, 'a@x', 'reader']])
})

built.it('the short options of the old script: -s shows and changes nothing, -d, -r, -e, -v', async () => {
  const { cwd, path, run } = await shop()
  execute(path, "DROP TABLE shop_book_tags; INSERT INTO shop_tag VALUES (1, 'a', 'A'), (2, 'b', 'B')")
  const shown = await run('dump', 'shop_tag', '-s')
  expect(shown).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('\n[1,"a","A"]\n[2,"b","B"]\n') as string,
  })
  expect(await run('dump', 'shop_tag', '-d', 'fixtures')).toMatchObject({ code: 0 })
  expect(existsSync(join(cwd, 'datadir'))).toBe(false)
  execute(path, "DELETE FROM shop_tag; INSERT INTO shop_tag VALUES (3, 'c', 'C')")
  expect(await run('load', '-s', '-d', 'fixtures')).toMatchObject({ code: 0 })
  expect(ask(path, 'SELECT id FROM shop_tag')).toEqual([[3]])
  expect(await run('load', '-r', '-e', '-v', '-d', 'fixtures')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/TABLE +ROWS +INSERTED[^\n]*\n *shop_tag +2 +2 /u) as string,
  })
  expect(ask(path, 'SELECT id FROM shop_tag ORDER BY id')).toEqual([[1], [2], [3]])
})
