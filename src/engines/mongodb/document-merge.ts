import { fromJson, toJson, type Bson } from './ordered-json.js'

/** The `_id` of a document, for a question to the server, and as a text that two have in common where the server takes them for equal. */
export interface DocumentId {
  readonly value: unknown
  readonly text: string
}

export function idOf(bson: Bson, document: Uint8Array): DocumentId {
  const id = piecesOf(bson, document).get('_id')
  const json = toJson(bson, documentOf(id === undefined ? [] : [id]))
  return { value: fromJson(bson, json).get('_id'), text: json.replace(wholeNumber, '{"$number":"$1"}') }
}

/** To the server 5 is the same `_id`, whatever its type. */
const wholeNumber = /\{"\$number(?:Int|Long|Double|Decimal)":"(-?\d+)(?:\.0+)?"\}/gu

/** The document that is there, with the fields of the one that was sent: in their places, or after all others. */
export function mergedDocument(bson: Bson, there: Uint8Array, sent: Uint8Array): Buffer {
  return documentOf([...new Map([...piecesOf(bson, there), ...piecesOf(bson, sent)]).values()])
}

/** The bytes of each field, by its name. */
function piecesOf(bson: Bson, document: Uint8Array): ReadonlyMap<string, Uint8Array> {
  return new Map(
    [...bson.onDemand.parseToElements(document)].map(([, nameAt, nameLength, at, length]) => [
      Buffer.from(document.subarray(nameAt, nameAt + nameLength)).toString('latin1'),
      document.subarray(nameAt - 1, at + length),
    ]),
  )
}

function documentOf(pieces: readonly Uint8Array[]): Buffer {
  const length = Buffer.alloc(4)
  const bytes = Buffer.concat([length, ...pieces, Buffer.of(0)])
  bytes.writeInt32LE(bytes.length)
  return bytes
}
