import type { Manifest } from '../catalog/manifest.js'
import type { StageKind } from '../stages/stage.js'
import type { ListReport, StoredBackup } from './reports.js'
import type { BackupFilter, ListRequest } from './requests.js'
import { contextOf, type Workspace } from './workspace.js'

/** The backups of one or all storages, newest first. @throws storage.* where a storage cannot be listed */
export async function list(workspace: Workspace, request: ListRequest): Promise<ListReport> {
  const cx = contextOf(workspace, request.signal)
  const backups: StoredBackup[] = []
  const damaged: ListReport['damaged'][number][] = []
  for (const { name, catalog } of await workspace.storages.all(request.storage)) {
    const listing = await catalog.list(cx)
    for (const manifest of listing.manifests) {
      if (passes(manifest, request, workspace.registry.stages)) backups.push({ storage: name, manifest })
    }
    damaged.push(...listing.damaged.map((each) => ({ storage: name, ...each })))
  }
  backups.sort((a, b) => (a.manifest.id < b.manifest.id ? 1 : a.manifest.id > b.manifest.id ? -1 : 0))
  return { backups, damaged }
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
