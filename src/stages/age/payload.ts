import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Json } from '../../env/json.js'
import { HoldfastError } from '../../errors.js'
import type { ByteReader } from '../byte-reader.js'
import { plainLength } from '../plain-length.js'

/*
 * The payload of an age file (https://c2sp.org/age, "Payload"): chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under a
 * nonce of its number and of whether it is the last. Node's cipher is several times faster than the library's.
 */

export const nonceBytes = 16
export const tagBytes = 16
const chunkBytes = 64 * 1024
const sealedBytes = chunkBytes + tagBytes
const algorithm = 'chacha20-poly1305'
const options = { authTagLength: tagBytes }
/** Opened chunks are handed on in pieces of this size. */
const pieceBytes = 1024 * 1024

export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
}

export async function* sealPayload(key: Buffer, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let index = 0
  for await (const chunk of source) {
    const sealed: Buffer[] = []
    for (let rest = chunk; rest.length > 0;) {
      // A full chunk is kept back until it is known not to be the last.
      if (pendingBytes === chunkBytes) {
        seal(key, index++, false, pending, sealed)
        pending = []
        pendingBytes = 0
      }
      const part = rest.subarray(0, chunkBytes - pendingBytes)
      pending.push(part)
      pendingBytes += part.length
      rest = rest.subarray(part.length)
    }
    if (sealed.length > 0) yield Buffer.concat(sealed)
  }
  const sealed: Buffer[] = []
  seal(key, index, true, pending, sealed)
  yield Buffer.concat(sealed)
}

/** Appends the sealed parts and their tag to `sealed`. */
function seal(key: Buffer, index: number, last: boolean, parts: readonly Buffer[], sealed: Buffer[]): void {
  const cipher = createCipheriv(algorithm, key, chunkNonce(index, last), options)
  for (const part of parts) sealed.push(cipher.update(part))
  cipher.final()
  sealed.push(cipher.getAuthTag())
}

/** @throws integrity.checksum, integrity.truncated, integrity.format */
export async function* openPayload(key: Buffer, reader: ByteReader, facts: Json): AsyncGenerator<Buffer> {
  let opened: Buffer[] = []
  let last = false
  for (let index = 0; !last; index++) {
    const sealed = await reader.takeUpTo(sealedBytes)
    last = sealed.length < sealedBytes || (await reader.atEnd())
    const plain = open(key, index, last, sealed)
    if (plain === undefined) throw fault(key, index, last, sealed, plainLength(facts))
    if (last && index > 0 && plain.length === 0)
      throw new HoldfastError('integrity.format', 'the age data end with an empty chunk')
    opened.push(plain)
    if (last || opened.length * chunkBytes >= pieceBytes) {
      yield Buffer.concat(opened)
      opened = []
    }
  }
}

/** The chunk's plain bytes, or `undefined` where it is not authentic. */
function open(key: Buffer, index: number, last: boolean, sealed: Buffer): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined
  const decipher = createDecipheriv(algorithm, key, chunkNonce(index, last), options)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain
}

/**
 * Why a chunk is not authentic. Whether a short chunk at the end is cut or changed cannot be seen in it; the length in the
 * manifest tells, and without one it is taken for cut, which is how files are damaged at their end.
 */
function fault(
  key: Buffer,
  index: number,
  last: boolean,
  sealed: Buffer,
  expected: number | undefined,
): HoldfastError {
  const present = index * chunkBytes + Math.max(0, sealed.length - tagBytes)
  const cut =
    last &&
    (expected === undefined
      ? sealed.length < sealedBytes || open(key, index, false, sealed) !== undefined
      : present < expected || sealed.length < tagBytes)
  return cut
    ? new HoldfastError('integrity.truncated', 'the age data end too early')
    : new HoldfastError('integrity.checksum', `chunk ${index + 1} of the age data is not what was written`)
}

/** The number of the chunk in eleven bytes, of which six are enough for any file, and one byte for the last chunk. */
function chunkNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(index, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}
