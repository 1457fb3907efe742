import type { RowSource } from '../../engine/row-source.js'
import { RowChunk } from '../../engine/row-chunk.js'
import type { TableHeader } from '../../engine/table-header.js'
import type { Context } from '../../env/context.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { assertExists } from './catalog.js'
import { listCollections } from './collections.js'
import { elementsOf, toJson, valueJson, type Bson } from './ordered-json.js'
import { MongoSession } from './session.js'

const documentsAtOnce = 500

/** Documents as rows of two cells, their `_id` and their text: enough to compare them, not to move them. */
export async function openDocuments(cx: Context, settings: ConnectionSettings): Promise<RowSource> {
  const session = await MongoSession.open(cx, settings)
  try {
    await assertExists(session)
    const { BSON } = await import('mongodb')
    const { collections } = await listCollections(session)
    const readable = collections.filter(({ type }) => type === 'collection')
    return {
      tables: () => Promise.resolve(readable.map(({ name }) => headerOf(name))),
      warnings: [],
      rows: ({ table }) => rowsOf(session, BSON, table.name),
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

async function* rowsOf(session: MongoSession, bson: Bson, name: string): AsyncGenerator<RowChunk> {
  // In the order of an index that every collection has.
  const cursor = session.database
    .collection(name)
    .find({}, { raw: true, batchSize: documentsAtOnce })
    .sort({ _id: 1 })
  try {
    while (await session.ask(() => cursor.hasNext())) {
      const documents = cursor.readBufferedDocuments() as unknown as readonly Uint8Array[]
      yield RowChunk.ofLines(documents.map((each) => lineOf(bson, each)).join(''), documents.length)
    }
  } finally {
    await cursor.close()
  }
}

/** The document is text within the line: so its keys keep their order, also those that look like numbers. */
function lineOf(bson: Bson, document: Uint8Array): string {
  const id = elementsOf(bson, document).find(({ name }) => name === '_id')
  return `[${id === undefined ? 'null' : valueJson(bson, id)},${JSON.stringify(toJson(bson, document))}]\n`
}

function headerOf(name: string): TableHeader {
  const column = { nullable: true, hasDefault: false }
  return {
    table: { name },
    columns: [
      { ...column, name: '_id', type: 'json', primaryKey: 1 },
      { ...column, name: 'document', type: 'document' },
    ],
    ...{ foreignKeys: [], unique: [], indexes: [], generated: [], notCarried: [] },
    ...{ sequences: {}, renamedFrom: {}, defaults: {} },
  }
}
