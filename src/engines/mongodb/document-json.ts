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
    this.#bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
    this.#at = 0
    this.#stable = true
    this.#id = ''
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
        return `{"$oid":"${this.#take(12).toString('hex')}"}`
      case 0x08:
        return this.#take(1)[0] === 0 ? 'false' : 'true'
      case 0x09:
        return `{"$date":{"$numberLong":"${this.#take(8).readBigInt64LE()}"}}`
      case 0x0a:
        return 'null'
      case 0x0b: {
        const [pattern, options] = [this.#cstring(), this.#cstring()]
        return `{"$regularExpression":{"pattern":${JSON.stringify(pattern)},"options":${JSON.stringify(options)}}}`
      }
      case 0x0d:
        return `{"$code":${JSON.stringify(this.#string())}}`
      case 0x10:
        return `{"$numberInt":"${this.#take(4).readInt32LE()}"}`
      case 0x11: {
        const [increment, time] = [this.#take(4).readUInt32LE(), this.#take(4).readUInt32LE()]
        return `{"$timestamp":{"t":${time},"i":${increment}}}`
      }
      case 0x12:
        return `{"$numberLong":"${this.#take(8).readBigInt64LE()}"}`
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
    const bytes = this.#take(8)
    const value = bytes.readDoubleLE()
    // NaN has many forms, and extended JSON one.
    if (Number.isNaN(value) && bytes.toString('hex') !== '000000000000f87f') throw new Inexpressible()
    if (Object.is(value, -0)) return '-0.0'
    return Number.isInteger(value) ? value.toFixed(1) : String(value)
  }

  #binary(): string {
    const length = this.#take(4).readInt32LE()
    const subtype = this.#take(1)[0] ?? 0
    // The old subtype has a length within.
    if (subtype === 2) throw new Inexpressible()
    const base64 = this.#take(length).toString('base64')
    return `{"$binary":{"base64":"${base64}","subType":"${subtype.toString(16).padStart(2, '0')}"}}`
  }

  #decimal(): string {
    const { Decimal128 } = this.#bson
    const bytes = Buffer.from(this.#take(16))
    const text = new Decimal128(bytes).toString()
    if (!bytes.equals(Decimal128.fromString(text).bytes)) throw new Inexpressible()
    return `{"$numberDecimal":"${text}"}`
  }

  #take(length: number): Buffer {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  #string(): string {
    const length = this.#take(4).readInt32LE()
    return utf8(this.#take(length).subarray(0, -1))
  }

  #cstring(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    const text = utf8(this.#bytes.subarray(this.#at, end))
    this.#at = end + 1
    return text
  }
}

function utf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new Inexpressible()
  return text
}

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
