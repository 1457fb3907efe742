import type { FindCursor } from 'mongodb'
import { Readable } from 'node:stream'
import { dataName, type ArchivedCollection } from './archive.js'
import { ArchiveWriter } from './archive-writer.js'
import type { CollectionInfo } from './collections.js'
import type { DumpPlan } from './dump-plan.js'
import type { ArchiveProof } from './fingerprint.js'
import type { MongoSession } from './session.js'

/** So many collections are read at once: a server sends up to 16 MiB in one answer, and each is held with the one before. */
const readsAtOnce = 2

/** The archive of a database, read by the driver. Its error is the stream's; the session stays open. */
export function driverDump(session: MongoSession, plan: DumpPlan, proof: ArchiveProof): Readable {
  return Readable.from(archive(session, plan, proof), { objectMode: false, highWaterMark: 4 * 1024 * 1024 })
}

async function* archive(session: MongoSession, plan: DumpPlan, proof: ArchiveProof): AsyncGenerator<Buffer> {
  const collections = plan.collections.map((info) => archived(session.settings.name, info))
  const writer = new ArchiveWriter(
    { serverVersion: session.identity.protocolVersion, toolVersion: 'holdfast', collections },
    readsAtOnce,
  )
  for await (const { collection, documents } of takeTurns(session, plan, collections)) {
    if (documents === undefined) writer.end(collection)
    else {
      writer.documents(collection, documents)
      proof.documents(collection.name, documents)
    }
    yield* writer.take()
  }
  yield* writer.take()
  yield writer.rest()
}

function archived(
  database: string,
  { name, type, options, uuid, indexes }: CollectionInfo,
): ArchivedCollection {
  const parts = [
    ...(options === '{}' ? [] : [`"options":${options}`]),
    `"indexes":[${indexes.map(({ definition }) => definition).join(',')}]`,
    ...(uuid === '' ? [] : [`"uuid":"${uuid}"`]),
    `"collectionName":${JSON.stringify(name)}`,
    `"type":"${type}"`,
  ]
  return { database, name, type, metadata: `{${parts.join(',')}}` }
}

interface Turn {
  readonly collection: ArchivedCollection
  /** Undefined: there are no more. */
  readonly documents: readonly Uint8Array[] | undefined
}

/** Reads several collections at once; gives what comes first, and asks for more of a collection while that is written. */
async function* takeTurns(
  session: MongoSession,
  { withoutRows }: DumpPlan,
  collections: readonly ArchivedCollection[],
): AsyncGenerator<Turn> {
  const waiting = [...collections]
  const reads = new Map<ArchivedCollection, Promise<Turn>>()
  const cursors = new Map<ArchivedCollection, FindCursor>()
  const ask = (collection: ArchivedCollection) => {
    const turn = nextTurn(session, collection, cursors.get(collection))
    turn.catch(() => undefined)
    reads.set(collection, turn)
  }
  const begin = () => {
    const collection = waiting.shift()
    if (collection === undefined) return
    if (collection.type !== 'view' && !withoutRows.has(collection.name))
      cursors.set(collection, session.database.collection(dataName(collection)).find({}, { raw: true }))
    ask(collection)
  }
  try {
    for (let count = 0; count < readsAtOnce; count++) begin()
    while (reads.size > 0) {
      const turn = await Promise.race(reads.values())
      reads.delete(turn.collection)
      if (turn.documents === undefined) begin()
      else ask(turn.collection)
      yield turn
    }
  } finally {
    await Promise.allSettled([...cursors.values()].map((cursor) => cursor.close()))
  }
}

async function nextTurn(
  session: MongoSession,
  collection: ArchivedCollection,
  cursor: FindCursor | undefined,
): Promise<Turn> {
  const more = cursor !== undefined && (await session.ask(() => cursor.hasNext()))
  // With `raw` a document is its bytes, which the driver's types do not know.
  const documents = more ? (cursor.readBufferedDocuments() as unknown as readonly Uint8Array[]) : undefined
  return { collection, documents }
}
