import { HoldfastError } from '../../errors.js'
import {
  dataName,
  longestDocument,
  magic,
  readArchivedCollection,
  readArchiveHeader,
  readBlockHeader,
  type ArchivedCollection,
  type Prelude,
} from './archive.js'
import { Crc64 } from './crc64.js'

/** So many documents at most are shown at once. */
const longestRun = 10_000

/** A collection's documents as they come by. */
export interface ArchiveData {
  readonly collection: ArchivedCollection
  /** How many have ended so far. */
  readonly documents: number
}

/** A piece of a collection's documents; a document may begin in one piece and end in another. */
export interface ArchiveRun {
  /** There during the call only. */
  readonly bytes: Uint8Array
  /** How many documents end in it. */
  readonly documents: number
  /** Where the last of them ends. */
  readonly wholeBytes: number
}

export interface ArchiveWatcher {
  prelude?(prelude: Prelude): void
  documents?(data: ArchiveData, run: ArchiveRun): void
  /** All documents have been shown, and they were what the checksum says. */
  collectionEnd?(data: ArchiveData): void
}

interface OpenData extends ArchiveData {
  documents: number
  ended: boolean
  readonly crc: Crc64
}

/**
 * Reads an archive as it passes by. Of the user's documents it sees the length and the last byte; it holds no more than one
 * header.
 */
export class ArchiveParser {
  readonly #watcher: ArchiveWatcher
  readonly #data = new Map<string, OpenData>()
  readonly #collections: ArchivedCollection[] = []
  #head: Omit<Prelude, 'collections'> | undefined
  /** Where the bytes that come next belong; an open block is the collection's whose documents it holds. */
  #block: 'magic' | 'prelude' | 'between' | 'ended' | OpenData = 'magic'
  #bytes = 0
  /** A length or a header that is still being collected. */
  #held = Buffer.alloc(0)
  #wanted = 4
  /** How many bytes of a user's document are still to come. */
  #remaining = 0
  readonly #run = { start: -1, documents: 0, wholeBytes: 0 }

  constructor(watcher: ArchiveWatcher = {}) {
    this.#watcher = watcher
  }

  /** @throws integrity.format, integrity.checksum, integrity.newer-format */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    while (at < bytes.length) {
      if (this.#remaining > 0) at = this.#passDocument(bytes, at)
      else if (typeof this.#block === 'object' && this.#held.length === 0 && bytes.length - at >= 4)
        at = this.#passLength(bytes, at)
      else at = this.#collect(bytes, at)
    }
    this.#show(bytes, bytes.length)
    this.#bytes += bytes.length
  }

  /** @throws integrity.truncated, integrity.empty */
  end(): void {
    if (this.#bytes === 0) throw new HoldfastError('integrity.empty', 'the archive of mongodump is empty')
    const open = [...this.#data.values()].filter(({ ended }) => !ended)
    if (this.#block === 'between' && this.#held.length === 0 && open.length === 0) return
    const unfinished = open.map(({ collection }) => collection.name).slice(0, 3)
    const where = unfinished.length === 0 ? '' : `, within ${unfinished.join(', ')}`
    throw new HoldfastError('integrity.truncated', `the archive of mongodump ends too early${where}`)
  }

  #passDocument(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining)
    if (this.#run.start < 0) this.#run.start = at
    this.#remaining -= end - at
    if (this.#remaining > 0) return end
    if (bytes[end - 1] !== 0) throw damaged('a document does not end as one')
    this.#run.documents += 1
    this.#run.wholeBytes = end - this.#run.start
    if (this.#run.documents >= longestRun) this.#show(bytes, end)
    return end
  }

  #passLength(bytes: Buffer, at: number): number {
    const length = bytes.readInt32LE(at)
    if (length === -1) {
      this.#show(bytes, at)
      this.#block = 'between'
      return at + 4
    }
    this.#remaining = documentLength(length)
    return at
  }

  /** What does not lie in one piece, or is a header. */
  #collect(bytes: Buffer, at: number): number {
    this.#show(bytes, at)
    const end = Math.min(bytes.length, at + this.#wanted - this.#held.length)
    this.#held = Buffer.concat([this.#held, bytes.subarray(at, end)])
    if (this.#held.length < this.#wanted) return end
    const held = this.#held
    if (held.length > 4) {
      this.#reset()
      this.#header(held)
    } else this.#word(held)
    return end
  }

  #reset(): void {
    this.#held = Buffer.alloc(0)
    this.#wanted = 4
  }

  /** Four bytes: the mark of the format, the end of a block, or the length of a document. */
  #word(held: Buffer): void {
    if (this.#block === 'magic') {
      if (!held.equals(magic)) throw damaged('it does not begin as one')
      this.#block = 'prelude'
      this.#reset()
      return
    }
    const length = held.readInt32LE(0)
    if (length === -1) {
      this.#reset()
      this.#endBlock()
    } else if (typeof this.#block === 'object') {
      this.#reset()
      this.#remaining = documentLength(length) - 4
      this.#pass(this.#block, { bytes: held, documents: 0, wholeBytes: 0 })
    } else if (this.#block === 'ended') throw damaged('documents after the end of a collection')
    else this.#wanted = documentLength(length)
  }

  #endBlock(): void {
    if (this.#block === 'between') throw damaged('a block without a header')
    if (this.#block === 'prelude') {
      if (this.#head === undefined) throw damaged('it says nothing of itself')
      this.#watcher.prelude?.({ ...this.#head, collections: this.#collections })
    }
    this.#block = 'between'
  }

  #header(bytes: Buffer): void {
    if (bytes.at(-1) !== 0) throw damaged('a header does not end as one')
    if (this.#block === 'prelude') {
      if (this.#head === undefined) this.#head = readArchiveHeader(bytes)
      else this.#add(readArchivedCollection(bytes))
      return
    }
    const { database, collection, crc } = readBlockHeader(bytes)
    const data = this.#data.get(`${database}.${collection}`)
    if (data === undefined) throw damaged(`it holds documents of ${collection}, which it does not announce`)
    if (data.ended) throw damaged(`${collection} goes on after its end`)
    this.#block = data
    if (crc === undefined) return
    if (data.crc.digest() !== BigInt.asIntN(64, crc)) {
      throw new HoldfastError(
        'integrity.checksum',
        `the documents of ${collection} are not those of the archive`,
      )
    }
    data.ended = true
    this.#block = 'ended'
    this.#watcher.collectionEnd?.(data)
  }

  #add(collection: ArchivedCollection): void {
    this.#collections.push(collection)
    this.#data.set(`${collection.database}.${dataName(collection)}`, {
      collection,
      documents: 0,
      ended: false,
      crc: new Crc64(),
    })
  }

  /** Shows what has passed of the open collection's documents, up to `end`. */
  #show(bytes: Buffer, end: number): void {
    const { start, documents, wholeBytes } = this.#run
    if (start < 0 || typeof this.#block !== 'object') return
    this.#run.start = -1
    this.#run.documents = 0
    this.#run.wholeBytes = 0
    this.#pass(this.#block, { bytes: bytes.subarray(start, end), documents, wholeBytes })
  }

  #pass(data: OpenData, run: ArchiveRun): void {
    data.crc.push(run.bytes)
    data.documents += run.documents
    this.#watcher.documents?.(data, run)
  }
}

function documentLength(length: number): number {
  if (length < 5 || length > longestDocument) throw damaged(`${length} is no length of a document`)
  return length
}

function damaged(what: string): HoldfastError {
  return new HoldfastError('integrity.format', `the archive of mongodump is damaged: ${what}`)
}
