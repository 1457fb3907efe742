import { z } from 'zod'
import { HoldfastError } from '../errors.js'
import { signatureSchema, type Signature, type SignatureState } from '../signing/signing.js'
import type { Manifest } from './manifest.js'
import { linkSchema, type ChainLink } from './chain-link.js'

/**
 * The state of the chain of one database's signed backups in one storage: signed itself, written after each of them and before
 * any is removed. `docs/decisions/signing.md` says why it is needed.
 */
export interface ChainRecord {
  readonly formatVersion: 1
  readonly kind: 'chain'
  readonly alias: string
  /** RFC 3339 in UTC. */
  readonly updated: string
  /** The id of the first signed backup: what is newer has to be signed. */
  readonly since: string
  /** The number of the newest backup. */
  readonly sequence: number
  /** The backups that no other names yet: one, or several where runs overlapped. */
  readonly heads: readonly ChainLink[]
  /** Backups that are named and were removed on purpose, each with those that come before it. */
  readonly removed: readonly RemovedLink[]
  /** What happened to the record itself; it stays until it is accepted. */
  readonly broken?: string | undefined
  readonly signature?: Signature | undefined
}

export interface RemovedLink extends ChainLink {
  readonly previous: readonly ChainLink[]
  /** Nobody removed it through Holdfast; its loss was accepted. */
  readonly lost?: boolean | undefined
}

const chainSchema = z.object({
  formatVersion: z.literal(1),
  kind: z.literal('chain'),
  alias: z.string().max(10_000),
  updated: z.iso.datetime(),
  since: z.string().max(200),
  sequence: z.int().nonnegative(),
  heads: z.array(linkSchema).max(100_000),
  removed: z
    .array(linkSchema.extend({ previous: z.array(linkSchema).max(100_000), lost: z.boolean().optional() }))
    .max(1_000_000),
  broken: z.string().max(10_000).optional(),
  signature: signatureSchema.optional(),
}) satisfies z.ZodType<ChainRecord>

/** @throws integrity.chain */
export function parseChain(value: unknown, key: string): ChainRecord {
  const parsed = chainSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new HoldfastError('integrity.chain', `${key} is not the record of a chain`, { details: { key } })
}

/** What is known of a manifest beside its content. */
export interface Seal {
  /** Of the manifest as it lies in the storage. */
  readonly sha256: string
  readonly signature: SignatureState
}

/** A backup as a member of the chain. */
export interface Member extends Seal {
  readonly id: string
  readonly chain: Manifest['chain']
}

export type StoredChain =
  { readonly record: ChainRecord; readonly signature: SignatureState } | { readonly error: HoldfastError }

/** The record after another backup. */
export function afterBackup(
  record: ChainRecord,
  link: ChainLink,
  chain: NonNullable<Manifest['chain']>,
): ChainRecord {
  const named = digestsOf(chain.previous)
  return {
    ...record,
    sequence: Math.max(record.sequence, chain.sequence),
    heads: [...record.heads.filter(({ sha256 }) => !named.has(sha256)), link],
  }
}

/**
 * The record after some backups were removed. Of those it names only what a remaining one names, and leads from each straight to
 * the remaining ones before it: the record grows with what is kept, not with what is gone.
 */
export function afterRemoval(
  record: ChainRecord,
  remaining: readonly Member[],
  goners: readonly RemovedLink[],
): ChainRecord {
  const present = digestsOf(remaining)
  const gone = new Map([...record.removed, ...goners].map((link) => [link.sha256, link]))
  const named = unique([...record.heads, ...remaining.flatMap(({ chain }) => chain?.previous ?? [])])
  const removed = named.flatMap((link): readonly RemovedLink[] => {
    const own = present.has(link.sha256) ? undefined : gone.get(link.sha256)
    if (own === undefined) return []
    return [{ ...own, previous: remainingBefore(own, present, gone) }]
  })
  return { ...record, removed }
}

/** What remains before a backup; what is missing without a word stays named, so that it goes on being missed. */
function remainingBefore(
  from: RemovedLink,
  present: ReadonlySet<string>,
  gone: ReadonlyMap<string, RemovedLink>,
): readonly ChainLink[] {
  const found: ChainLink[] = []
  const seen = new Set<string>()
  const open = [...from.previous]
  for (let link = open.pop(); link !== undefined; link = open.pop()) {
    if (seen.has(link.sha256)) continue
    seen.add(link.sha256)
    const own = present.has(link.sha256) ? undefined : gone.get(link.sha256)
    if (own === undefined) found.push({ id: link.id, sha256: link.sha256 })
    else open.push(...own.previous)
  }
  return found
}

/** A backup that is named and not there, though nobody removed it through Holdfast. */
export interface MissingLink extends ChainLink {
  /** The id of the backup that names it; absent where the record does. */
  readonly namedBy?: string
}

export function missingLinks(record: ChainRecord, members: readonly Member[]): readonly MissingLink[] {
  const known = new Set([...digestsOf(members), ...digestsOf(record.removed)])
  const named: readonly MissingLink[] = [
    ...members.flatMap(({ id, signature, chain }) =>
      signature === 'valid' ? (chain?.previous ?? []).map((link) => ({ ...link, namedBy: id })) : [],
    ),
    ...record.heads,
    ...record.removed.flatMap(({ id, previous }) => previous.map((link) => ({ ...link, namedBy: id }))),
  ]
  return unique(named.filter(({ sha256 }) => !known.has(sha256)))
}

/** The backups that no other names. */
export function headsOf(members: readonly Member[]): readonly ChainLink[] {
  const named = digestsOf(members.flatMap(({ chain }) => chain?.previous ?? []))
  return members
    .filter(({ chain, sha256 }) => chain !== undefined && !named.has(sha256))
    .map(({ id, sha256 }) => ({ id, sha256 }))
}

function digestsOf(links: readonly { readonly sha256: string }[]): Set<string> {
  return new Set(links.map(({ sha256 }) => sha256))
}

function unique<Link extends ChainLink>(links: readonly Link[]): readonly Link[] {
  return [...new Map(links.map((link) => [link.sha256, link])).values()]
}
