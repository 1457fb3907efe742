import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ObjectKey, Storage, StoredObject } from '../storages/storage.js'
import type { Member, Seal, StoredChain } from './chain.js'
import type { ChainStore } from './chain-store.js'
import { drillOfKey, isDrillKey, type StoredDrill } from './drill-reports.js'
import {
  idOfManifestKey,
  indexKey,
  isChainKey,
  isLeaseKey,
  isManifestKey,
  isPendingKey,
  manifestKey,
} from './keys.js'
import type { Manifest } from './manifest.js'
import { ManifestIndex, objectsBetweenMarks, type ManifestText } from './manifest-index.js'
import { readText } from './text-objects.js'

/** How many manifests are read at once. */
const readsAtOnce = 16

/** Where manifests come from: the index as far as it has them, or each its own object, for those who look whether that is whole. */
export type ManifestSource = 'indexed' | 'read'

export interface CatalogListing {
  /** Newest first, by id. */
  readonly manifests: readonly Manifest[]
  readonly damaged: readonly { readonly key: ObjectKey; readonly error: HoldfastError }[]
  /** Records of backups that are being made or removed, or whose run was interrupted. */
  readonly pending: readonly StoredObject[]
  /** The last drill of each backup, by the backup's id. */
  readonly drills: ReadonlyMap<string, StoredDrill>
  /** Everything else, by key, with its size: artifacts, and what is none of ours. */
  readonly sizes: ReadonlyMap<string, number>
  /** What is known of each manifest beside its content, by the backup's id. */
  readonly seals: ReadonlyMap<string, Seal>
  /** The records of the chains of signed backups, by their keys. */
  readonly chains: ReadonlyMap<string, StoredChain>
  /** The manifests as they lie in the storage. */
  readonly texts: readonly ManifestText[]
  /** Keys that split the list of the storage's objects into parts of much the same length. */
  readonly marks: readonly ObjectKey[]
  /** Whether writing the index anew would spare those who list next many requests. */
  readonly indexWorn: boolean
}

/** Reads what a storage holds. */
export class CatalogReader {
  readonly #storage: Storage
  readonly #chains: ChainStore

  constructor(storage: Storage, chains: ChainStore) {
    this.#storage = storage
    this.#chains = chains
  }

  /**
   * Every backup. A manifest that cannot be read is reported as damaged; a storage that cannot be listed is an error, never
   * an empty list.
   */
  async list(cx: Context, source: ManifestSource): Promise<CatalogListing> {
    let indexed: Promise<ManifestIndex> | undefined
    const objects: StoredObject[] = []
    const chainKeys: ObjectKey[] = []
    const pending: StoredObject[] = []
    const drills = new Map<string, StoredDrill>()
    const sizes = new Map<string, number>()
    const marks: ObjectKey[] = []
    let count = 0
    // While the list goes on; not before it answers, since a storage that does not is asked again and again.
    const readIndex = () => (indexed ??= this.#indexAhead(cx))
    const options = source === 'read' ? {} : { marks: async () => (await readIndex()).marks }
    for await (const object of this.#storage.list(cx, '', options)) {
      count += 1
      if (count % objectsBetweenMarks === 0) marks.push(object.key)
      if (isManifestKey(object.key)) {
        objects.push(object)
        if (source === 'indexed') void readIndex()
      } else if (isChainKey(object.key)) chainKeys.push(object.key)
      else if (isPendingKey(object.key)) pending.push(object)
      else if (isLeaseKey(object.key) || object.key === indexKey) continue
      else if (isDrillKey(object.key)) {
        // In the order of keys, which is that of time.
        const drill = drillOfKey(object.key)
        if (drill !== undefined) drills.set(drill.id, drill)
      } else sizes.set(object.key, object.bytes)
    }
    const index = (await indexed) ?? ManifestIndex.empty
    const { given, ...read } = await this.manifests(cx, objects, index)
    const indexWorn = source === 'indexed' && index.isWorn(objects.length, given, marks.length)
    return {
      ...read,
      pending,
      drills,
      sizes,
      chains: await this.#readChains(cx, chainKeys),
      marks,
      indexWorn,
    }
  }

  #indexAhead(cx: Context): Promise<ManifestIndex> {
    const indexed = ManifestIndex.read(cx, this.#storage)
    // An interruption is told by whoever waits for it; the list may have ended with it before.
    indexed.catch(() => undefined)
    return indexed
  }

  /** Those of the objects that are manifests; what the index has is not read again. */
  async manifests(
    cx: Context,
    objects: readonly StoredObject[],
    index: ManifestIndex = ManifestIndex.empty,
  ): Promise<Pick<CatalogListing, 'manifests' | 'damaged' | 'seals' | 'texts'> & { readonly given: number }> {
    const manifests: Manifest[] = []
    const damaged: { key: ObjectKey; error: HoldfastError }[] = []
    const seals = new Map<string, Seal>()
    const texts: ManifestText[] = []
    /** By the index. */
    let given = 0
    const readOne = async (object: StoredObject) => {
      const { key } = object
      const known = index.textOf(object)
      if (known !== undefined) given += 1
      const read = await this.#readOrDamaged(cx, key, known)
      if (read === undefined) return
      if (read instanceof HoldfastError) damaged.push({ key, error: read })
      else {
        manifests.push(read.manifest)
        seals.set(read.manifest.id, read.seal)
        texts.push({ object, text: read.text })
      }
    }
    for (let start = 0; start < objects.length; start += readsAtOnce) {
      await Promise.all(objects.slice(start, start + readsAtOnce).map(readOne))
    }
    manifests.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
    return { manifests, damaged, seals, texts, given }
  }

  async #readChains(cx: Context, keys: readonly ObjectKey[]): Promise<ReadonlyMap<string, StoredChain>> {
    const chains = new Map<string, StoredChain>()
    for (const key of keys) {
      const chain = await this.#chains.read(cx, key)
      if (chain !== undefined) chains.set(key, chain)
    }
    return chains
  }

  async #readOrDamaged(
    cx: Context,
    key: ObjectKey,
    known: string | undefined,
  ): Promise<
    { readonly manifest: Manifest; readonly seal: Seal; readonly text: string } | HoldfastError | undefined
  > {
    try {
      const text = known ?? (await readText(cx, this.#storage, key))
      const { manifest, seal } = this.#chains.parse(text, key)
      if (manifest.id === idOfManifestKey(key) && manifestKey(manifest.database.alias, manifest.id) === key)
        return { manifest, seal, text }
      return new HoldfastError(
        'integrity.manifest',
        `${key} holds the manifest of another backup, ${manifest.id}`,
        {
          details: { key },
        },
      )
    } catch (thrown) {
      const error = asHoldfastError(thrown)
      // Removed by another run between the listing and the reading.
      if (error.code === 'storage.not-found') return undefined
      if (error.code.startsWith('integrity.')) return error
      throw error
    }
  }
}

/** The backups of one database, as members of its chain. */
export function membersOf(
  { manifests, seals }: Pick<CatalogListing, 'manifests' | 'seals'>,
  alias: string,
): readonly Member[] {
  return manifests.flatMap(({ id, database, chain }) => {
    const seal = seals.get(id)
    return database.alias === alias && seal !== undefined ? [{ id, chain, ...seal }] : []
  })
}
