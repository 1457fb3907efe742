import { hash } from 'node:crypto'

/** The sum of a hash of each document's BSON, modulo 2^64: the same in any order of documents. */
export class DocumentDigest {
  documents = 0
  #sum = 0n
  /** What has come of a document that is not whole yet. */
  #held = Buffer.alloc(0)

  /** One whole document. */
  add(document: Uint8Array): void {
    this.documents += 1
    this.#sum += hash('sha256', document, 'buffer').readBigUInt64BE(0)
  }

  /** Documents one after the other; the last may go on in the next piece. Copies no more than that one. */
  push(piece: Uint8Array): void {
    const view = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let bytes = this.#held.length === 0 ? view : Buffer.concat([this.#held, view])
    while (bytes.length >= 4) {
      const length = bytes.readInt32LE(0)
      if (bytes.length < length) break
      this.add(bytes.subarray(0, length))
      bytes = bytes.subarray(length)
    }
    this.#held = Buffer.from(bytes)
  }

  /** Sixteen hexadecimal digits. */
  result(): string {
    return BigInt.asUintN(64, this.#sum).toString(16).padStart(16, '0')
  }
}
