import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../engine/cell.js'
import type { TableHeader } from '../../engine/table-header.js'
import { sqliteEngine } from '../../engines/sqlite/engine.js'
import { removeTestFolders, TestDatabase } from '../../engines/sqlite/test-database.js'
import { nodeEnv } from '../../env/node-env.js'
import { HoldfastError } from '../../errors.js'
import { openDjango } from './django.js'
import { shopIndented, shopJson, shopLines, shopSchema } from './test-shop.js'

const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const folder = await nodeEnv().temporaryDirectory()
let targets: readonly TableHeader[] = []

beforeAll(async () => {
  const database = TestDatabase.empty()
  for (const statement of shopSchema) database.run(statement)
  const source = await sqliteEngine.rows?.openSource(cx, database.connection)
  targets = (await source?.tables()) ?? []
  await source?.close()
})
afterAll(async () => {
  removeTestFolders()
  await folder.remove()
})

async function contentOf(text: string, known = targets) {
  const path = join(folder.path, 'shop.json')
  writeFileSync(path, text)
  const source = await openDjango(cx, path, known)
  const found: Record<string, { columns: readonly string[]; rows: readonly Row[]; place: string }> = {}
  for await (const { header, rows, place } of source.tables(source.headers)) {
    const all: Row[] = []
    for await (const chunk of rows) all.push(...chunk.rows)
    found[header.table.name] = {
      columns: header.columns.map(({ name }) => name),
      rows: all,
      place: place(all.length - 1),
    }
  }
  return found
}

async function refusal(text: string): Promise<string> {
  const error: unknown = await contentOf(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof HoldfastError ? `${error.code} ${error.message}` : String(error)
}

describe('fixtures of Django', () => {
  it.each([
    ['lines', shopLines],
    ['an array', shopJson],
    ['an indented array', shopIndented],
  ])(
    'as %s become the rows of their tables, many-to-many lists those of join tables',
    async (_form, text) => {
      const found = await contentOf(text)
      expect(found['shop_author']).toMatchObject({
        columns: ['id', 'name', 'email', 'born', 'mentor_id'],
        rows: [
          [1, 'Ada Löwe', 'ada@work.test', '1815-12-10', null],
          [2, 'Bob', 'bob@work.test', null, 1],
        ],
      })
      expect(found['shop_author_friends']).toMatchObject({
        columns: ['from_author_id', 'to_author_id'],
        rows: [
          [1, 2],
          [2, 1],
        ],
      })
      expect(found['shop_book_tags']).toMatchObject({
        columns: ['book_id', 'tag_id'],
        rows: [
          [1, 1],
          [1, 2],
        ],
      })
      const data = { '~': 'jsontext', v: '{"pages":[1,2,{"~":"x"}]}' }
      expect(found['shop_book']?.rows[0]).toEqual([
        1,
        'Notes',
        1,
        '12.50',
        '2024-01-01T10:00:00.123Z',
        data,
        '9007199254740993',
        '12345678123456781234567812345678',
        '09:30:00',
        86_405_000_000,
        { '~': 'bytes', v: 'AP8=' },
      ])
    },
  )

  it('say where a row stands', async () => {
    expect((await contentOf(shopLines))['shop_book']?.place).toBe('shop.json:6')
    expect((await contentOf(shopIndented))['shop_tag']?.place).toBe('shop.json:36')
  })

  it('whose target is not known have the names of Django', async () => {
    const found = await contentOf(shopLines, [])
    expect(found['shop_book_tags']).toMatchObject({
      columns: ['book_id', 'tag_id'],
      rows: [
        [1, 1],
        [1, 2],
      ],
    })
    expect(found['shop_author']?.columns).toEqual(['id', 'name', 'email', 'born', 'mentor'])
  })

  it('that alternate between models lose nothing', async () => {
    const author = (id: number) =>
      `{"model": "shop.author", "pk": ${id}, "fields": {"name": "a", "email": "${id}@x", "friends": []}}`
    const tag = (id: number) =>
      `{"model": "shop.tag", "pk": ${id}, "fields": {"slug": "${id}", "label": "}]\\"{"}}`
    const lines = Array.from({ length: 2500 }, (_, id) => `${author(id)}\n${tag(id)}\n`).join('')
    const found = await contentOf(lines)
    expect([found['shop_author']?.rows.length, found['shop_tag']?.rows.length]).toEqual([2500, 2500])
    expect(found['shop_tag']?.rows[2499]).toEqual([2499, '2499', '}]"{'])
  })

  it('that cannot be loaded faithfully are refused, with file and line', async () => {
    expect(await refusal(shopLines.replace('"tags": [1,2]', '"tags": [["math"],["tea"]]'))).toBe(
      'integrity.format shop.json:5: shop.book.tags holds a natural key, which is not supported',
    )
    expect(await refusal(shopLines.replace('"author": 2', '"author": ["bob@work.test"]'))).toBe(
      'integrity.format shop.json:6: shop.book.author holds a natural key, which is not supported',
    )
    expect(await refusal(shopLines.replace('"model": "shop.tag","pk": 2,', '"model": "shop.tag",'))).toBe(
      'integrity.format shop.json:4: an object of shop.tag has no pk: natural primary keys are not supported',
    )
    expect(await refusal(shopJson.slice(0, -9))).toMatch(
      /^integrity\.truncated shop\.json:1: ends in the middle/u,
    )
    expect(await refusal(shopLines.slice(0, -9))).toMatch(
      /^integrity\.truncated shop\.json:7: ends in the middle|^integrity\.truncated shop\.json:6/u,
    )
    expect(await refusal(shopJson.replace('}}, {', '}} {'))).toMatch(
      /^integrity\.format shop\.json:1: "\{" where an object should be/u,
    )
    expect(await refusal('<django-objects/>')).toMatch(
      /^integrity\.format shop\.json:1: "<" where an object should be/u,
    )
    expect(await refusal('{"model": "x", "fields": {}}')).toMatch(
      /^integrity\.format shop\.json:1: no object of a fixture: model/u,
    )
    expect(await refusal('[]')).toBe('integrity.empty shop.json holds no objects')
  })
})
