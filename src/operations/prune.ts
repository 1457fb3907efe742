import type { CatalogListing } from '../catalog/listing.js'
import { chainFindings, distrustOf } from '../catalog/chain-check.js'
import type { Lease } from '../catalog/leases.js'
import type { Manifest } from '../catalog/manifest.js'
import type { PendingRecord } from '../catalog/pending.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { planRetention } from '../retention/plan.js'
import { tellFailure } from './failure-hooks.js'
import { shareOf } from './left-out.js'
import type { OpenStorage } from './open-storages.js'
import type { PruneDecision, PruneReport } from './reports.js'
import type { PruneRequest } from './requests.js'
import { contextOf, notice, type Workspace } from './workspace.js'

/** What an interrupted run left is removed when it is older than this. */
const orphanAgeMs = 24 * 60 * 60 * 1000

/**
 * Applies retention to the backups of each database, and removes what interrupted runs left behind. The plan is made before
 * anything is removed; with `dryRun` it is all that happens.
 * @throws storage.*; integrity.manifest where a manifest is damaged is not thrown: damaged backups are never removed
 */
export async function prune(workspace: Workspace, request: PruneRequest): Promise<PruneReport> {
  try {
    return await pruneStorages(workspace, request)
  } catch (error) {
    await tellFailure(workspace, { operation: 'prune', phase: 'retention' }, error)
    throw error
  }
}

async function pruneStorages(workspace: Workspace, request: PruneRequest): Promise<PruneReport> {
  const cx = contextOf(workspace, request.signal)
  const dryRun = request.dryRun ?? false
  const storages = await workspace.storages.all(request.storage)
  const views = await Promise.all(
    storages.map(async (open) => ({ open, view: await look(cx, workspace, open, request.databases) })),
  )
  checkNames(
    workspace,
    request,
    views.map(({ view }) => view.listing),
  )
  const report = { decisions: [], removed: [], swept: [], accepted: [], dryRun } as PruneDraft
  for (const { open, view } of views) {
    if (dryRun) addView(report, view)
    else await pruneStorage(cx, workspace, open, request, view, report)
  }
  return report
}

type PruneDraft = { -readonly [Field in keyof PruneReport]: PruneReport[Field] } & {
  readonly decisions: PruneDecision[]
  readonly removed: string[]
  readonly swept: string[]
  readonly accepted: PruneReport['accepted'][number][]
}

/** What is in a storage, and what is to become of it. */
interface View {
  readonly listing: CatalogListing
  readonly planned: readonly PruneDecision[]
  readonly orphans: readonly PendingRecord[]
}

/** @param used ids of backups that other runs make or read just now: they stay, whatever the policy says */
async function look(
  cx: Context,
  workspace: Workspace,
  open: OpenStorage,
  aliases: readonly string[] | undefined,
  used: ReadonlySet<string> = new Set(),
): Promise<View> {
  const listing = await open.catalog.list(cx)
  const planned = planFor(workspace, open, listing, aliases).map((decision) =>
    !decision.keep && used.has(decision.backup.manifest.id)
      ? { ...decision, keep: true, reasons: ['another run is reading it'] }
      : decision,
  )
  return { listing, planned, orphans: await open.catalog.orphans(cx, listing, orphanAgeMs, used) }
}

function addView(report: PruneDraft, { planned, orphans }: View): void {
  report.decisions.push(...planned)
  report.swept.push(...orphans.flatMap((record) => record.keys))
}

/** Looks again when it is alone: what was planned before may be in use by now. */
async function pruneStorage(
  cx: Context,
  workspace: Workspace,
  open: OpenStorage,
  request: PruneRequest,
  before: View,
  report: PruneDraft,
): Promise<void> {
  const lease = await pruneLease(cx, open, request.databases).catch((thrown: unknown) => {
    // A storage that cannot be written to has nothing to be removed, or fails when it is tried.
    const idle = before.orphans.length === 0 && before.planned.every(({ keep }) => keep)
    if (idle && asHoldfastError(thrown).code === 'storage.denied') return undefined
    throw thrown
  })
  if (lease === undefined) {
    addView(report, before)
    return
  }
  try {
    const others = await open.catalog.leases.others(cx, lease)
    const used = new Set(others.flatMap(({ backups }) => backups))
    const view = await look(cx, workspace, open, request.databases, used)
    addView(report, view)
    if (request.acceptMissing === true)
      report.accepted.push(...(await acceptMissing(cx, open, view.listing, request)))
    report.removed.push(...(await removeAndIndex(cx, workspace, open, view, lease)))
    for (const record of view.orphans) await open.catalog.abandon(cx, record)
    // A very long upload may be one of a backup that is still being made.
    if (!others.some(({ kind }) => kind === 'backup')) await open.storage.sweep(cx, orphanAgeMs)
    await open.catalog.leases.sweep(cx, lease)
  } finally {
    await lease.release()
  }
}

function pruneLease(
  cx: Context,
  { catalog }: OpenStorage,
  aliases: readonly string[] | undefined,
): Promise<Lease> {
  const some = aliases === undefined || aliases.length === 0 ? {} : { databases: aliases }
  return catalog.leases.holdAlone(cx, { kind: 'prune', backups: [], ...some })
}

