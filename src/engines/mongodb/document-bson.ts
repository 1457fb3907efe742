import { asWrapped, plainText, type Cell } from '../../engine/cell.js'
import type { Bson } from './ordered-json.js'

/** Why a cell is no document. */
export class NoDocument extends Error {}

const most = { document: 16 * 1024 * 1024 }

/** Makes BSON of the cells that `DocumentReader` makes: what extended JSON says, in the order of its keys. */
export class DocumentWriter {
  readonly #bson: Bson
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #length = 0
  /** With something before every key, none of them looks like a number, and JSON.parse keeps their order. */
  #mark = ''

  constructor(bson: Bson) {
    this.#bson = bson
  }

  /** @param id for a document without `_id` @throws NoDocument */
  write(cell: Cell, id: unknown): Buffer {
    const wrapper = asWrapped(cell)
    if (wrapper?.['~'] === 'bson') return bytesOf(wrapper.v)
    this.#mark = wrapper?.['~'] === 'jsontext' ? '_' : ''
    const value: unknown = this.#mark === '' ? cell : parseMarked(plainText(wrapper?.v ?? null))
    if (!isObject(value)) throw new NoDocument('is no document')
    // BSON that went through a database of another engine. A document has its _id beside.
    if (Object.keys(value).join() === '_~,_v' && value['_~'] === 'bson') return bytesOf(value['_v'] as Cell)
    this.#length = 0
    this.#document(value, `${this.#mark}_id` in value ? undefined : id)
    if (this.#length > most.document) throw new NoDocument(`has ${this.#length} bytes, more than 16 MiB`)
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  #document(value: Readonly<Record<string, unknown>>, id?: unknown): void {
    const start = this.#open()
    if (id !== undefined) {
      const mark = this.#mark
      this.#mark = ''
      this.#element('_id', id)
      this.#mark = mark
    }
    for (const [key, each] of Object.entries(value)) this.#element(key.slice(this.#mark.length), each)
    this.#close(start)
  }

  #element(name: string, value: unknown): void {
    const at = this.#length
    this.#byte(0)
    this.#cstring(name)
    const type = this.#value(value)
    this.#buffer[at] = type
  }

