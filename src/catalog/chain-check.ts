import { HoldfastError } from '../errors.js'
import type { SignatureState } from '../signing/signing.js'
import { missingLinks, type Member, type MissingLink, type StoredChain } from './chain.js'
import { membersOf, type CatalogListing } from './listing.js'
import { chainKey, manifestKey } from './keys.js'
import type { Manifest } from './manifest.js'

/** Something that is wrong with the chain of a database's signed backups. */
export interface ChainFinding {
  readonly alias: string
  /** Of the record. */
  readonly key: string
  readonly error: HoldfastError
}

/** What is wrong with the chains in one storage; nothing is said where no key is known. */
export function chainFindings(listing: CatalogListing): readonly ChainFinding[] {
  const aliases = new Set(listing.manifests.map(({ database }) => database.alias))
  for (const chain of listing.chains.values()) if ('record' in chain) aliases.add(chain.record.alias)
  const known = [...aliases].flatMap((alias) => {
    const key = chainKey(alias)
    return errorsOf(listing, alias).map((error) => ({ alias, key, error }))
  })
  const unreadable = [...listing.chains].flatMap(([key, chain]) =>
    'error' in chain ? [{ alias: key.split('/')[0] ?? key, key, error: chain.error }] : [],
  )
  return [...known, ...unreadable]
}

function errorsOf(listing: CatalogListing, alias: string): readonly HoldfastError[] {
  const members = membersOf(listing, alias)
  const stored = listing.chains.get(chainKey(alias))
  if (stored === undefined) {
    if (!members.some(({ signature }) => signature === 'valid')) return []
    return [chainError(`the record of the chain of ${alias} is missing, though its backups are signed`)]
  }
  if ('error' in stored || stored.signature === 'unchecked') return []
  if (stored.signature !== 'valid')
    return [signatureError(`the record of the chain of ${alias}`, stored.signature)]
  const { record } = stored
  const unread = new Set(listing.damaged.map(({ key }) => String(key)))
  return [
    ...(record.broken === undefined ? [] : [chainError(`${alias}: ${record.broken}`)]),
    ...missingLinks(record, members)
      // A manifest that cannot be read is told as such.
      .filter(({ id }) => !unread.has(manifestKey(alias, id)))
      .map((link) => missingError(alias, link, members)),
  ]
}

function missingError(
  alias: string,
  { id, namedBy }: MissingLink,
  members: readonly Member[],
): HoldfastError {
  const namer = namedBy === undefined ? 'the chain' : `backup ${namedBy}`
  return members.some((member) => member.id === id)
    ? chainError(
        `the manifest of backup ${id} of ${alias} is not the one that ${namer} names: it was replaced`,
      )
    : chainError(`backup ${id} of ${alias}, which ${namer} names, is gone, and prune did not remove it`)
}

/** Why a backup is not to be trusted; `undefined` where it is, or no key is known. */
export function distrustOf(listing: CatalogListing, { id, database }: Manifest): HoldfastError | undefined {
  const state = listing.seals.get(id)?.signature
  const wrong = wrongSignature(id, state)
  if (wrong !== undefined) return wrong
  const stored = listing.chains.get(chainKey(database.alias))
  if (state !== 'none' || !isTrusted(stored) || id < stored.record.since) return undefined
  return new HoldfastError(
    'integrity.signature',
    `backup ${id} is not signed, though backups of ${database.alias} are since ${stored.record.since}`,
  )
}

/** The same of a backup alone, whatever lies beside it. */
export function wrongSignature(id: string, state: SignatureState | undefined): HoldfastError | undefined {
  return state === 'invalid' || state === 'foreign' ? signatureError(`backup ${id}`, state) : undefined
}

function isTrusted(
  stored: StoredChain | undefined,
): stored is Extract<StoredChain, { readonly record: unknown }> {
  return stored !== undefined && 'record' in stored && stored.signature === 'valid'
}

function signatureError(what: string, state: 'none' | 'invalid' | 'foreign'): HoldfastError {
  const why = {
    none: 'is not signed',
    invalid: 'was changed after it was signed',
    foreign: 'is signed by a key that is not among those of sign',
  }
  return new HoldfastError('integrity.signature', `${what} ${why[state]}`)
}

function chainError(message: string): HoldfastError {
  return new HoldfastError('integrity.chain', message)
}
