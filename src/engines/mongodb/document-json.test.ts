import { BSON } from 'mongodb'
import { expect, it } from 'vitest'
import { needsSamples } from '../../../test/servers/needs.js'
import type { Cell } from '../../engine/cell.js'
import { DocumentWriter } from './document-bson.js'
import { DocumentReader, idJson } from './document-json.js'
import { documentMaker, lineMaker, mappingOfRows } from './rows-documents.js'
import { plainHeader } from './rows-header.js'
import { corpus, documentOf, element } from './test-bson.js'

const reader = new DocumentReader(BSON)
const writer = new DocumentWriter(BSON)
const again = (cell: string) => writer.write(JSON.parse(cell) as Cell, undefined)

needsSamples().it('every document of the corpus is the same bytes after it was a cell', () => {
  const changed: string[] = []
  let asJson = 0
  for (const [name, documents] of corpus())
    for (const document of documents) {
      const { id, cell } = reader.read(document)
      if (reader.id(document) !== id) changed.push(`${name} by its _id: ${id}`)
      if (!cell.startsWith('{"~":"bson"')) asJson += 1
      if (!again(cell).equals(document)) changed.push(`${name} ${document.toString('hex')}`)
      // Extended JSON that others read as the same document.
      if (cell.startsWith('{"_id"')) {
        const theirs = BSON.serialize(BSON.EJSON.parse(cell, { relaxed: false }) as object)
        if (!document.equals(theirs) && name !== 'top') changed.push(`${name} for others: ${cell}`)
      }
    }
  expect(changed).toEqual([])
  expect(asJson).toBeGreaterThan(250)
})

it.each<[string, Buffer, string]>([
  [
    'the same key twice',
    Buffer.concat([element(8, 'x', Buffer.of(1)), element(8, 'x', Buffer.of(0))]),
    'bson',
  ],
  ['a key that looks like a type', element(8, '$oid', Buffer.of(1)), 'bson'],
  ['NaN with a payload', element(1, 'x', Buffer.from('010000000000f87f', 'hex')), 'bson'],
  ['bytes that are not UTF-8', element(2, 'x', Buffer.from('02000000ff00', 'hex')), 'bson'],
  [
    'keys like numbers',
    Buffer.concat(['b', '1', '0'].map((key) => element(8, key, Buffer.of(1)))),
    'jsontext',
  ],
  ['a wrapper of ours', element(2, '~', Buffer.from('05000000' + '62736f6e00', 'hex')), 'jsontext'],
])('%s', (_what, elements, kind) => {
  const document = documentOf(1, elements)
  const { cell } = reader.read(document)
  expect(cell.startsWith(`{"~":"${kind}"`)).toBe(true)
  expect(again(cell)).toEqual(document)
})

it('an _id is a text that no other _id has, and says it', () => {
  const ids = [
    new BSON.ObjectId(),
    'a',
    '',
    '65f0c0ffee65f0c0ffee65f0',
    'true',
    '{"a":1}',
    '"a"',
    '~',
    true,
    null,
  ]
  const more = [
    new BSON.Int32(1),
    '1',
    new BSON.Double(1),
    new BSON.Long(1),
    [1],
    new Date(5),
    { a: new BSON.Int32(1) },
  ]
  const texts = [...ids, ...more].map((_id) => reader.read(BSON.serialize({ _id })).id)
  expect(texts.slice(1, 4)).toEqual(['a', '""', '"65f0c0ffee65f0c0ffee65f0"'])
  expect(texts[0]).toBe(String(ids[0]))
  expect(new Set(texts).size).toBe(texts.length)
  for (const text of texts) expect(reader.read(writer.write({}, idJson(text))).id).toBe(text)
})

it.each<[string, Cell]>([
  ['a bare number', { a: 5 }],
  ['a type that is none', { a: { $number: '5' } }],
  ['a value that is not of its type', { a: { $oid: '5' } }],
  ['a number out of its range', { a: { $numberInt: '4000000000' } }],
  ['a list', [1]],
])('%s is refused', (_what, cell) => {
  expect(() => writer.write(cell, undefined)).toThrow(/holds|is no document/u)
})

it('a row is a document of what BSON has, which is the same row again', () => {
  const column = { nullable: true, hasDefault: false }
  const types = ['i64', 'u64', 'numeric', 'f64', 'f64', 'u8', 'bytes', 'timestamptz', 'text']
  const row = [
    '9223372036854775807',
    '18446744073709551615',
    '-12.50',
    '-0',
    'NaN',
    255,
    'AP8=',
    '2024-02-29T12:00:00.5Z',
    '',
  ]
  const names = types.map((_type, index) => `c${index}`)
  const { table } = mappingOfRows({
    ...plainHeader('all'),
    columns: types.map((type, index) => ({ ...column, name: `c${index}`, type })),
  })
  const made = writer.write(documentMaker(table, names)(row), { $oid: '65f0c0ffee65f0c0ffee65f0' })
  expect(
    BSON.EJSON.stringify(BSON.deserialize(made, { promoteValues: false, promoteLongs: false }), {
      relaxed: false,
    }),
  ).toContain(
    '"c1":{"$numberDecimal":"18446744073709551615"},"c2":{"$numberDecimal":"-12.50"},"c3":{"$numberDouble":"-0.0"}',
  )
  // A decimal is not compared: it may come back with other zeros at its end.
  const compared = names.filter((_name, index) => types[index] !== 'numeric')
  const cells = JSON.parse(lineMaker(BSON, table, compared)(made)) as Cell[]
  expect(cells).toEqual(row.filter((_cell, index) => types[index] !== 'numeric'))
  const wide = documentMaker(table, ['c2'])
  expect(() => wide(['1'.repeat(35)])).toThrow('more than 34 digits')
})