  /** @returns the type of what it wrote */
  #value(value: unknown): number {
    if (typeof value === 'string') return this.#text(value, 0x02)
    if (value === null) return 0x0a
    if (typeof value === 'boolean') {
      this.#byte(value ? 1 : 0)
      return 0x08
    }
    if (Array.isArray(value)) {
      const start = this.#open()
      value.forEach((each, index) => this.#element(String(index), each))
      this.#close(start)
      return 0x04
    }
    if (!isObject(value))
      throw new NoDocument(`holds ${JSON.stringify(value)}: a number says its type, as {"$numberInt":"5"}`)
    const [first] = Object.keys(value)
    if (first?.startsWith('$', this.#mark.length) === true) return this.#typed(this.#unmarked(value))
    this.#document(value)
    return 0x03
  }

  /** A value that is an object of one key in extended JSON. */
  #typed(value: Readonly<Record<string, unknown>>): number {
    const [[key, inner] = ['', undefined], ...others] = Object.entries(value)
    const write = others.length === 0 ? this.#writers[key] : undefined
    if (write === undefined) throw new NoDocument(`holds ${key}, which is no type of extended JSON`)
    try {
      return write(inner)
    } catch (error) {
      if (error instanceof NoDocument) throw error
      throw new NoDocument(`holds ${JSON.stringify(value).slice(0, 60)}, which is not of its type`)
    }
  }

  readonly #writers: Readonly<Record<string, (inner: unknown) => number>> = {
    $oid: (inner) => this.#bytes(matched(inner, /^[0-9a-f]{24}$/u), 'hex', 0x07),
    $numberInt: (inner) => {
      const value = Number(matched(inner, /^-?\d+$/u))
      this.#buffer.writeInt32LE(value, this.#room(4))
      return 0x10
    },
    $numberLong: (inner) => this.#int64(inner, 0x12),
    $numberDouble: (inner) => {
      const text = matched(inner, /^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/iu)
      this.#buffer.writeDoubleLE(Number(text), this.#room(8))
      return 0x01
    },
    $numberDecimal: (inner) => {
      const { bytes } = this.#bson.Decimal128.fromString(matched(inner, /^.+$/u))
      Buffer.from(bytes).copy(this.#buffer, this.#room(16))
      return 0x13
    },
    $date: (inner) => this.#int64((inner as { readonly $numberLong?: unknown }).$numberLong, 0x09),
    $binary: (inner) => {
      const { base64, subType } = inner as { readonly base64: unknown; readonly subType: unknown }
      const data = Buffer.from(matched(base64, /^[A-Za-z0-9+/]*={0,2}$/u), 'base64')
      this.#int32(data.length)
      this.#byte(Number.parseInt(matched(subType, /^[0-9a-f]{1,2}$/iu), 16))
      data.copy(this.#buffer, this.#room(data.length))
      return 0x05
    },
    $regularExpression: (inner) => {
      const { pattern, options } = inner as { readonly pattern: unknown; readonly options: unknown }
      this.#cstring(matched(pattern, /^/u))
      this.#cstring(matched(options, /^/u))
      return 0x0b
    },
    $timestamp: (inner) => {
      const { t, i } = inner as { readonly t: number; readonly i: number }
      this.#buffer.writeUInt32LE(i, this.#room(4))
      this.#buffer.writeUInt32LE(t, this.#room(4))
      return 0x11
    },
    $code: (inner) => this.#text(matched(inner, /^/u), 0x0d),
    $minKey: () => 0xff,
    $maxKey: () => 0x7f,
  }

  #unmarked(value: unknown): Readonly<Record<string, unknown>> {
    const plain = (each: unknown): unknown =>
      isObject(each)
        ? Object.fromEntries(
            Object.entries(each).map(([key, inner]) => [key.slice(this.#mark.length), plain(inner)]),
          )
        : each
    return plain(value) as Readonly<Record<string, unknown>>
  }

  #int64(value: unknown, type: number): number {
    this.#buffer.writeBigInt64LE(BigInt(matched(value, /^-?\d+$/u)), this.#room(8))
    return type
  }

  #text(text: string, type: number): number {
    const length = Buffer.byteLength(text)
    this.#int32(length + 1)
    this.#buffer.write(text, this.#room(length + 1))
    this.#buffer[this.#length - 1] = 0
    return type
  }

  #cstring(text: string): void {
    if (text.includes('\0')) throw new NoDocument('holds a key with a NUL')
    const length = Buffer.byteLength(text)
    this.#buffer.write(text, this.#room(length + 1))
    this.#buffer[this.#length - 1] = 0
  }

  #bytes(text: string, encoding: BufferEncoding, type: number): number {
    const bytes = Buffer.from(text, encoding)
    bytes.copy(this.#buffer, this.#room(bytes.length))
    return type
  }

  #int32(value: number): void {
    this.#buffer.writeInt32LE(value, this.#room(4))
  }

  #byte(value: number): void {
    this.#buffer[this.#room(1)] = value
  }

  #open(): number {
    return this.#room(4)
  }

  #close(start: number): void {
    this.#byte(0)
    this.#buffer.writeInt32LE(this.#length - start, start)
  }

  /** @returns where so many bytes may be written */
  #room(bytes: number): number {
    const at = this.#length
    this.#length += bytes
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    return at
  }
}

function matched(value: unknown, pattern: RegExp): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new TypeError('another form is expected')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseMarked(json: string): unknown {
  return JSON.parse(
    json.replace(/"(?:[^"\\]|\\.)*"(\s*:)?/gu, (token, colon: string | undefined) =>
      colon === undefined ? token : `"_${token.slice(1)}`,
    ),
  )
}

function bytesOf(value: Cell): Buffer {
  const bytes = Buffer.from(plainText(value), 'base64')
  if (bytes.length >= 5 && bytes.readInt32LE() === bytes.length && bytes.at(-1) === 0) return bytes
  throw new NoDocument('is no BSON')
}
