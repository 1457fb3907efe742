import type { CatalogListing, ManifestSource } from '../catalog/listing.js'
import { chainFindings, distrustOf } from '../catalog/chain-check.js'
import type { Manifest } from '../catalog/manifest.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { StageKind } from '../stages/stage.js'
import type { FailedStorage, ListReport, StoredBackup } from './reports.js'
import type { BackupFilter, ListRequest } from './requests.js'
import { contextOf, type Workspace } from './workspace.js'

/**
 * The backups of one or all storages, newest first, and what the storages' own listings tell of their artifacts.
 * @throws usage.unknown-database; storage.* where a storage cannot be listed
 */
export async function list(workspace: Workspace, request: ListRequest): Promise<ListReport> {
  const { backups, damaged, amiss, chains, aliases } = await listAll(workspace, request)
  requireKnown(workspace, request, backups, aliases)
  return { backups, damaged: [...damaged, ...amiss, ...chains] }
}

/** What the manifests and the chains say, for those who look at the artifacts themselves. @throws storage.* */
export async function listManifests(
  workspace: Workspace,
  request: ListRequest,
  source: ManifestSource = 'indexed',
): Promise<ListReport & Pick<Listed, 'chains'>> {
  const { backups, damaged, chains } = await listAll(workspace, request, source)
  return { backups, damaged, chains }
}

/**
 * The same of every storage that answers, for those who need one backup and not a picture of all.
 * @throws what the first storage answers where none can be listed; usage.unknown-storage
 */
export async function listReachable(
  workspace: Workspace,
  request: ListRequest,
): Promise<ListReport & { readonly unreachable: readonly FailedStorage[] }> {
  const names = request.storage === undefined ? [...workspace.settings.storages.keys()] : [request.storage]
  const unreachable: FailedStorage[] = []
  const listings: ListReport[] = []
  for (const storage of names) {
    try {
      listings.push(await listManifests(workspace, { ...request, storage }))
    } catch (thrown) {
      request.signal?.throwIfAborted()
      unreachable.push({ storage, error: asHoldfastError(thrown) })
    }
  }
  const [first] = unreachable
  if (listings.length === 0 && first !== undefined) throw first.error
  return {
    backups: listings.flatMap(({ backups }) => backups).sort(newestFirst),
    damaged: listings.flatMap(({ damaged }) => damaged),
    unreachable,
  }
}

interface Listed extends ListReport {
  /** Artifacts that are missing or too short. */
  readonly amiss: ListReport['damaged']
  /** What is wrong with the chains of signed backups. */
  readonly chains: readonly (ListReport['damaged'][number] & { readonly alias: string })[]
  /** Of every database that has a backup here. */
  readonly aliases: readonly string[]
}

async function listAll(
  workspace: Workspace,
  request: ListRequest,
  source: ManifestSource = 'indexed',
): Promise<Listed> {
  const cx = contextOf(workspace, request.signal)
  const backups: StoredBackup[] = []
  const damaged: ListReport['damaged'][number][] = []
  const amiss: ListReport['damaged'][number][] = []
  const chains: Listed['chains'][number][] = []
  const aliases: string[] = []
  for (const { name, catalog } of await workspace.storages.all(request.storage)) {
    const listing = await catalog.list(cx, source)
    const { manifests, damaged: unread, sizes } = listing
    const found = manifests.filter((manifest) => passes(manifest, request, workspace.registry.stages))
    backups.push(...found.map((manifest) => storedBackup(name, manifest, listing)))
    const wrong = chainFindings(listing).filter(({ alias }) => concerns(request, alias, found))
    chains.push(...wrong.map((each) => ({ storage: name, ...each })))
    damaged.push(...unread.map((each) => ({ storage: name, ...each })))
    amiss.push(...found.flatMap((manifest) => artifactsAmiss(name, manifest, sizes)))
    aliases.push(...manifests.map(({ database }) => database.alias))
  }
  backups.sort(newestFirst)
  return { backups, damaged, amiss, chains, aliases }
}

function storedBackup(storage: string, manifest: Manifest, listing: CatalogListing): StoredBackup {
  const distrust = distrustOf(listing, manifest)
  const seal = listing.seals.get(manifest.id)
  return {
    storage,
    manifest,
    ...(seal === undefined || seal.signature === 'none' ? {} : { signature: seal.signature }),
    ...lastDrill(listing.drills, manifest),
    ...(distrust === undefined ? {} : { distrust }),
  }
}

/** Whether somebody who asks with this filter asks about the database as well. */
function concerns({ database }: BackupFilter, alias: string, found: readonly Manifest[]): boolean {
  if (database === undefined || database === alias) return true
  return found.some((manifest) => manifest.database.alias === alias)
}

function lastDrill(drills: CatalogListing['drills'], { id }: Manifest): Pick<StoredBackup, 'lastDrill'> {
  const drill = drills.get(id)
  if (drill === undefined) return {}
  const { time, result, key } = drill
  return { lastDrill: { time, result, key } }
}

/** Copies of one backup stay in the order of their storages. */
function newestFirst(a: StoredBackup, b: StoredBackup): number {
  return a.manifest.id < b.manifest.id ? 1 : a.manifest.id > b.manifest.id ? -1 : 0
}

/** A misspelt name must not look like a database without backups. @throws usage.unknown-database */
function requireKnown(
  { settings }: Workspace,
  { database }: ListRequest,
  found: readonly StoredBackup[],
  stored: readonly string[],
): void {
  const known = new Set([...settings.databases.keys(), ...settings.files.keys(), ...stored])
  if (database === undefined || found.length > 0 || known.size === 0 || known.has(database)) return
  const names = [...settings.databases.values()].map(({ connection }) => connection.name)
  if (names.includes(database)) return
  throw new HoldfastError(
    'usage.unknown-database',
    `there is no database ${database}; known: ${[...known].join(', ')}`,
  )
}

/** What the storage's own listing tells of the artifacts: whether each is there, and as long as it should be. */
function artifactsAmiss(
  storage: string,
  { id, parts }: Manifest,
  sizes: ReadonlyMap<string, number>,
): ListReport['damaged'] {
  return parts.flatMap(({ stored: { key, bytes } }) => {
    const size = sizes.get(key)
    if (size === bytes) return []
    const error =
      size === undefined
        ? new HoldfastError('integrity.missing-artifact', `the artifact of backup ${id} is gone`)
        : new HoldfastError(
            'integrity.truncated',
            `the artifact of backup ${id} has ${size} of ${bytes} bytes`,
          )
    return [{ storage, key, error }]
  })
}

export function passes(manifest: Manifest, filter: BackupFilter, kinds: readonly StageKind[]): boolean {
  const { database, server, kind, since, until } = filter
  if (database !== undefined && database !== manifest.database.alias && database !== manifest.database.name)
    return false
  if (server !== undefined && server !== manifest.server) return false
  if (kind !== undefined && kind !== manifest.kind) return false
  if (since !== undefined && Date.parse(manifest.created) < since.getTime()) return false
  if (until !== undefined && Date.parse(manifest.created) >= until.getTime()) return false
  if (filter.compressed !== undefined && filter.compressed !== hasStage(manifest, 'compress', kinds))
    return false
  return filter.encrypted === undefined || filter.encrypted === hasStage(manifest, 'encrypt', kinds)
}

/** Whether every part went through a stage of that role. */
export function hasStage(manifest: Manifest, role: StageKind['role'], kinds: readonly StageKind[]): boolean {
  const ids = new Set(kinds.filter((kind) => kind.role === role).map((kind) => kind.id))
  return manifest.parts.every((part) => part.stages.some((stage) => ids.has(stage.id)))
}