/** A name may also be that of a database which is no longer configured. */
function checkNames(
  { settings }: Workspace,
  { databases = [] }: PruneRequest,
  listings: readonly CatalogListing[],
): void {
  const stored = listings.flatMap(({ manifests }) => manifests.map(({ database }) => database.alias))
  const known = new Set([...settings.databases.keys(), ...settings.files.keys(), ...stored])
  const unknown = databases.find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new HoldfastError(
    'usage.unknown-database',
    `there is no database ${unknown}; known: ${[...known].join(', ')}`,
  )
}

/** Retention for some databases of one storage, after a backup; the ids that were removed. */
export async function pruneDatabases(
  cx: Context,
  workspace: Workspace,
  open: OpenStorage,
  aliases: readonly string[],
): Promise<readonly string[]> {
  const lease = await pruneLease(cx, open, aliases)
  try {
    const others = await open.catalog.leases.others(cx, lease)
    const used = new Set(others.flatMap(({ backups }) => backups))
    const view = await look(cx, workspace, open, aliases, used)
    return await removeAndIndex(cx, workspace, open, view, lease)
  } finally {
    await lease.release()
  }
}

/** Of the chains that something is wrong with. @throws key.missing */
async function acceptMissing(
  cx: Context,
  open: OpenStorage,
  listing: CatalogListing,
  { databases = [] }: PruneRequest,
): Promise<PruneReport['accepted']> {
  const wrong = new Set(chainFindings(listing).map(({ alias }) => alias))
  const accepted: PruneReport['accepted'][number][] = []
  for (const database of wrong) {
    if (databases.length > 0 && !databases.includes(database)) continue
    for (const { id } of await open.catalog.acceptLosses(cx, listing, database))
      accepted.push({ storage: open.name, database, id })
  }
  return accepted
}

async function removeAndIndex(
  cx: Context,
  workspace: Workspace,
  open: OpenStorage,
  view: View,
  lease: Lease,
): Promise<readonly string[]> {
  const removed = await removeAll(cx, workspace, open, view, lease)
  try {
    await open.catalog.index(cx, view.listing, new Set(removed))
  } catch (thrown) {
    cx.signal.throwIfAborted()
    // Without it lists take longer, and are as right.
    const { message } = asHoldfastError(thrown)
    notice(workspace, 'warning', `the index of the backups in ${open.name} was not written: ${message}`)
  }
  return removed
}

/** @throws refused.hook before anything is removed; hook.failed after all is */
async function removeAll(
  cx: Context,
  { hooks, settings }: Workspace,
  open: OpenStorage,
  { listing, planned }: View,
  lease: Lease,
): Promise<readonly string[]> {
  const goners = planned.filter(({ keep }) => !keep).map(({ backup }) => backup.manifest)
  if (goners.length === 0) return []
  const place = { server: settings.serverName, storage: open.name }
  const remove = goners.map(({ id, database, created }) => ({ id, database: database.alias, created }))
  await hooks.run(cx, 'prune', 'beforePrune', { ...place, remove })
  for (const alias of new Set(goners.map(({ database }) => database.alias))) {
    const own = goners.filter(({ database }) => database.alias === alias)
    await open.catalog.announceRemoval(cx, listing, alias, own)
  }
  const removed: string[] = []
  for (const manifest of goners) {
    cx.signal.throwIfAborted()
    lease.assertHeld()
    await open.catalog.remove(cx, manifest)
    removed.push(manifest.id)
  }
  await hooks.run(cx, 'prune', 'afterPrune', { ...place, removed })
  return removed
}

/** Backups of different databases, kinds and servers do not count against each other; nor does one without some rows for a whole one. */
function planFor(
  workspace: Workspace,
  open: OpenStorage,
  listing: CatalogListing,
  aliases: readonly string[] | undefined,
): readonly PruneDecision[] {
  const chosen = listing.manifests.filter(
    ({ database }) => aliases === undefined || aliases.length === 0 || aliases.includes(database.alias),
  )
  const groups = new Map<string, Manifest[]>()
  for (const manifest of chosen) {
    const group = JSON.stringify([manifest.kind, manifest.server, manifest.database.alias, shareOf(manifest)])
    groups.set(group, [...(groups.get(group) ?? []), manifest])
  }
  return [...groups.values()].flatMap((group) => planGroup(workspace, open, group, listing))
}

function planGroup(
  workspace: Workspace,
  open: OpenStorage,
  group: readonly Manifest[],
  listing: CatalogListing,
): readonly PruneDecision[] {
  const alias = group[0]?.database.alias ?? ''
  const { settings } = workspace
  const own = group[0]?.kind === 'files' ? settings.files.get(alias) : settings.databases.get(alias)
  const policy = own?.retention ?? settings.storages.get(open.name)?.retention ?? settings.retention
  const byId = new Map(group.map((manifest) => [manifest.id, manifest]))
  const subjects = group.map((manifest) => ({
    id: manifest.id,
    created: new Date(manifest.created),
    good:
      distrustOf(listing, manifest) === undefined &&
      manifest.parts.every(({ stored }) => listing.sizes.get(stored.key) === stored.bytes),
    manifest,
  }))
  const plan = planRetention(subjects, policy, workspace.env.clock.now())
  return plan.flatMap(({ id, keep, reasons }) => {
    const manifest = byId.get(id)
    return manifest === undefined ? [] : [{ backup: { storage: open.name, manifest }, keep, reasons }]
  })
}
