import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { placeOf } from './connection.js'
import { DocumentDigest } from './document-digest.js'
import { idOf, mergedDocument } from './document-merge.js'
import type { Bson } from './ordered-json.js'
import { batchSizeOf, rawDocuments } from './rows-source.js'
import type { MongoSession } from './session.js'

/** The documents of a collection that is loaded beside, for the modes that keep some of them or their fields. */
export class KeptDocuments {
  /** Those that a document was sent for. */
  found = 0
  readonly #cx: Context
  readonly #session: MongoSession
  readonly #bson: Bson
  readonly #name: string
  #first: DocumentDigest | undefined

  constructor(cx: Context, session: MongoSession, bson: Bson, name: string) {
    this.#cx = cx
    this.#session = session
    this.#bson = bson
    this.#name = name
  }

  get count(): number {
    return this.#first?.documents ?? 0
  }

  /** All of them. Read once more, they have to be the same. @throws database.busy */
  async *all(): AsyncGenerator<readonly Uint8Array[]> {
    const digest = new DocumentDigest()
    const batchSize = await batchSizeOf(this.#session, this.#name)
    const cursor = this.#session.database.collection(this.#name).find({}, { raw: true, batchSize })
    for await (const documents of rawDocuments(this.#cx, this.#session, cursor)) {
      for (const document of documents) digest.add(document)
      yield documents
    }
    this.#first ??= digest
    if (this.#first.documents === digest.documents && this.#first.result() === digest.result()) return
    throw new HoldfastError(
      'database.busy',
      `${placeOf(this.#session.settings)}: somebody has changed ${this.#name} during the load`,
      { hint: 'nothing was changed: load when nobody writes to it' },
    )
  }

  /** Reads them all, and keeps nothing of them. @throws database.busy */
  async read(): Promise<void> {
    for await (const _documents of this.all());
  }

  /**
   * The documents that are sent, with the other fields of those that are there.
   * @param whole they have no others: what is sent is all of a document
   */
  async *merged(
    batches: AsyncIterable<readonly Uint8Array[]>,
    whole: boolean,
  ): AsyncGenerator<readonly Uint8Array[]> {
    for await (const batch of batches) {
      const documents = [...batch]
      const ids = documents.map((document) => idOf(this.#bson, document))
      const places = new Map(ids.map(({ text }, place) => [text, place]))
      const cursor = this.#session.database
        .collection(this.#name)
        .find(
          { _id: { $in: ids.map(({ value }) => value as never) } },
          { raw: true, ...(whole ? onlyIds : {}) },
        )
      for await (const there of rawDocuments(this.#cx, this.#session, cursor)) {
        this.found += there.length
        for (const document of whole ? [] : there) {
          const { text } = idOf(this.#bson, document)
          const place = places.get(text)
          const sent = documents[place ?? -1]
          if (place === undefined || sent === undefined) throw this.#odd(text)
          documents[place] = mergedDocument(this.#bson, document, sent)
        }
      }
      yield documents
    }
  }

  /** The server takes two for equal that do not look so: by a collation, or as decimals. */
  #odd(text: string): HoldfastError {
    return new HoldfastError(
      'usage.not-supported',
      `${placeOf(this.#session.settings)}: a document of ${this.#name} with the _id ${text} has another form in the dump`,
      { hint: 'load it with the mode replace, append or skip' },
    )
  }
}

const onlyIds = { projection: { _id: 1 } }
