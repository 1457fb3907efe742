import { openLiveSource } from './live-source.js'
import { loadFrom } from './load.js'
import type { LoadReport } from './portable-reports.js'
import type { CopyRequest } from './portable-requests.js'
import { oneDatabase } from './select-databases.js'
import { contextOf, notice, type Workspace } from './workspace.js'

/**
 * Copies tables from one database into another, of any engine, without a file between.
 * @throws as dump and load; the target is as it was
 */
export async function copy(workspace: Workspace, request: CopyRequest): Promise<LoadReport> {
  const cx = contextOf(workspace, request.signal)
  const [from, to] = [oneDatabase(workspace, request.from), oneDatabase(workspace, request.to)]
  const source = await openLiveSource(cx, workspace, from, request)
  try {
    for (const warning of source.manifest.warnings) notice(workspace, 'warning', warning)
    // The tables are chosen already: what was named at the source need not be a name at the target.
    const { tables: _tables, groups: _groups, exclude: _exclude, ...rest } = request
    return await loadFrom(cx, workspace, source, to, { ...rest, withMigrations: true })
  } finally {
    await source.close()
  }
}
