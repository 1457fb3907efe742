import { HoldfastError } from '../errors.js'
import { list } from './list.js'
import type { ListReport } from './reports.js'
import type { FilesListRequest } from './requests.js'
import type { Workspace } from './workspace.js'

/** The backups of files, newest first. @throws usage.unknown-files; storage.* where a storage cannot be listed */
export async function listFiles(
  workspace: Workspace,
  { set, ...request }: FilesListRequest,
): Promise<ListReport> {
  if (set === undefined) return list(workspace, { ...request, kind: 'files' })
  // A misspelt name must not look like a set without backups; one that is no longer configured may have some.
  const { backups, damaged } = await list(workspace, { ...request, kind: 'files' })
  const found = backups.filter(({ manifest }) => manifest.database.alias === set)
  const known = new Set([
    ...workspace.settings.files.keys(),
    ...backups.map(({ manifest }) => manifest.database.alias),
  ])
  if (known.size > 0 && !known.has(set))
    throw new HoldfastError(
      'usage.unknown-files',
      `there is no set of files ${set}; known: ${[...known].join(', ')}`,
    )
  return { backups: found, damaged }
}
