import { createHash } from 'node:crypto'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Signing } from '../signing/signing.js'
import type { ObjectKey, Storage } from '../storages/storage.js'
import {
  afterBackup,
  headsOf,
  missingLinks,
  parseChain,
  type ChainRecord,
  type Member,
  type MissingLink,
  type Seal,
  type StoredChain,
} from './chain.js'
import { chainKey } from './keys.js'
import { formatManifest, parseManifestDocument, type Manifest } from './manifest.js'
import { putText, readText } from './text-objects.js'

/** A manifest with its place in the chain and its signature, and the chain as it was before it. */
export interface SealedManifest {
  readonly manifest: Manifest
  readonly before: ChainRecord
}

/** The chains of the databases in one storage. */
export class ChainStore {
  readonly #storage: Storage
  readonly #signing: Signing

  constructor(storage: Storage, signing: Signing) {
    this.#storage = storage
    this.#signing = signing
  }

  /** The record as it is stored, `undefined` where there is none. @throws storage.* */
  async read(cx: Context, key: ObjectKey): Promise<StoredChain | undefined> {
    try {
      const document: unknown = JSON.parse(await readText(cx, this.#storage, key))
      const record = parseChain(document, key)
      if (chainKey(record.alias) !== key)
        throw new HoldfastError('integrity.chain', `${key} is the record of another chain, ${record.alias}`)
      return { record, signature: this.#signing.check(document) }
    } catch (thrown) {
      if (thrown instanceof SyntaxError)
        return { error: new HoldfastError('integrity.chain', `${key} is not JSON`, { cause: thrown }) }
      const error = asHoldfastError(thrown)
      if (error.code === 'storage.not-found') return undefined
      if (error.code.startsWith('integrity.')) return { error }
      throw error
    }
  }

  /** Signs the record and replaces the stored one. @throws key.missing */
  async write(cx: Context, record: ChainRecord): Promise<void> {
    const { signature: _, ...content } = record
    const signed = this.#signing.sign({ ...content, updated: cx.env.clock.now().toISOString() })
    if (signed === undefined) throw noKey(record.alias)
    await putText(cx, this.#storage, chainKey(record.alias), `${JSON.stringify(signed, undefined, 2)}\n`)
  }

  /** The record without what is amiss: what is missing counts as lost. @throws key.missing, storage.* */
  async accept(cx: Context, alias: string, members: readonly Member[]): Promise<readonly MissingLink[]> {
    const stored = trusted(await this.read(cx, chainKey(alias)))
    const record = stored ?? recordOf(cx, alias, members)
    const missing = missingLinks(record, members)
    const lost = missing.map(({ id, sha256 }) => ({ id, sha256, previous: [], lost: true }))
    const { broken: _, ...rest } = record
    await this.write(cx, { ...rest, removed: [...record.removed, ...lost] })
    return missing
  }

  /** Whether this machine signs. */
  get signs(): boolean {
    return this.#signing.keyId !== undefined
  }

  /**
   * Gives a manifest its place and signs it.
   * @throws key.missing where this machine does not sign
   * @param members the other backups of the database; asked for only where the record is missing or wrong
   */
  async seal(
    cx: Context,
    manifest: Manifest,
    members: () => Promise<readonly Member[]>,
  ): Promise<SealedManifest> {
    const { alias } = manifest.database
    const stored = await this.read(cx, chainKey(alias))
    const before = trusted(stored) ?? begun(cx, manifest, stored, await members())
    const chain = { sequence: before.sequence + 1, previous: before.heads }
    const signed = this.#signing.sign({ ...manifest, chain })
    if (signed === undefined) throw noKey(alias)
    return { manifest: signed, before }
  }

  /** Notes a sealed backup that is in the storage now. */
  async add(cx: Context, { manifest, before }: SealedManifest): Promise<void> {
    const { id, chain, database } = manifest
    if (chain === undefined) return
    // Another run may have ended meanwhile.
    const record = trusted(await this.read(cx, chainKey(database.alias))) ?? before
    await this.write(cx, afterBackup(record, { id, sha256: digestOf(formatManifest(manifest)) }, chain))
  }

  /** Reads a manifest's text, with what is known of it beside its content. @throws integrity.* */
  parse(text: string, key: string): { readonly manifest: Manifest; readonly seal: Seal } {
    const { manifest, document } = parseManifestDocument(text, key)
    return { manifest, seal: { sha256: digestOf(text), signature: this.#signing.check(document) } }
  }
}

/** Why a chain cannot be gone on with here. */
export function noKey(alias: string): HoldfastError {
  return new HoldfastError(
    'key.missing',
    `the backups of ${alias} are signed, and sign.key is not known here`,
    {
      hint: 'set sign.key, or do this where it is known',
    },
  )
}

function trusted(stored: StoredChain | undefined): ChainRecord | undefined {
  return stored !== undefined && 'record' in stored && stored.signature === 'valid'
    ? stored.record
    : undefined
}

/** A chain that begins; where signed backups are there already, its record is lost, and it says so until that is accepted. */
function begun(
  cx: Context,
  { id, database }: Manifest,
  stored: StoredChain | undefined,
  members: readonly Member[],
): ChainRecord {
  const record = recordOf(cx, database.alias, members, id)
  const lost = stored !== undefined || members.some(({ signature }) => signature !== 'none')
  const what = stored === undefined ? 'was missing' : 'was not valid'
  return lost ? { ...record, broken: `on ${record.updated} the record of the chain ${what}` } : record
}

/** A record made of what is there. */
function recordOf(cx: Context, alias: string, members: readonly Member[], first = ''): ChainRecord {
  const signed = members.filter(({ signature }) => signature === 'valid')
  return {
    formatVersion: 1,
    kind: 'chain',
    alias,
    updated: cx.env.clock.now().toISOString(),
    since: signed.map(({ id }) => id).sort()[0] ?? first,
    sequence: signed.reduce((most, { chain }) => Math.max(most, chain?.sequence ?? 0), 0),
    heads: headsOf(signed),
    removed: [],
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
