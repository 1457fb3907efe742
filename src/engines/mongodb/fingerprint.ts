import { createHash } from 'node:crypto'
import {
  unprovenFingerprint,
  type DatabaseFingerprint,
  type Fingerprint,
  type Fingerprinter,
  type FingerprintLevel,
  type TableFingerprint,
} from '../../engine/fingerprinter.js'
import { assertExists, withoutOwn } from './catalog.js'
import { listCollections, type CollectionInfo } from './collections.js'
import { DocumentDigest } from './document-digest.js'
import type { DumpPlan } from './dump-plan.js'
import { MongoSession } from './session.js'

export const fingerprintMethod = 'mongodb-1'

export const mongodbFingerprinter: Fingerprinter = {
  method: fingerprintMethod,
  defaultLevel: 'counts',
  async take(cx, connection, { level, tables }): Promise<DatabaseFingerprint> {
    const session = await MongoSession.open(cx, connection)
    try {
      await assertExists(session)
      const { collections } = await listCollections(session)
      const wanted = tables === undefined ? undefined : new Set(tables.map(({ name }) => name))
      const found: TableFingerprint[] = []
      for (const info of collections) {
        if (info.type === 'view' || wanted?.has(info.name) === false) continue
        found.push(unproven(info) ?? (await readCollection(session, info.name, level)))
      }
      const { product, version } = session.identity
      const definitions = definitionsOf(collections)
      return {
        product,
        version,
        encoding: 'UTF-8',
        fingerprint: { level, method: fingerprintMethod, tables: found, counters: [], definitions },
      }
    } finally {
      await session.close()
    }
  },
}

async function readCollection(
  session: MongoSession,
  name: string,
  level: FingerprintLevel,
): Promise<TableFingerprint> {
  if (level === 'counts')
    return { name, rows: await session.ask((database) => database.collection(name).countDocuments()) }
  const digest = new DocumentDigest()
  await session.ask(async (database) => {
    for await (const document of database.collection(name).find({}, { raw: true }))
      // With `raw` a document is its bytes, which the driver's types do not know.
      digest.add(document as unknown as Uint8Array)
  })
  return { name, rows: digest.documents, digest: digest.result() }
}

/** A server stores the documents of a time series as it likes. */
function unproven({ name, type }: CollectionInfo): TableFingerprint | undefined {
  return type === 'timeseries'
    ? { name, unproven: 'the documents of a time series lie in buckets' }
    : undefined
}

/**
 * The fingerprint of an archive from the documents that are written to it: MongoDB's tools read no snapshot, so that this is the
 * only state there is.
 */
export class ArchiveProof {
  readonly #plan: DumpPlan
  readonly #level: FingerprintLevel
  readonly #digests = new Map<string, DocumentDigest>()
  readonly #counts = new Map<string, number>()

  constructor(plan: DumpPlan, level: FingerprintLevel = 'none') {
    this.#plan = plan
    this.#level = level
  }

  /** A piece of a collection's documents, which follows the one before. */
  piece(collection: string, bytes: Uint8Array): void {
    if (this.#level === 'content') this.#digestOf(collection).push(bytes)
  }

  /** Whole documents. */
  documents(collection: string, documents: readonly Uint8Array[]): void {
    this.counted(collection, (this.#counts.get(collection) ?? 0) + documents.length)
    if (this.#level !== 'content') return
    const digest = this.#digestOf(collection)
    for (const document of documents) digest.add(document)
  }

  counted(collection: string, documents: number): void {
    this.#counts.set(collection, documents)
  }

  /** Absent where none was asked for. */
  result(): Fingerprint | undefined {
    const { collections, excluded, withoutRows } = this.#plan
    if (this.#level === 'none') return undefined
    if (collections.length === 0) return unprovenFingerprint(fingerprintMethod, 'there is no collection')
    const tables = collections.filter(({ name, type }) => type !== 'view' && !withoutRows.has(name))
    return {
      level: this.#level,
      method: fingerprintMethod,
      tables: tables.map((info) => unproven(info) ?? this.#tableOf(info.name)),
      counters: [],
      definitions: excluded.length === 0 ? definitionsOf(collections) : {},
    }
  }

  #tableOf(name: string): TableFingerprint {
    const rows = this.#counts.get(name) ?? 0
    return this.#level === 'content' ? { name, rows, digest: this.#digestOf(name).result() } : { name, rows }
  }

  #digestOf(collection: string): DocumentDigest {
    const digest = this.#digests.get(collection) ?? new DocumentDigest()
    this.#digests.set(collection, digest)
    return digest
  }
}

function definitionsOf(collections: readonly CollectionInfo[]): Readonly<Record<string, string>> {
  const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
  return Object.fromEntries(
    collections.flatMap(({ name, type, options, indexes }): [string, string][] => [
      [`${type} ${name}`, short(options)],
      ...indexes.map((index): [string, string] => [
        `index ${name}.${index.name}`,
        short(withoutOwn(index.definition)),
      ]),
    ]),
  )
}
