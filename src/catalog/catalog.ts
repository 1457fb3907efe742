import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { noSigning, type Signing } from '../signing/signing.js'
import { objectKey } from '../storages/object-key.js'
import type { ObjectKey, Storage, StoredObject } from '../storages/storage.js'
import { afterRemoval, type ChainRecord, type Member, type MissingLink } from './chain.js'
import { ChainStore, noKey } from './chain-store.js'
import { drillKey, drillPrefix, type StoredDrill } from './drill-reports.js'
import { chainKey, folderOf, idOfManifestKey, isManifestKey, manifestKey, pendingKey } from './keys.js'
import { Leases } from './leases.js'
import { CatalogReader, membersOf, type CatalogListing, type ManifestSource } from './listing.js'
import { formatManifest, type Manifest } from './manifest.js'
import { ManifestIndex } from './manifest-index.js'
import { formatPending, parsePending, type PendingRecord } from './pending.js'
import { putText, readText } from './text-objects.js'

/** How many artifacts are removed at once. */
const deletesAtOnce = 16

/** The backups of one storage. What has no manifest is not a backup. */
export class Catalog {
  readonly #storage: Storage
  readonly #chains: ChainStore
  readonly #reader: CatalogReader
  /** What runs tell each other here. */
  readonly leases: Leases
  /** For the moment in which a chain is changed: a run that dies in it is not waited for long. */
  readonly #chainLeases: Leases

  constructor(storage: Storage, signing: Signing = noSigning) {
    this.#storage = storage
    this.#chains = new ChainStore(storage, signing)
    this.#reader = new CatalogReader(storage, this.#chains)
    this.leases = new Leases(storage)
    this.#chainLeases = new Leases(storage, { ttlMs: 30_000 })
  }

  /**
   * Every backup. A manifest that cannot be read is reported as damaged; a storage that cannot be listed is an error, never
   * an empty list.
   */
  list(cx: Context, source: ManifestSource = 'indexed'): Promise<CatalogListing> {
    return this.#reader.list(cx, source)
  }

