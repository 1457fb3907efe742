/** CRC-64/XZ (ECMA-182, reflected), the checksum of a collection in an archive of mongodump. */

const polynomial = 0xc96c5795d7870f42n
/** Slicing by eight: eight bytes a step through eight tables, some ten times as fast as a byte a step. */
const slices = 8

interface Tables {
  readonly low: Int32Array
  readonly high: Int32Array
}

let tables: Tables | undefined

function makeTables(): Tables {
  const low = new Int32Array(slices * 256)
  const high = new Int32Array(slices * 256)
  const values: bigint[] = []
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n
    values.push(value)
  }
  for (let slice = 0; slice < slices; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const index = slice * 256 + byte
      const before = values[index - 256]
      if (before !== undefined) values.push((values[Number(before & 0xffn)] ?? 0n) ^ (before >> 8n))
      const value = values[index] ?? 0n
      low[index] = Number(BigInt.asIntN(32, value))
      high[index] = Number(BigInt.asIntN(32, value >> 32n))
    }
  }
  return { low, high }
}

/** The checksum of bytes that come in pieces. */
export class Crc64 {
  readonly #tables: Tables
  #low = -1
  #high = -1

  constructor() {
    this.#tables = tables ??= makeTables()
  }

  push(bytes: Uint8Array): void {
    const { low, high } = this.#tables
    let l = this.#low
    let h = this.#high
    let at = 0
    // The indices are within both tables and bytes: `?? 0`, which the types ask for, is never taken.
    for (const last = bytes.length - slices; at <= last; at += slices) {
      l ^=
        (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24)
      h ^=
        (bytes[at + 4] ?? 0) |
        ((bytes[at + 5] ?? 0) << 8) |
        ((bytes[at + 6] ?? 0) << 16) |
        ((bytes[at + 7] ?? 0) << 24)
      const a = 1792 + (l & 255)
      const b = 1536 + ((l >>> 8) & 255)
      const c = 1280 + ((l >>> 16) & 255)
      const d = 1024 + (l >>> 24)
      const e = 768 + (h & 255)
      const f = 512 + ((h >>> 8) & 255)
      const g = 256 + ((h >>> 16) & 255)
      const i = h >>> 24
      l =
        (low[a] ?? 0) ^
        (low[b] ?? 0) ^
        (low[c] ?? 0) ^
        (low[d] ?? 0) ^
        (low[e] ?? 0) ^
        (low[f] ?? 0) ^
        (low[g] ?? 0) ^
        (low[i] ?? 0)
      h =
        (high[a] ?? 0) ^
        (high[b] ?? 0) ^
        (high[c] ?? 0) ^
        (high[d] ?? 0) ^
        (high[e] ?? 0) ^
        (high[f] ?? 0) ^
        (high[g] ?? 0) ^
        (high[i] ?? 0)
    }
    for (; at < bytes.length; at++) {
      const index = (l ^ (bytes[at] ?? 0)) & 255
      l = (low[index] ?? 0) ^ ((l >>> 8) | (h << 24))
      h = (high[index] ?? 0) ^ (h >>> 8)
    }
    this.#low = l
    this.#high = h
  }

  /** As the archive has it: a signed 64-bit number. */
  digest(): bigint {
    const value = (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0)
    return BigInt.asIntN(64, value)
  }
}
