import { HoldfastError } from '../errors.js'
import { listManifests } from './list.js'
import type { ListReport, StoredBackup } from './reports.js'
import type { BackupFilter, ShowRequest } from './requests.js'
import { notice, type Workspace } from './workspace.js'

/**
 * The one backup that is meant: `latest`, an id or unique prefix of one, the name of an artifact.
 * @throws usage.backup-not-found, usage.backup-ambiguous, storage.*
 */
export async function findBackup(
  workspace: Workspace,
  wanted: string,
  filter: BackupFilter & { readonly storage?: string },
  signal: AbortSignal,
): Promise<StoredBackup> {
  const [first] = await findCopies(workspace, wanted, filter, signal)
  return first
}

/** The one backup that is meant, in every storage that has it: the first configured storage first. @throws as findBackup */
export async function findCopies(
  workspace: Workspace,
  wanted: string,
  filter: BackupFilter & { readonly storage?: string },
  signal: AbortSignal,
): Promise<readonly [StoredBackup, ...StoredBackup[]]> {
  return copiesAmong(workspace, await listManifests(workspace, { ...filter, signal }), wanted, filter)
}

/** The same among backups that have been listed. @throws usage.backup-not-found, usage.backup-ambiguous */
export function copiesAmong(
  workspace: Workspace,
  { backups, damaged }: ListReport,
  wanted: string,
  filter: BackupFilter,
): readonly [StoredBackup, ...StoredBackup[]] {
  for (const { storage, key, error } of damaged) {
    notice(workspace, 'warning', `${storage}: ${key} cannot be read: ${error.message}`)
  }
  const found = wanted === 'latest' ? backups.filter(isWanted).slice(0, 1) : matching(backups, wanted)
  const [first, ...others] = found
  if (first === undefined) throw notFound(wanted, filter)
  // The same backup in several storages is one backup.
  const ids = new Set([first, ...others].map(({ manifest }) => manifest.id))
  if (ids.size > 1) {
    throw new HoldfastError(
      'usage.backup-ambiguous',
      `${wanted} matches ${ids.size} backups: ${[...ids].slice(0, 5).join(', ')}`,
    )
  }
  return [first, ...backups.filter((each) => each !== first && each.manifest.id === first.manifest.id)]
}

/** Somebody wanted it for itself: what was made before a restore is restored by its id alone. */
export function isWanted({ manifest }: StoredBackup): boolean {
  return manifest.purpose === undefined
}

export async function show(workspace: Workspace, request: ShowRequest): Promise<StoredBackup> {
  const { backup = 'latest', database, storage, signal = new AbortController().signal } = request
  const filter = {
    ...(database === undefined ? {} : { database }),
    ...(storage === undefined ? {} : { storage }),
  }
  return findBackup(workspace, backup, filter, signal)
}

function matching(backups: readonly StoredBackup[], wanted: string): readonly StoredBackup[] {
  const named = backups.filter(({ manifest }) =>
    manifest.parts.some(({ stored }) => stored.key === wanted || stored.key.split('/')[1] === wanted),
  )
  if (named.length > 0) return named
  const exact = backups.filter(({ manifest }) => manifest.id === wanted)
  if (exact.length > 0) return exact
  return backups.filter(
    ({ manifest }) => manifest.id.startsWith(wanted.toUpperCase()) || manifest.id.startsWith(wanted),
  )
}

function notFound(wanted: string, filter: BackupFilter): HoldfastError {
  const of = filter.database === undefined ? '' : ` of ${filter.database}`
  const message = wanted === 'latest' ? `there is no backup${of}` : `no backup${of} matches ${wanted}`
  return new HoldfastError('usage.backup-not-found', message)
}
