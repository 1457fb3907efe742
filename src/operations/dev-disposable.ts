import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DevServerDriver } from '../engine/dev-server.js'
import { connectionOf } from './dev.js'
import { defaultName, driverOf, serverIn } from './dev-selection.js'
import type { DisposableServer } from './dev-reports.js'
import type { DevDisposableRequest } from './requests.js'
import type { Workspace } from './workspace.js'

/** A server in a folder of its own, which both go with this process at the latest. */
export async function devDisposable(
  workspace: Workspace,
  request: DevDisposableRequest,
): Promise<DisposableServer> {
  const { engine, durable = false, signal, ...config } = request
  const chosen: { readonly driver: DevServerDriver } =
    typeof engine === 'string' ? driverOf(workspace, engine) : { driver: engine }
  // Short, as the path of a socket may have some 100 bytes; with the process's number, so that a later run can clear up.
  const folder = await mkdtemp(join(tmpdir(), `holdfast-${process.pid}-`))
  const { driver, server } = serverIn(workspace, {
    driver: chosen.driver,
    config,
    name: defaultName,
    folder,
    durable,
    request: signal === undefined ? {} : { signal },
  })
  const { site, dispose } = await server.startDisposable()
  let disposed: Promise<void> | undefined
  const stop = () => (disposed ??= dispose())
  return {
    ...connectionOf(driver, site),
    ...(site.socketDirectory === undefined ? {} : { socketDirectory: site.socketDirectory }),
    programs: site.programs.paths,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
