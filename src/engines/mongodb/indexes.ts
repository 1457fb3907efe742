import { mapSome } from './collections.js'
import { fromJson, type OrderedDocument } from './ordered-json.js'
import type { ArchivedCollection } from './archive.js'
import type { ArchivedDatabase } from './restore-source.js'
import type { MongoSession } from './session.js'
import { HoldfastError } from '../../errors.js'

/** As mongorestore does it. */
const buildsAtOnce = 4

/** Options and indexes of a collection, as its archive has them. */
export interface CollectionDefinition {
  readonly options: OrderedDocument
  readonly indexes: readonly OrderedDocument[]
}

/** @throws integrity.format */
export async function definitionOf({ name, metadata }: ArchivedCollection): Promise<CollectionDefinition> {
  if (metadata === '') return { options: new Map(), indexes: [] }
  const { BSON } = await import('mongodb')
  try {
    const read = fromJson(BSON, metadata)
    const options = read.get('options')
    const indexes = read.get('indexes')
    return {
      options: options instanceof Map ? (options as OrderedDocument) : new Map<string, unknown>(),
      indexes: Array.isArray(indexes) ? (indexes as OrderedDocument[]) : [],
    }
  } catch (error) {
    throw new HoldfastError('integrity.format', `the options and indexes of ${name} cannot be read`, {
      cause: error,
    })
  }
}

/**
 * Makes the indexes of what was restored, those that let documents expire after all others: so that nothing is deleted while
 * a restore goes on. Unlike mongorestore it has the server refuse what it does not know, rather than leave it out.
 * @throws database.*
 */
export async function buildIndexes(session: MongoSession, { collections }: ArchivedDatabase): Promise<void> {
  const definitions = await mapSome(collections, buildsAtOnce, async (collection) => ({
    name: collection.name,
    indexes: indexesToBuild(await definitionOf(collection)),
  }))
  for (const expiring of [false, true]) {
    await mapSome(definitions, buildsAtOnce, async ({ name, indexes }) => {
      const wanted = indexes.filter((index) => index.has('expireAfterSeconds') === expiring)
      if (wanted.length === 0) return
      await session.ask((database) => database.command({ createIndexes: name, indexes: wanted }))
    })
  }
}

/** Without what comes with the collection, and without what the server chooses by itself. */
export function indexesToBuild({ options, indexes }: CollectionDefinition): readonly OrderedDocument[] {
  return indexes
    .filter((index) => index.get('name') !== '_id_' && index.get('clustered') !== true)
    .map((index) => {
      const kept = new Map([...index].filter(([option]) => option !== 'v' && option !== 'ns'))
      // An index without a collation in a collection with one was made with the simple one; left out, it would inherit.
      if (options.has('collation') && !kept.has('collation')) kept.set('collation', { locale: 'simple' })
      return kept
    })
}