  /**
   * Writes the index of the manifests anew, where that is worth it.
   * @param removed ids of backups that are not there any more
   */
  async index(cx: Context, listing: CatalogListing, removed: ReadonlySet<string>): Promise<void> {
    if (!listing.indexWorn) return
    const remaining = listing.texts.filter(({ object }) => !removed.has(idOfManifestKey(object.key)))
    await ManifestIndex.write(cx, this.#storage, remaining, listing.marks)
  }

  /** Whether the backup is still there. */
  async has(cx: Context, { id, database }: Manifest): Promise<boolean> {
    return (await this.#storage.stat(cx, manifestKey(database.alias, id))) !== undefined
  }

  /**
   * Reserves a file name for a new backup, so that two runs at once never write the same artifact.
   * @throws storage.exists where another run has it
   */
  async reserve(cx: Context, record: PendingRecord): Promise<void> {
    await putText(cx, this.#storage, pendingKey(record.alias, record.name), formatPending(record), {
      createOnly: true,
    })
  }

  /** Says, before an artifact is written, which objects the backup of this reservation consists of. */
  async announce(cx: Context, record: PendingRecord): Promise<void> {
    await putText(cx, this.#storage, pendingKey(record.alias, record.name), formatPending(record), {})
  }

  /**
   * Makes a backup exist: its artifacts are whole and in the storage.
   * @returns the manifest as it is stored: with its place in the chain and its signature, where this machine signs
   */
  async commit(cx: Context, manifest: Manifest): Promise<Manifest> {
    if (this.#chains.signs)
      return this.#alone(cx, manifest.database.alias, () => this.#commitSealed(cx, manifest))
    await this.#putManifest(cx, manifest)
    return manifest
  }

  /** Removes the reservation of a backup that exists; one that stays behind is swept by a later run. */
  async settle(cx: Context, { alias, name }: PendingRecord): Promise<void> {
    await this.#storage.delete(cx, pendingKey(alias, name)).catch(() => undefined)
  }

  async #commitSealed(cx: Context, manifest: Manifest): Promise<Manifest> {
    const { alias } = manifest.database
    const sealed = await this.#chains.seal(cx, manifest, () => this.#membersOf(cx, alias))
    await this.#putManifest(cx, sealed.manifest)
    await this.#chains.add(cx, sealed).catch(untold(cx, alias))
    return sealed.manifest
  }

  async #putManifest(cx: Context, manifest: Manifest): Promise<void> {
    const key = manifestKey(manifest.database.alias, manifest.id)
    await putText(cx, this.#storage, key, formatManifest(manifest), { createOnly: true, retain: true })
  }

  /** Two runs that change the record of a chain at once would lose what one of them wrote. */
  async #alone<Result>(cx: Context, alias: string, work: () => Promise<Result>): Promise<Result> {
    const lease = await this.#chainLeases.holdAlone(cx, { kind: 'chain', databases: [alias], backups: [] })
    try {
      return await work()
    } finally {
      await lease.release()
    }
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
    await putText(cx, this.#storage, keyOf('md'), markdown, { createOnly: true })
    await putText(cx, this.#storage, keyOf('json'), json, { createOnly: true })
    return [keyOf('json'), keyOf('md')]
  }

  /** Removes what a failed backup left: its artifacts, then its record. */
  async abandon(cx: Context, record: PendingRecord): Promise<void> {
    const keys = record.keys.map(objectKey)
    for (let start = 0; start < keys.length; start += deletesAtOnce)
      await Promise.all(keys.slice(start, start + deletesAtOnce).map((key) => this.#storage.delete(cx, key)))
    await this.#storage.delete(cx, pendingKey(record.alias, record.name))
  }

  /**
   * Notes in the chain that backups are going to be removed on purpose, so that nobody misses them; before the first of them is.
   * @throws key.missing where they are signed and this machine does not sign; integrity.chain where the chain's record is not valid
   */
  async announceRemoval(
    cx: Context,
    listing: CatalogListing,
    alias: string,
    goners: readonly Manifest[],
  ): Promise<void> {
    if (!listing.chains.has(chainKey(alias))) return
    await this.#alone(cx, alias, async () => {
      const record = await this.#chainOf(cx, alias)
      if (record === undefined) return
      const going = new Set(goners.map(({ id }) => id))
      const members = membersOf(listing, alias)
      const links = members
        .filter(({ id, chain }) => going.has(id) && chain !== undefined)
        .map(({ id, sha256, chain }) => ({ id, sha256, previous: chain?.previous ?? [] }))
      const remaining = members.filter(({ id }) => !going.has(id))
      await this.#chains.write(cx, afterRemoval(record, remaining, links))
    })
  }

  /**
   * Signs that what is missing of a chain is known to be lost.
   * @returns what is not missed any more
   * @throws key.missing where this machine does not sign
   */
  async acceptLosses(cx: Context, listing: CatalogListing, alias: string): Promise<readonly MissingLink[]> {
    return this.#alone(cx, alias, () => this.#chains.accept(cx, alias, membersOf(listing, alias)))
  }

  /** The record to go on from. @throws key.missing, integrity.chain */
  async #chainOf(cx: Context, alias: string): Promise<ChainRecord | undefined> {
    // Read again: a backup may have ended since the listing.
    const stored = await this.#chains.read(cx, chainKey(alias))
    if (stored === undefined) return undefined
    if ('error' in stored) throw stored.error
    if (stored.signature === 'unchecked') throw noKey(alias)
    if (stored.signature === 'valid') return stored.record
    throw new HoldfastError(
      'integrity.chain',
      `the record of the chain of ${alias} is not signed by a known key`,
    )
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
   * @param living ids of backups that are being made, however long ago they began
   */
  async orphans(
    cx: Context,
    listing: CatalogListing,
    olderThanMs: number,
    living: ReadonlySet<string> = new Set(),
  ): Promise<readonly PendingRecord[]> {
    if (listing.damaged.length > 0) return []
    const now = cx.env.clock.now().getTime()
    const alive = new Set(listing.manifests.map((manifest) => manifest.id))
    const referenced = new Set(
      listing.manifests.flatMap((manifest) => manifest.parts.map((part) => part.stored.key)),
    )
    const records: PendingRecord[] = []
    for (const object of listing.pending) {
      const text = await readText(cx, this.#storage, object.key).catch(noneWhereGone)
      if (text === undefined) continue
      const record = parsePending(text, object.key)
      if (now - Date.parse(record.started) < olderThanMs || living.has(record.id)) continue
      const keys = alive.has(record.id) ? [] : record.keys.filter((key) => !referenced.has(key))
      records.push({ ...record, keys })
    }
    return records
  }

  /** What the backups of one database are, as members of its chain. */
  async #membersOf(cx: Context, alias: string): Promise<readonly Member[]> {
    const objects: StoredObject[] = []
    for await (const object of this.#storage.list(cx, folderOf(alias)))
      if (isManifestKey(object.key)) objects.push(object)
    return membersOf(await this.#reader.manifests(cx, objects), alias)
  }
}

/** What another run has removed between the listing and the reading. */
function noneWhereGone(error: unknown): undefined {
  if (asHoldfastError(error).code !== 'storage.not-found') throw error
}

/** A backup exists without its note in the chain; what cannot be missed yet is said. */
function untold(cx: Context, alias: string): (error: unknown) => void {
  return (error) => {
    const { message } = asHoldfastError(error)
    cx.emit({
      type: 'notice',
      level: 'warning',
      message: `the chain of ${alias} does not name the new backup: ${message}`,
    })
  }
}
