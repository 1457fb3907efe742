import { isUtf8 } from 'node:buffer'
import { wrappedText } from '../../engine/cell-text.js'
import type { Bson } from './ordered-json.js'

/** What extended JSON cannot say without a loss: a key that begins with `$`, one that is there twice, odd bytes, types of old. */
class Inexpressible extends Error {}

/** The cells of documents: canonical extended JSON, or, where that would lose something, BSON as base64. */
export class DocumentReader {
  readonly #bson: Bson
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** JSON.parse and JSON.stringify leave the text as it is. */
  #stable = true
  #id = ''

  constructor(bson: Bson) {
    this.#bson = bson
  }

  /** @returns the cell of the document as JSON, and its `_id` as a text that no other `_id` has */
  read(document: Uint8Array): { readonly id: string; readonly cell: string } {
    this.#begin(document)
    try {
      const text = this.#document(0)
      return {
        id: idText(this.#id),
        cell: this.#stable && !text.includes('"~"') ? text : wrappedText('jsontext', text),
      }
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error
      const base64 = this.#bytes.toString('base64')
      return { id: this.#id === '' ? base64 : idText(this.#id), cell: wrappedText('bson', base64) }
    }
  }

  /** Only the `_id`, which nearly always comes first. */
  id(document: Uint8Array): string {
    this.#begin(document)
    this.#at = 4
    const type = this.#bytes[this.#past(1)] ?? 0
    try {
      if (type !== 0 && this.#cstring() === '_id') return idText(this.#value(type, 0))
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error
    }
    return this.read(document).id
  }

  #begin(document: Uint8Array): void {
    this.#bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
    this.#at = 0
    this.#stable = true
    this.#id = ''
  }

  #document(depth: number): string {
    const end = this.#at + this.#bytes.readInt32LE(this.#at) - 1
    this.#at += 4
    let text = '{'
    const names = new Set<string>()
    while (this.#at < end) {
      const type = this.#bytes[this.#at++] ?? 0
      const name = this.#cstring()
      if (name.startsWith('$') || names.has(name)) throw new Inexpressible()
      names.add(name)
      if (/^\d+$/u.test(name)) this.#stable = false
      const value = this.#value(type, depth)
      if (depth === 0 && name === '_id') this.#id = value
      text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${value}`
    }
    this.#at = end + 1
    return `${text}}`
  }

  #array(depth: number): string {
    const end = this.#at + this.#bytes.readInt32LE(this.#at) - 1
    this.#at += 4
    const values: string[] = []
    while (this.#at < end) {
      const type = this.#bytes[this.#at++] ?? 0
      if (this.#cstring() !== String(values.length)) throw new Inexpressible()
      values.push(this.#value(type, depth))
    }
    this.#at = end + 1
    return `[${values.join(',')}]`
  }

  #value(type: number, depth: number): string {
    switch (type) {
      case 0x01:
        return `{"$numberDouble":"${this.#double()}"}`
      case 0x02:
        return JSON.stringify(this.#string())
      case 0x03:
        return this.#document(depth + 1)
      case 0x04:
        return this.#array(depth + 1)
      case 0x05:
        return this.#binary()
      case 0x07:
        return `{"$oid":"${this.#text('hex', 12)}"}`
      case 0x08:
        return this.#bytes[this.#past(1)] === 0 ? 'false' : 'true'
      case 0x09:
        return `{"$date":{"$numberLong":"${this.#int64()}"}}`
      case 0x0a:
        return 'null'
      case 0x0b: {
        const [pattern, options] = [this.#cstring(), this.#cstring()]
        return `{"$regularExpression":{"pattern":${JSON.stringify(pattern)},"options":${JSON.stringify(options)}}}`
      }
      case 0x0d:
        return `{"$code":${JSON.stringify(this.#string())}}`
      case 0x10:
        return `{"$numberInt":"${this.#int32()}"}`
      case 0x11: {
        const at = this.#past(8)
        return `{"$timestamp":{"t":${this.#bytes.readUInt32LE(at + 4)},"i":${this.#bytes.readUInt32LE(at)}}}`
      }
      case 0x12:
        return `{"$numberLong":"${this.#int64()}"}`
      case 0x13:
        return this.#decimal()
      case 0x7f:
        return '{"$maxKey":1}'
      case 0xff:
        return '{"$minKey":1}'
      default:
        throw new Inexpressible()
    }
  }

  #double(): string {
    const at = this.#past(8)
    const value = this.#bytes.readDoubleLE(at)
    // NaN has many forms, and extended JSON one.
    if (Number.isNaN(value) && this.#bytes.readBigUInt64LE(at) !== plainNaN) throw new Inexpressible()
    if (Object.is(value, -0)) return '-0.0'
    return Number.isInteger(value) ? value.toFixed(1) : String(value)
  }

  #binary(): string {
    const length = this.#int32()
    const subtype = this.#bytes[this.#past(1)] ?? 0
    // The old subtype has a length within.
    if (subtype === 2) throw new Inexpressible()
    return `{"$binary":{"base64":"${this.#text('base64', length)}","subType":"${subtype.toString(16).padStart(2, '0')}"}}`
  }

  #decimal(): string {
    const { Decimal128 } = this.#bson
    const at = this.#past(16)
    const bytes = Buffer.from(this.#bytes.subarray(at, at + 16))
    const text = new Decimal128(bytes).toString()
    if (!bytes.equals(Decimal128.fromString(text).bytes)) throw new Inexpressible()
    return `{"$numberDecimal":"${text}"}`
  }

  /** @returns where the bytes that it goes past begin */
  #past(length: number): number {
    const at = this.#at
    this.#at += length
    return at
  }

  #int32(): number {
    return this.#bytes.readInt32LE(this.#past(4))
  }

  #int64(): bigint {
    return this.#bytes.readBigInt64LE(this.#past(8))
  }

  #text(encoding: 'hex' | 'base64', length: number): string {
    const at = this.#past(length)
    return this.#bytes.toString(encoding, at, at + length)
  }

  #string(): string {
    const length = this.#int32()
    const at = this.#past(length)
    return this.#utf8(at, at + length - 1)
  }

  #cstring(): string {
    const at = this.#at
    const end = this.#bytes.indexOf(0, at)
    this.#at = end + 1
    return this.#utf8(at, end)
  }

  #utf8(from: number, to: number): string {
    const text = this.#bytes.toString('utf8', from, to)
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(from, to))) throw new Inexpressible()
    return text
  }
}

const plainNaN = 0x7ff8000000000000n

const objectId = /^[0-9a-f]{24}$/u

/**
 * The text of an `_id`: of an ObjectId its digits, of a text the text itself where it looks like nothing else, of anything else its
 * extended JSON.
 */
export function idText(json: string): string {
  if (json.startsWith('{"$oid":"')) return json.slice('{"$oid":"'.length, -2)
  if (!json.startsWith('"')) return json
  const text = JSON.parse(json) as string
  return text === '' ||
    objectId.test(text) ||
    !/^[\p{L}\p{N}_-]/u.test(text) ||
    /^(?:true|false|null)$/u.test(text)
    ? json
    : text
}

/** The `_id` that such a text stands for, as extended JSON. @throws SyntaxError */
export function idJson(text: string): unknown {
  if (objectId.test(text)) return { $oid: text }
  return /^["{[]|^(?:true|false|null)$/u.test(text) ? JSON.parse(text) : text
}
