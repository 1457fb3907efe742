import type { MongoSession } from './session.js'
import { elementsOf, toJson, type Bson } from './ordered-json.js'

/** Stands in a database while a restore into it is under way, and stays where one was not finished. */
export const unfinishedMark = 'holdfast_restore_unfinished'

/** Stands in a database that a drill has made on a server of somebody's. */
export const drillMark = 'holdfast_drill'

const marks = [unfinishedMark, drillMark]

/** Begins the names of collections that a portable load has not put in their places yet, or that a killed one has left. */
export const loadPrefix = 'holdfast_load_'

export interface CollectionInfo {
  readonly name: string
  readonly type: 'collection' | 'view' | 'timeseries'
  /** Canonical extended JSON, in the server's order. */
  readonly options: string
  /** In hexadecimal digits; empty where the server gives none. */
  readonly uuid: string
  readonly indexes: readonly IndexInfo[]
}

export interface IndexInfo {
  readonly name: string
  /** Canonical extended JSON, in the server's order. */
  readonly definition: string
}

export interface CollectionList {
  /** In the order of their names; without what the server keeps for itself. */
  readonly collections: readonly CollectionInfo[]
  /** Neither the tools nor the driver's connector dump these. */
  readonly leftOut: readonly string[]
  readonly unfinished: boolean
}

/** How many questions go to the server at once. */
export const questionsAtOnce = 8

/** All collections of the database with their options and indexes. @throws database.* */
export async function listCollections(session: MongoSession): Promise<CollectionList> {
  const { BSON } = await import('mongodb')
  const documents = await session.ask((database) => rawArray(database.listCollections({}, { raw: true })))
  const found = documents.map((document) => infoOf(BSON, document)).sort(byName)
  const users = found.filter(
    ({ name }) => isUsers(name) && !marks.includes(name) && !name.startsWith(loadPrefix),
  )
  return {
    collections: await mapSome(users, questionsAtOnce, async (info) => ({
      ...info,
      indexes: await indexesOf(session, BSON, info),
    })),
    leftOut: found
      .map(({ name }) => name)
      .filter((name) => name.includes('$') && !name.startsWith('system.')),
    unfinished: found.some(({ name }) => name === unfinishedMark),
  }
}

/** Also the tools take functions of the server (`system.js`) for the user's, and no other collection of that kind. */
function isUsers(name: string): boolean {
  return name === 'system.js' || !(name.startsWith('system.') || name.includes('$'))
}

function infoOf(bson: Bson, document: Uint8Array): Omit<CollectionInfo, 'indexes'> {
  const elements = elementsOf(bson, document)
  const value = (name: string) => elements.find((element) => element.name === name)?.value
  const { name, type } = bson.deserialize(document) as { name: string; type?: CollectionInfo['type'] }
  const options = value('options')
  const info = value('info')
  return {
    name,
    type: type ?? 'collection',
    options: options === undefined ? '{}' : toJson(bson, options),
    uuid: info === undefined ? '' : uuidOf(bson, info),
  }
}

function uuidOf(bson: Bson, info: Uint8Array): string {
  const { uuid } = bson.deserialize(info, { promoteBuffers: true }) as { uuid?: unknown }
  return uuid instanceof Uint8Array ? Buffer.from(uuid).toString('hex') : ''
}

async function indexesOf(
  session: MongoSession,
  bson: Bson,
  { name, type }: Omit<CollectionInfo, 'indexes'>,
): Promise<readonly IndexInfo[]> {
  if (type === 'view') return []
  const documents = await session.ask((database) =>
    rawArray(database.collection(name).listIndexes({ raw: true })),
  )
  return documents.map((document) => ({
    name: String((bson.deserialize(document) as { name: unknown }).name),
    definition: toJson(bson, document),
  }))
}

async function rawArray(cursor: { toArray(): Promise<unknown[]> }): Promise<readonly Uint8Array[]> {
  return (await cursor.toArray()) as Uint8Array[]
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** The results in the order of the items; a few at a time. */
export async function mapSome<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += atOnce) {
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(work))))
  }
  return results
}
