import { BSON } from 'mongodb'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromJson, toJson } from './ordered-json.js'

const { Binary, BSONRegExp, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } =
  BSON

const throughJson = (document: Uint8Array) =>
  Buffer.from(BSON.serialize(fromJson(BSON, toJson(BSON, document)) as unknown as BSON.Document))

it('keeps the order of keys that look like numbers', () => {
  const key = new Map<string, unknown>([
    ['b', new Int32(1)],
    ['0', new Int32(-1)],
    ['a.10', 'text'],
  ])
  const document = BSON.serialize(new Map([['key', key]]))
  expect(toJson(BSON, document)).toBe(
    '{"key":{"b":{"$numberInt":"1"},"0":{"$numberInt":"-1"},"a.10":"text"}}',
  )
  expect(throughJson(document).equals(Buffer.from(document))).toBe(true)
})

it('keeps every type as it is', () => {
  const document = BSON.serialize({
    int: new Int32(1),
    double: new Double(1),
    negativeZero: new Double(-0),
    infinite: new Double(-Infinity),
    long: Long.MAX_VALUE,
    decimal: Decimal128.fromString('1.50'),
    date: new Date('1969-12-31T23:59:59.999Z'),
    timestamp: new Timestamp({ t: 1, i: 2 }),
    pattern: new BSONRegExp('^a"b', 'im'),
    bytes: new Binary(Buffer.from([1, 2]), 0),
    id: new ObjectId('65a000000000000000000001'),
    least: new MinKey(),
    most: new MaxKey(),
    code: new Code('f', { x: new Int32(1) }),
    none: null,
    yes: true,
    list: [new Int32(1), { '1': 'x' }, []],
    filter: { $gt: new Int32(5), $regex: 'a', $options: 'i' },
    schema: { $jsonSchema: { required: ['a'], properties: { a: {} } } },
    __proto__: null,
    'quote"\\ and: colon': 'text "key": {',
    empty: {},
  })
  expect(throughJson(document).toString('hex')).toBe(Buffer.from(document).toString('hex'))
})

it('keeps documents of any keys and texts', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.boolean(),
      fc.maxSafeInteger().map((each) => Long.fromNumber(each)),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('document'),
    ),
    document: fc
      .uniqueArray(fc.tuple(fc.string().filter(isKey), tie('value')), {
        maxLength: 4,
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries)),
  })).document
  fc.assert(
    fc.property(value, (document) => {
      const bytes = BSON.serialize(document)
      expect(throughJson(bytes).equals(Buffer.from(bytes))).toBe(true)
    }),
  )
})

/** A key may not hold NUL; that it may begin with `$` is tested above. */
function isKey(key: string): boolean {
  return !key.includes('\0') && !key.startsWith('$')
}
