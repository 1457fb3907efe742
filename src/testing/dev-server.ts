import type { DevServerDriver } from '../engine/dev-server.js'
import type { DisposableServer } from '../operations/dev-reports.js'
import type { DevDisposableRequest } from '../operations/requests.js'

export type { DisposableServer }
export type StartOptions = Omit<DevDisposableRequest, 'engine'>

/**
 * Starts a server of this machine's own installation with new data, for one test or for a whole run. It ends, and its folder goes,
 * when it is disposed of, or when this process ends in whatever way, be it by SIGKILL.
 * @param engine `postgresql`, `postgis`, `mariadb`, `mysql`, `mongodb`, `sqlite`, or a driver of one's own
 * @throws tool.missing where the server is not installed, with the package to install as its hint
 * @throws devserver.not-started with the end of its log
 *
 * @example
 * await using db = await startDevServer('postgresql')
 * const client = new pg.Client(db.url.reveal())
 */
export async function startDevServer(
  engine: string | DevServerDriver,
  options: StartOptions = {},
): Promise<DisposableServer> {
  const { createHoldfast } = await import('../holdfast.js')
  const hf = await createHoldfast({ databases: {} })
  return hf.dev.disposable({ ...options, engine })
}
