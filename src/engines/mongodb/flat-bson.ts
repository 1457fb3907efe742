import { HoldfastError } from '../../errors.js'

/**
 * The small documents that an archive puts between the user's own: strings, numbers and booleans on one level
 * (https://bsonspec.org/spec.html). The driver's BSON would do it, but is loaded only where a database is talked to.
 */
export type FlatDocument = Readonly<Record<string, string | number | bigint | boolean>>

const types = { string: 0x02, boolean: 0x08, int32: 0x10, int64: 0x12 }

/** An integer is written as int32, a bigint as int64. */
export function writeFlat(document: FlatDocument): Buffer {
  const elements = Object.entries(document).map(([name, value]) => Buffer.concat(element(name, value)))
  const body = Buffer.concat(elements)
  const length = Buffer.alloc(4)
  length.writeInt32LE(body.length + 5)
  return Buffer.concat([length, body, Buffer.of(0)])
}

function element(name: string, value: FlatDocument[string]): readonly Buffer[] {
  const head = (type: number) => Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`)])
  if (typeof value === 'boolean') return [head(types.boolean), Buffer.of(value ? 1 : 0)]
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value)
    return [head(types.int32), bytes]
  }
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return [head(types.int64), bytes]
  }
  const text = Buffer.from(`${value}\0`)
  const length = Buffer.alloc(4)
  length.writeInt32LE(text.length)
  return [head(types.string), length, text]
}

/** @param bytes one whole document. @throws integrity.format */
export function readFlat(bytes: Buffer): FlatDocument {
  try {
    return readElements(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw damaged()
    throw error
  }
}

function readElements(bytes: Buffer): FlatDocument {
  const document: Record<string, string | number | bigint | boolean> = {}
  let at = 4
  for (let type = bytes.readUInt8(at); type !== 0; type = bytes.readUInt8(at)) {
    const nameEnd = bytes.indexOf(0, at + 1)
    if (nameEnd < 0) throw damaged()
    const name = bytes.toString('utf8', at + 1, nameEnd)
    at = nameEnd + 1
    if (type === types.string) {
      const length = bytes.readInt32LE(at)
      if (length < 1 || bytes.readUInt8(at + 3 + length) !== 0) throw damaged()
      document[name] = bytes.toString('utf8', at + 4, at + 3 + length)
      at += 4 + length
    } else if (type === types.boolean) document[name] = bytes.readUInt8(at++) !== 0
    else if (type === types.int32) {
      document[name] = bytes.readInt32LE(at)
      at += 4
    } else if (type === types.int64) {
      document[name] = bytes.readBigInt64LE(at)
      at += 8
    } else throw damaged()
  }
  if (at !== bytes.length - 1) throw damaged()
  return document
}

function damaged(): HoldfastError {
  return new HoldfastError('integrity.format', 'the archive has a header that cannot be read')
}
