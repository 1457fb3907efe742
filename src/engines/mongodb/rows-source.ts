import type { FindCursor } from 'mongodb'
import type { Context } from '../../env/context.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { RowChunk } from '../../engine/row-chunk.js'
import type { RowQuery, RowSource } from '../../engine/row-source.js'
import { HoldfastError } from '../../errors.js'
import { assertExists, listWarnings } from './catalog.js'
import { listCollections, mapSome, questionsAtOnce } from './collections.js'
import { DocumentReader } from './document-json.js'
import type { Bson } from './ordered-json.js'
import { leftOutWarnings, readTables } from './rows-collections.js'
import { MongoSession } from './session.js'

/** A server sends as many documents at a time, or about as many bytes: two answers are in memory. */
const documentsAtOnce = 1000
const bytesAtOnce = 2 * 1024 * 1024
/** Of those, as many go on as one chunk: what is made of them should be gone before more comes. */
const documentsInChunk = 100

export async function openSource(cx: Context, settings: ConnectionSettings): Promise<RowSource> {
  const session = await MongoSession.open(cx, settings)
  try {
    await assertExists(session)
    const list = await listCollections(session)
    const tables = await mapSome(readTables(list.collections), questionsAtOnce, async (table) => {
      const size = await sizeOf(session, table.table.name)
      return size === undefined ? table : { ...table, estimatedRows: size.count }
    })
    return {
      tables: () => Promise.resolve(tables),
      warnings: [
        ...listWarnings(list),
        'MongoDB gives no snapshot of several collections: they are read one after another',
        ...leftOutWarnings(list.collections),
      ],
      rows: (table, query) => readDocuments(cx, session, table.table.name, query),
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

interface CollectionSize {
  readonly count: number
  /** Of all documents together. */
  readonly size: number
}

/** As the server keeps it, part by part where a collection is in several: a `count` makes some servers read it all. */
async function sizeOf(session: MongoSession, name: string): Promise<CollectionSize | undefined> {
  try {
    const parts = await session.ask((database) =>
      database
        .collection(name)
        .aggregate<{ readonly storageStats: CollectionSize }>([{ $collStats: { storageStats: {} } }])
        .toArray(),
    )
    const sum = (what: keyof CollectionSize) =>
      parts.reduce((all, { storageStats }) => all + storageStats[what], 0)
    return { count: sum('count'), size: sum('size') }
  } catch {
    return undefined
  }
}

/** How many documents of a collection the server should send at a time. */
export async function batchSizeOf(session: MongoSession, name: string): Promise<number> {
  const { count, size } = (await sizeOf(session, name)) ?? { count: 0, size: 0 }
  const fitting = size === 0 ? documentsAtOnce : Math.floor((bytesAtOnce * count) / size)
  return Math.max(1, Math.min(documentsAtOnce, fitting))
}

/** In the order of `_id`, which has an index. @throws usage.not-supported, database.* */
export async function* readDocuments(
  cx: Context,
  session: MongoSession,
  name: string,
  query: RowQuery = {},
  lines: (bson: Bson) => (document: Uint8Array) => string = (bson) =>
    lineMaker(new DocumentReader(bson), query.columns ?? ['_id', 'document']),
): AsyncGenerator<RowChunk> {
  if (query.in !== undefined)
    throw new HoldfastError('usage.not-supported', 'subsets follow foreign keys, and MongoDB has none')
  const { BSON } = await import('mongodb')
  const filter = query.where === undefined ? {} : filterOf(BSON.EJSON.parse, query.where)
  const batchSize = await batchSizeOf(session, name)
  const found = session.database.collection(name).find(filter, { raw: true, batchSize })
  const sorted = query.anyOrder === true ? found : found.sort({ _id: 1 })
  const cursor = query.limit === undefined ? sorted : sorted.limit(query.limit)
  const lineOf = lines(BSON)
  for await (const documents of rawDocuments(cx, session, cursor))
    for (let at = 0; at < documents.length; at += documentsInChunk) {
      const some = documents.slice(at, at + documentsInChunk)
      yield RowChunk.ofLines(some.map(lineOf).join(''), some.length)
    }
}

/** @param cursor one with the option `raw` @throws database.* */
export async function* rawDocuments(
  cx: Context,
  session: MongoSession,
  cursor: FindCursor,
): AsyncGenerator<readonly Uint8Array[]> {
  const asked = () => session.ask(() => cursor.hasNext())
  let more = asked()
  try {
    while (await more) {
      cx.signal.throwIfAborted()
      // With `raw` a document is its bytes, which the driver's types do not know.
      const documents = cursor.readBufferedDocuments() as unknown as readonly Uint8Array[]
      // The server has the next ones ready by the time that these have gone on.
      more = asked()
      more.catch(() => undefined)
      yield documents
    }
  } finally {
    await cursor.close().catch(() => undefined)
  }
}

function lineMaker(reader: DocumentReader, columns: readonly string[]): (document: Uint8Array) => string {
  return (document) => {
    const { id, cell } = reader.read(document)
    return `[${columns.map((name) => (name === '_id' ? JSON.stringify(id) : cell)).join(',')}]\n`
  }
}

/** @throws usage.invalid */
function filterOf(parse: (text: string) => unknown, where: string): object {
  try {
    const filter = parse(where)
    if (typeof filter === 'object' && filter !== null) return filter
  } catch {
    // Said below.
  }
  throw new HoldfastError('usage.invalid', `where is ${where}, which is no filter of MongoDB`, {
    hint: 'write it as JSON: {"age": {"$gt": 30}}',
  })
}
