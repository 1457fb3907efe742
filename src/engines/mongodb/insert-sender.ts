import type { DocumentSequence } from 'mongodb/lib/cmap/commands.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { dataName, type ArchivedCollection } from './archive.js'
import type { ArchiveRun } from './archive-parser.js'
import { unfinishedMark } from './collections.js'
import { placeOf } from './connection.js'
import type { MongoSession } from './session.js'

/** A message may have 48 MB and 100 000 documents; both are far away, with the longest document on top. */
const batchBytes = 4 * 1024 * 1024
const batchDocuments = 10_000

/** The server's code for a key that is there already. */
export const duplicateKey = 11_000

/** Documents of a collection that are not sent yet. */
interface Batch {
  pieces: Buffer[]
  bytes: number
  /** Where the last whole document ends. */
  wholeBytes: number
  documents: number
}

export interface InsertOptions {
  readonly bytesAtOnce?: number
  /** A document whose `_id` is there already is passed over, and counted. */
  readonly passDuplicates?: boolean
}

/** Sends documents in batches, as the bytes they came in. */
export class InsertSender {
  /** Documents that were passed over. */
  passed = 0
  readonly #session: MongoSession
  readonly #bytesAtOnce: number
  readonly #passDuplicates: boolean
  readonly #insert: (collection: ArchivedCollection, bytes: Buffer) => Promise<Record<string, unknown>>
  readonly #batches = new Map<string, Batch>()
  readonly #sent = new Set<Promise<void>>()
  /** The last batch of each capped collection, which keeps its documents in their order. */
  readonly #inOrder = new Map<string, Promise<void>>()
  #error: Error | undefined

  private constructor(
    session: MongoSession,
    Sequence: typeof DocumentSequence,
    options: object,
    { bytesAtOnce = batchBytes, passDuplicates = false }: InsertOptions,
  ) {
    this.#session = session
    this.#bytesAtOnce = bytesAtOnce
    this.#passDuplicates = passDuplicates
    this.#insert = (collection, bytes) =>
      session.ask((database) => {
        const documents = new Sequence('documents')
        documents.push({}, bytes)
        return database.command({
          insert: dataName(collection),
          // In order, it would end with the first one that is refused.
          ordered: isCapped(collection) && !passDuplicates,
          bypassDocumentValidation: true,
          ...options,
          documents,
        })
      })
  }

  static async create(session: MongoSession, options: InsertOptions = {}): Promise<InsertSender> {
    const { DocumentSequence } = await import('mongodb/lib/cmap/commands.js')
    return new InsertSender(session, DocumentSequence, await emptyTimestamps(session), options)
  }

  /** @param run its bytes are copied */
  add({ name, ...rest }: ArchivedCollection, run: ArchiveRun): void {
    const batch = this.#batches.get(name) ?? { pieces: [], bytes: 0, wholeBytes: 0, documents: 0 }
    this.#batches.set(name, batch)
    if (run.documents > 0) batch.wholeBytes = batch.bytes + run.wholeBytes
    batch.documents += run.documents
    batch.pieces.push(Buffer.from(run.bytes))
    batch.bytes += run.bytes.length
    if (batch.wholeBytes >= this.#bytesAtOnce || batch.documents >= batchDocuments)
      this.flush({ name, ...rest })
  }

  /** Sends the whole documents that are there. */
  flush(collection: ArchivedCollection): void {
    const batch = this.#batches.get(collection.name)
    if (batch === undefined || batch.documents === 0) return
    const all = Buffer.concat(batch.pieces)
    const { documents, wholeBytes } = batch
    const rest = Buffer.from(all.subarray(wholeBytes))
    this.#batches.set(collection.name, { pieces: [rest], bytes: rest.length, wholeBytes: 0, documents: 0 })
    const before = this.#inOrder.get(collection.name) ?? Promise.resolve()
    const sending = before
      .then(() => this.#send(collection, all.subarray(0, wholeBytes), documents))
      .catch((error: unknown) => {
        this.#error ??= asHoldfastError(error, 'database.query-failed')
      })
      .finally(() => this.#sent.delete(sending))
    this.#sent.add(sending)
    if (isCapped(collection)) this.#inOrder.set(collection.name, sending)
  }

  /** Waits until no more than so many batches are on their way. @throws what became of any of them */
  async settle(atMost: number): Promise<void> {
    while (this.#sent.size > atMost && this.#error === undefined) await Promise.race(this.#sent)
    if (this.#error !== undefined) throw this.#error
  }

  /** Waits for what is on its way, whatever becomes of it: nothing may come in after the restore has been undone. */
  async stop(): Promise<void> {
    this.#error ??= new HoldfastError('restore.incomplete', 'the restore was stopped')
    await Promise.allSettled(this.#sent)
  }

  /** The command does not fail where documents are refused: it says so in its answer. */
  async #send(collection: ArchivedCollection, bytes: Buffer, documents: number): Promise<void> {
    if (this.#error !== undefined) return
    const answer = await this.#insert(collection, bytes)
    const errors = (answer['writeErrors'] ?? []) as readonly {
      readonly errmsg?: string
      readonly code?: number
    }[]
    const passed = this.#passDuplicates ? errors.filter(({ code }) => code === duplicateKey) : []
    this.passed += passed.length
    const refused = errors.find((error) => !passed.includes(error))
    if (refused === undefined && answer['n'] === documents - passed.length) return
    const said = refused?.errmsg ?? `it took ${String(answer['n'])} of ${documents} documents`
    throw new HoldfastError(
      'database.query-failed',
      `${placeOf(this.#session.settings)}: the server refused documents of ${collection.name}: ${said}`,
      { details: { collection: collection.name, code: refused?.code } },
    )
  }
}

/**
 * A server puts the time of day in place of an empty timestamp at the top of a document, unless it is told not to. Which
 * servers can be told is a matter of patch releases (SERVER-88750): it is tried, on the mark of the restore.
 */
async function emptyTimestamps(session: MongoSession): Promise<object> {
  const option = { bypassEmptyTsReplacement: true }
  try {
    await session.ask((database) =>
      database.command({ insert: unfinishedMark, documents: [{ probe: true }], ...option }),
    )
    return option
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'database.query-failed') return {}
    throw error
  }
}

function isCapped({ metadata }: ArchivedCollection): boolean {
  return /"capped":\s*true/u.test(metadata)
}
