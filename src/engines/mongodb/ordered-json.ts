import type { BSON } from 'mongodb'

/**
 * Collection options and index definitions between BSON and the extended JSON (canonical form) of an archive's metadata,
 * with the order of all keys: an index on `b` and `0` is another than one on `0` and `b`, and JavaScript's objects would put
 * the number first.
 */
export type Bson = typeof BSON
export type OrderedDocument = ReadonlyMap<string, unknown>

const objectType = 3
const arrayType = 4

/** An element of a document: its name and its value, as BSON. */
export interface Element {
  readonly name: string
  readonly type: number
  readonly value: Uint8Array
}

export function elementsOf(bson: Bson, document: Uint8Array): readonly Element[] {
  return [...bson.onDemand.parseToElements(document)].map(([type, nameAt, nameLength, at, length]) => ({
    name: Buffer.from(document.subarray(nameAt, nameAt + nameLength)).toString(),
    type,
    value: document.subarray(at, at + length),
  }))
}

export function toJson(bson: Bson, document: Uint8Array): string {
  return `{${elementsOf(bson, document)
    .map((element) => `${JSON.stringify(element.name)}:${valueJson(bson, element)}`)
    .join(',')}}`
}

function valueJson(bson: Bson, { type, value }: Element): string {
  if (type === objectType) return toJson(bson, value)
  if (type === arrayType)
    return `[${elementsOf(bson, value)
      .map((element) => valueJson(bson, element))
      .join(',')}]`
  const head = Buffer.from([0, 0, 0, 0, type, 0x76, 0])
  head.writeInt32LE(value.length + 8)
  const alone = bson.deserialize(Buffer.concat([head, value, Buffer.of(0)]), {
    promoteValues: false,
    promoteLongs: false,
    bsonRegExp: true,
  })
  return bson.EJSON.stringify(alone, { relaxed: false }).slice('{"v":'.length, -1)
}

/** Objects of these first keys are values, not documents. `$regex` is not among them: in a filter it is an operator. */
const valueKeys = new Set(
  [
    'oid',
    'binary',
    'uuid',
    'symbol',
    'numberInt',
    'numberDecimal',
    'numberDouble',
    'numberLong',
    'minKey',
    'maxKey',
  ]
    .concat(['regularExpression', 'timestamp', 'date', 'code', 'dbPointer', 'undefined'])
    .map((name) => `$${name}`),
)

/** Documents become maps, which the driver writes in their order. @throws SyntaxError */
export function fromJson(bson: Bson, json: string): OrderedDocument {
  // With something before every key, none of them looks like a number, and JSON.parse keeps their order.
  const marked = json.replace(/"(?:[^"\\]|\\.)*"(\s*:)?/gu, (token, colon: string | undefined) =>
    colon === undefined ? token : `"_${token.slice(1)}`,
  )
  const read = ordered(bson, JSON.parse(marked))
  if (read instanceof Map) return read as OrderedDocument
  throw new SyntaxError('the metadata is no document')
}

function ordered(bson: Bson, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => ordered(bson, each))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [key.slice(1), each] as const)
  if (valueKeys.has(entries[0]?.[0] ?? '')) return extended(bson, value)
  return new Map(entries.map(([key, each]) => [key, ordered(bson, each)]))
}

function extended(bson: Bson, value: object): unknown {
  const plain = (each: unknown): unknown =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).map(([key, inner]) => [key.slice(1), plain(inner)]))
      : each
  const read: unknown = bson.EJSON.deserialize({ v: plain(value) }, { relaxed: false })
  return (read as { v: unknown }).v
}
