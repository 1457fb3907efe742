import { devWorkspace } from './dev-archive.js'
import { selectServer } from './dev-selection.js'
import { dump } from './dump.js'
import { load } from './load.js'
import type { DumpReport, LoadReport } from './portable-reports.js'
import type { DevDumpRequest, DevLoadRequest } from './portable-requests.js'
import type { Workspace } from './workspace.js'

/** Tables of a development server as files; a server that does not run is started for the while. @throws as dump */
export async function devDump(workspace: Workspace, request: DevDumpRequest): Promise<DumpReport> {
  const { server, driver } = await selectServer(workspace, request)
  return server.use((site) =>
    devWorkspace(workspace, driver, site, new Map(), (own) => dump(own, { ...request, database: site.name })),
  )
}

/** Files into the tables of a development server. @throws as load: the tables are as they were */
export async function devLoad(workspace: Workspace, request: DevLoadRequest): Promise<LoadReport> {
  const { server, driver } = await selectServer(workspace, request)
  return server.use((site) =>
    devWorkspace(workspace, driver, site, new Map(), (own) => load(own, { ...request, database: site.name })),
  )
}
