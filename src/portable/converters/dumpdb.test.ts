import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import type { Row } from '../../engine/cell.js'
import { nodeEnv } from '../../env/node-env.js'
import { HoldfastError } from '../../errors.js'
import { openDumpdb } from './dumpdb.js'
import { PythonReader } from './python-literal.js'

const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const folder = await nodeEnv().temporaryDirectory()
afterAll(() => folder.remove())
let folders = 0

/** As the old script wrote them: Python 2's repr of each value. */
function written(files: Readonly<Record<string, string>>): string {
  const path = join(folder.path, `datadir-${++folders}`)
  mkdirSync(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

async function contentOf(path: string) {
  const source = await openDumpdb(cx, path)
  const found = []
  for await (const { header, rows, place } of source.tables(source.headers)) {
    const all: Row[] = []
    for await (const chunk of rows) all.push(...chunk.rows)
    found.push({ header, rows: all, firstPlace: place(0) })
  }
  return found
}

async function refusal(files: Readonly<Record<string, string>>): Promise<string> {
  const error: unknown = await contentOf(written(files)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof HoldfastError ? `${error.code} ${error.message}` : String(error)
}

const people = `table = 'blog_person'
fields = ['id', 'name', 'mail', 'born', 'score', 'big', 'admin', 'bytes']
#default item format: "fieldname":("type", "value")
default = {'nick': ('reference', 'name'), 'seen': ('datetime', 'now'),
  'role': ('', 'user'), 'at': ('date', '2007-01-18')}
records = [
[1, u'Zo\\xeb', 'zo\\xc3\\xab@x', '1970-01-01', 1.5, 9007199254740993L, True, '\\xff\\x00']
[2, u"it's \\U0001f600", None, None, 1e+20, -5, False, None]
]
`

describe('data files of dumpdb', () => {
  it('are read as data: table, fields, defaults, records', async () => {
    const [person, tags] = await contentOf(
      written({
        'blog_person.py': people,
        'blog_tags.py':
          "table = 'blog_tags'\nfields = ['a', 'b']\ndefault = {}\nrecords = [\n[1, 2]\n[1, 3]\n]\n",
      }),
    )
    expect(person?.rows).toEqual([
      [1, 'Zoë', 'zoë@x', '1970-01-01', 1.5, '9007199254740993', true, { '~': 'bytes', v: '/wA=' }],
      [2, "it's 😀", null, null, 1e20, -5, false, null],
    ])
    expect(person?.header.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id i64',
      'name text',
      'mail text',
      'born text',
      'score f64',
      'big text',
      'admin bool',
      'bytes bytes',
    ])
    expect(person?.header.defaults).toEqual({
      nick: { kind: 'reference', value: 'name', on: ['missing'] },
      seen: { kind: 'datetime', value: 'now', on: ['missing'] },
      role: { kind: 'value', value: 'user', on: ['missing'] },
      at: { kind: 'date', value: '2007-01-18', on: ['missing'] },
    })
    expect(person?.firstPlace).toBe('blog_person.py:7')
    expect([tags?.header.table.name, tags?.rows.length]).toEqual(['blog_tags', 2])
  })

  it('may be of the form before version 1.3', async () => {
    const [table] = await contentOf(
      written({
        'old.py': "dump = {'table': 'old', 'records': [[1, 'a'],\n  [2, 'b']], 'fields': ['id', 'name']}\n",
      }),
    )
    expect([table?.header.table.name, table?.rows]).toEqual([
      'old',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ])
  })

  it('that would run something are refused', async () => {
    const evil = people.replace('[2, u"', '[__import__("os").system("touch /tmp/x"), u"')
    expect(await refusal({ 'a.py': evil })).toBe(
      'integrity.format a.py:8: __import__ is no literal, and nothing in a data file is run',
    )
    expect(await refusal({ 'a.py': "import os\ntable = 'a'\nfields = ['b']\nrecords = [\n]\n" })).toMatch(
      /a\.py:1: o where = should be/u,
    )
    expect(await refusal({ 'a.py': people.replace('1.5,', '1 + 1,') })).toMatch(
      /a\.py:7: \+ where , or \] should be/u,
    )
  })

  it('that are damaged are refused, with file and line', async () => {
    expect(await refusal({ 'a.py': people.slice(0, -3) })).toBe(
      'integrity.truncated a.py: ends before its records do: it is cut off',
    )
    expect(await refusal({ 'a.py': people.replace(', -5, False, None]', ', -5]') })).toBe(
      'integrity.format a.py:8: has 6 values for 8 fields',
    )
    expect(await refusal({ 'a.py': people.replace("'nick': ('reference'", "'nick': ('magic'") })).toMatch(
      /a\.py: default of nick: magic is not a kind of default/u,
    )
    expect(await refusal({ 'a.py': `${people}[3]\n` })).toMatch(
      /a\.py:10: goes on behind the end of records/u,
    )
    expect(await refusal({ 'a.py': people.replace('[1, u', `${'['.repeat(70)}1, u`) })).toMatch(
      /a\.py:7: values are nested deeper than 64/u,
    )
    expect(await refusal({ 'a.py': people, 'b.py': people })).toMatch(
      /b\.py:1: holds the table blog_person, as a\.py does/u,
    )
    expect(await refusal({})).toMatch(/^usage\.invalid .* holds no \.py data files of dumpdb/u)
    expect(await refusal({ 'views.py': "'''not data'''\n" })).toMatch(/views\.py:1/u)
  })

  needsTool('python3').it('read what the repr of Python writes', () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom(...`a'"\\ \n\t\u0000\u2028ж`), fc.constantFrom('😀')),
      maxLength: 12,
    })
    const leaf = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noDefaultInfinity: true, noNaN: true, noInteger: true }),
      text,
    )
    const rows = fc.sample(
      fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(text, leaf, { maxKeys: 3 })), {
        maxLength: 6,
      }),
      200,
    )
    const program =
      'import json, sys\nfor line in sys.stdin.buffer.read().split(b"\\n")[:-1]:\n  value = json.loads(line); print(ascii(value)); print(repr(value))'
    const printed = execFileSync('python3', ['-c', program], {
      input: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
      encoding: 'utf8',
      env: { ...process.env, PYTHONIOENCODING: 'utf8' },
    })
    const read = printed
      .split('\n')
      .slice(0, -1)
      .map((line) => PythonReader.value(line))
    expect(read).toEqual(rows.flatMap((row) => [row, row]))
  })
})
