import type { Context } from '../../env/context.js'
import type { ConnectorSettings, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import { ArchiveParser, type ArchiveData } from './archive-parser.js'
import { definitionOf } from './indexes.js'
import { InsertSender } from './insert-sender.js'
import { drops, type CheckedTarget } from './restore-check.js'
import type { RestoreProgress } from './restore-run.js'
import { openArchive } from './restore-source.js'
import type { MongoSession } from './session.js'

/** So much is looked at before what it holds is sent. */
const pieceBytes = 4 * 1024 * 1024
/** Batches that are on their way. */
const sendsAtOnce = 2

/** Loads an archive by the driver alone: the documents' bytes go to the server as they are. @throws integrity.*, database.* */
export async function driverRestore(
  { signal }: Context,
  session: MongoSession,
  settings: ConnectorSettings,
  source: RestoreSource,
  request: RestoreRequest,
  checked: CheckedTarget,
  progress: RestoreProgress,
): Promise<readonly string[]> {
  progress.changed = true
  const { schemaOnly = false, dataOnly = false } = request
  const clears = drops(settings, request)
  if (!dataOnly) await makeCollections(session, checked, clears)
  else if (clears) await emptyCollections(session, checked)
  const sender = await InsertSender.create(session)
  const stream = await openArchive(source, signal)
  try {
    const parser = loading(checked, sender, !schemaOnly)
    for await (const chunk of stream) {
      for (let at = 0; at < (chunk as Buffer).length; at += pieceBytes) {
        parser.push((chunk as Buffer).subarray(at, at + pieceBytes))
        await sender.settle(sendsAtOnce)
      }
    }
    parser.end()
    await sender.settle(0)
    return []
  } finally {
    stream.destroy()
    await sender.stop()
  }
}

function loading({ archived }: CheckedTarget, sender: InsertSender, documents: boolean): ArchiveParser {
  const names = new Set(archived.collections.map(({ name }) => name))
  const wanted = ({ collection }: ArchiveData) =>
    documents && collection.database === archived.name && names.has(collection.name)
  return new ArchiveParser({
    documents: (data, run) => {
      if (wanted(data)) sender.add(data.collection, run)
    },
    collectionEnd: (data) => {
      if (wanted(data)) sender.flush(data.collection)
    },
  })
}

/** Collections with their options, before any document; views after what they look at. */
async function makeCollections(
  session: MongoSession,
  { archived, list }: CheckedTarget,
  drop: boolean,
): Promise<void> {
  const there = new Set(drop ? list?.collections.map(({ name }) => name) : [])
  const views = archived.collections.filter(({ type }) => type === 'view')
  const others = archived.collections.filter(({ type }) => type !== 'view')
  for (const collection of [...others, ...views]) {
    const { name } = collection
    if (there.has(name)) await session.ask((database) => database.dropCollection(name))
    const { options } = await definitionOf(collection)
    // Servers since 4.0 make the index on _id always, and refuse to be told.
    const kept = [...options].filter(([option]) => option !== 'autoIndexId')
    await session.ask((database) => database.command({ create: name, ...Object.fromEntries(kept) }))
  }
}

/** Without their documents; their options and indexes stay. */
async function emptyCollections(session: MongoSession, { archived }: CheckedTarget): Promise<void> {
  for (const { name } of archived.collections)
    await session.ask((database) => database.collection(name).deleteMany({}))
}
