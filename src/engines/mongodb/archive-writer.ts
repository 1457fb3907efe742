import { ChunkPool } from '../../streams/chunk-pool.js'
import {
  blockHeader,
  dataName,
  endBlock,
  preludeBytes,
  terminator,
  type ArchivedCollection,
  type Prelude,
} from './archive.js'
import { Crc64 } from './crc64.js'

const chunkBytes = 4 * 1024 * 1024

/** Puts an archive together, in large chunks of memory that is used again. */
export class ArchiveWriter {
  readonly #pool = new ChunkPool(chunkBytes)
  readonly #checksums = new Map<ArchivedCollection, Crc64>()
  #chunk = this.#pool.take()
  #filled = 0
  #full: Buffer[] = []
  /** The collection of the block that is open. */
  #open: ArchivedCollection | undefined

  constructor(prelude: Prelude, concurrent: number) {
    this.#write(preludeBytes(prelude, concurrent))
    for (const collection of prelude.collections) this.#checksums.set(collection, new Crc64())
  }

  /** @param documents each whole; the bytes are copied */
  documents(collection: ArchivedCollection, documents: readonly Uint8Array[]): void {
    const checksum = this.#checksums.get(collection)
    if (checksum === undefined) throw new TypeError(`${collection.name} is not in the prelude, or has ended`)
    if (this.#open !== collection) {
      this.#closeBlock()
      this.#write(blockHeader(collection.database, dataName(collection)))
      this.#open = collection
    }
    for (const document of documents) {
      checksum.push(document)
      this.#write(document)
    }
  }

  /** After its last document; a collection without any ends, too. */
  end(collection: ArchivedCollection): void {
    // As mongodump has it, for mongorestore, which makes a view when it sees its documents begin.
    this.documents(collection, [])
    this.#closeBlock()
    const crc = this.#checksums.get(collection)?.digest() ?? 0n
    this.#write(endBlock(collection.database, dataName(collection), crc))
    this.#checksums.delete(collection)
  }

  /** The chunks that are full. */
  take(): readonly Buffer[] {
    const full = this.#full
    this.#full = []
    return full
  }

  /** What is left when every collection has ended. */
  rest(): Buffer {
    return this.#chunk.subarray(0, this.#filled)
  }

  #closeBlock(): void {
    if (this.#open !== undefined) this.#write(terminator)
    this.#open = undefined
  }

  #write(bytes: Uint8Array): void {
    let taken = 0
    while (taken < bytes.length) {
      const count = Math.min(bytes.length - taken, chunkBytes - this.#filled)
      this.#chunk.set(count === bytes.length ? bytes : bytes.subarray(taken, taken + count), this.#filled)
      taken += count
      this.#filled += count
      if (this.#filled < chunkBytes) continue
      this.#full.push(this.#chunk)
      this.#chunk = this.#pool.take()
      this.#filled = 0
    }
  }
}
