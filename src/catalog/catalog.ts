import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { ObjectKey, PutOptions, Storage, StoredObject } from '../storages/storage.js'
import { drillKey, drillOfKey, drillPrefix, isDrillKey, type StoredDrill } from './drill-reports.js'
import { idOfManifestKey, isManifestKey, isPendingKey, manifestKey, pendingKey } from './keys.js'
import { formatManifest, largestManifestBytes, parseManifest, type Manifest } from './manifest.js'
import { formatPending, parsePending, type PendingRecord } from './pending.js'

/** How many manifests are read at once. */
const readsAtOnce = 16

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
}

/** The backups of one storage. What has no manifest is not a backup. */
export class Catalog {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /**
   * Every backup. A manifest that cannot be read is reported as damaged; a storage that cannot be listed is an error, never
   * an empty list.
   */
  async list(cx: Context): Promise<CatalogListing> {
    const keys: ObjectKey[] = []
    const pending: StoredObject[] = []
    const drills = new Map<string, StoredDrill>()
    const sizes = new Map<string, number>()
    for await (const object of this.#storage.list(cx, '')) {
      if (isManifestKey(object.key)) keys.push(object.key)
      else if (isPendingKey(object.key)) pending.push(object)
      else if (isDrillKey(object.key)) {
        // In the order of keys, which is that of time.
        const drill = drillOfKey(object.key)
        if (drill !== undefined) drills.set(drill.id, drill)
      } else sizes.set(object.key, object.bytes)
    }
    const manifests: Manifest[] = []
    const damaged: { key: ObjectKey; error: HoldfastError }[] = []
    for (let start = 0; start < keys.length; start += readsAtOnce) {
      await Promise.all(
        keys.slice(start, start + readsAtOnce).map(async (key) => {
          const read = await this.#readOrDamaged(cx, key)
          if (read === undefined) return
          if (read instanceof HoldfastError) damaged.push({ key, error: read })
          else manifests.push(read)
        }),
      )
    }
    manifests.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
    return { manifests, damaged, pending, drills, sizes }
  }

  /**
   * Reserves a file name for a new backup, so that two runs at once never write the same artifact.
   * @throws storage.exists where another run has it
   */
  async reserve(cx: Context, record: PendingRecord): Promise<void> {
    await this.#putText(cx, pendingKey(record.alias, record.name), formatPending(record), {
      createOnly: true,
    })
  }

  /** Says, before an artifact is written, which objects the backup of this reservation consists of. */
  async announce(cx: Context, record: PendingRecord): Promise<void> {
    await this.#putText(cx, pendingKey(record.alias, record.name), formatPending(record), {})
  }

  /** Makes a backup exist: its artifacts are whole and in the storage. */
  async commit(cx: Context, manifest: Manifest, record: PendingRecord): Promise<void> {
    await this.#putText(cx, manifestKey(record.alias, manifest.id), formatManifest(manifest), {
      createOnly: true,
      retain: true,
    })
    // From here on the backup exists; a record that stays behind is swept by a later run.
    await this.#storage.delete(cx, pendingKey(record.alias, record.name)).catch(() => undefined)
  }

  /** Writes the reports of a drill beside the manifest, where the next one does not replace them. @returns where they are */
  async addDrill(
    cx: Context,
    { id, database }: Manifest,
    drill: Pick<StoredDrill, 'time' | 'result'>,
    { json, markdown }: { readonly json: string; readonly markdown: string },
  ): Promise<readonly ObjectKey[]> {
    const keyOf = (ending: 'json' | 'md') => drillKey(database.alias, { id, ...drill }, ending)
    // The one that is listed comes last.
    await this.#putText(cx, keyOf('md'), markdown, { createOnly: true })
    await this.#putText(cx, keyOf('json'), json, { createOnly: true })
    return [keyOf('json'), keyOf('md')]
  }

  /** Removes what a failed backup left: its artifacts, then its record. */
  async abandon(cx: Context, record: PendingRecord): Promise<void> {
    for (const key of record.keys) await this.#storage.delete(cx, objectKey(key))
    await this.#storage.delete(cx, pendingKey(record.alias, record.name))
  }

  /** Removes a backup: the manifest first, so that no backup is ever listed without its artifacts. Reports of drills go with it. */
  async remove(cx: Context, manifest: Manifest): Promise<void> {
    const reports: string[] = []
    for await (const { key } of this.#storage.list(cx, drillPrefix(manifest.database.alias, manifest.id)))
      reports.push(key)
    const record: PendingRecord = {
      formatVersion: 1,
      name: manifest.id,
      id: manifest.id,
      alias: manifest.database.alias,
      started: cx.env.clock.now().toISOString(),
      keys: [...manifest.parts.map((part) => part.stored.key), ...reports],
    }
    await this.announce(cx, record)
    await this.#storage.delete(cx, manifestKey(record.alias, record.id))
    await this.abandon(cx, record)
  }

  /**
   * Finds what interrupted runs left behind more than `olderThanMs` ago. Where a manifest is damaged nothing is: what it
   * names is not known.
   */
  async orphans(
    cx: Context,
    listing: CatalogListing,
    olderThanMs: number,
  ): Promise<readonly PendingRecord[]> {
    if (listing.damaged.length > 0) return []
    const now = cx.env.clock.now().getTime()
    const alive = new Set(listing.manifests.map((manifest) => manifest.id))
    const referenced = new Set(
      listing.manifests.flatMap((manifest) => manifest.parts.map((part) => part.stored.key)),
    )
    const records: PendingRecord[] = []
    for (const object of listing.pending) {
      const record = parsePending(await this.#readText(cx, object.key), object.key)
      if (now - Date.parse(record.started) < olderThanMs) continue
      const keys = alive.has(record.id) ? [] : record.keys.filter((key) => !referenced.has(key))
      records.push({ ...record, keys })
    }
    return records
  }

  async #readOrDamaged(cx: Context, key: ObjectKey): Promise<Manifest | HoldfastError | undefined> {
    try {
      const manifest = parseManifest(await this.#readText(cx, key), key)
      if (manifest.id === idOfManifestKey(key) && manifestKey(manifest.database.alias, manifest.id) === key)
        return manifest
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

  async #readText(cx: Context, key: ObjectKey): Promise<string> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of await this.#storage.get(cx, key)) {
      bytes += (chunk as Buffer).length
      if (bytes > largestManifestBytes) {
        throw new HoldfastError('integrity.manifest', `${key} is larger than any manifest`, {
          details: { key },
        })
      }
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  async #putText(cx: Context, key: ObjectKey, text: string, options: PutOptions): Promise<void> {
    const body = Buffer.from(text, 'utf8')
    await this.#storage.put(cx, key, Readable.from([body]), options)
    const stored = await this.#storage.stat(cx, key)
    if (stored?.bytes !== body.length) {
      throw new HoldfastError('storage.failed', `${key} is not in the storage as it was written`, {
        details: { key },
      })
    }
  }
}
