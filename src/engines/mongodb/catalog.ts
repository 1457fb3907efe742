import { createHash } from 'node:crypto'
import type { ServerFacts, TableFacts } from '../../engine/engine.js'
import {
  listCollections,
  mapSome,
  questionsAtOnce,
  type CollectionInfo,
  type CollectionList,
} from './collections.js'
import { placeOf } from './connection.js'
import { HoldfastError } from '../../errors.js'
import type { MongoSession } from './session.js'

/** @throws database.not-found and what the server says */
export async function serverFacts(session: MongoSession): Promise<ServerFacts> {
  await assertExists(session)
  return factsOf(session, await listCollections(session))
}

/** @throws database.not-found */
export async function assertExists(session: MongoSession): Promise<void> {
  if (await session.exists()) return
  throw new HoldfastError('database.not-found', `${placeOf(session.settings)}: there is no such database`)
}

export async function factsOf(session: MongoSession, list: CollectionList): Promise<ServerFacts> {
  const { collections } = list
  const tables = await mapSome(
    collections.filter(({ type }) => type !== 'view'),
    questionsAtOnce,
    (collection) => tableFacts(session, collection),
  )
  const sizes = tables.map(({ bytes }) => bytes).filter((bytes) => bytes !== undefined)
  return {
    product: session.identity.product,
    version: session.identity.version,
    database: session.settings.name,
    ...(sizes.length === 0 ? {} : { sizeBytes: sizes.reduce((sum, bytes) => sum + bytes, 0) }),
    encoding: 'UTF-8',
    tables,
    objectCount: objectCount(list),
    migrations: [],
    schemaHash: schemaHash(collections),
    warnings: listWarnings(list),
  }
}

/** Collections, views, and indexes that somebody has made. */
export function objectCount({ collections }: CollectionList): number {
  return collections.reduce(
    (sum, { indexes }) => sum + 1 + indexes.filter(({ name }) => name !== '_id_').length,
    0,
  )
}

export function listWarnings({ leftOut, unfinished }: CollectionList): readonly string[] {
  return [
    ...(leftOut.length === 0
      ? []
      : [`collections with a $ in their names are not dumped: ${leftOut.slice(0, 5).join(', ')}`]),
    ...(unfinished
      ? ['a restore into this database began and did not finish: what is there is not whole']
      : []),
  ]
}

/** What the server keeps count of; nothing is read. The size is that of the documents, as a dump holds them. */
async function tableFacts(session: MongoSession, { name, type }: CollectionInfo): Promise<TableFacts> {
  if (type === 'timeseries') return { name }
  const stats = await session
    .ask((database) => database.command({ collStats: name }))
    // An account may read without being allowed this; the numbers are for progress only.
    .catch((error: unknown) => {
      if (error instanceof HoldfastError && error.code.startsWith('database.')) return undefined
      throw error
    })
  if (stats === undefined) return { name }
  const { count, size } = stats as { readonly count?: unknown; readonly size?: unknown }
  return {
    name,
    ...(typeof count === 'number' ? { estimatedRows: count } : {}),
    ...(typeof size === 'number' ? { bytes: size } : {}),
  }
}

/** The same for the same collections, options and indexes, also in a database of another name or of another server. */
function schemaHash(collections: readonly CollectionInfo[]): string {
  const hash = createHash('sha256')
  for (const { name, type, options, indexes } of collections) {
    const definitions = indexes.map(({ definition }) => withoutOwn(definition)).sort()
    hash.update(`${JSON.stringify([name, type, options, definitions])}\n`)
  }
  return hash.digest('hex')
}

/** The version of an index's format is the server's choice, and old servers repeat the name of the collection. */
export function withoutOwn(definition: string): string {
  return definition.replace(/^\{"v":\{"\$number\w+":"\d+"\},?/u, '{').replace(/,"ns":"(?:[^"\\]|\\.)*"/u, '')
}
