import type { TestProject } from 'vitest/node'
import { startMariadb } from './mariadb.js'
import { startMongodb } from './mongodb.js'
import { startPostgresql } from './postgresql.js'
import type { ServerAddress } from './server.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Undefined where PostgreSQL is not installed. */
    readonly postgresql: ServerAddress | undefined
    /** Undefined where MariaDB is not installed. */
    readonly mariadb: ServerAddress | undefined
    /** Undefined where neither MongoDB nor FerretDB, or one of the tools, is there. */
    readonly mongodb: ServerAddress | undefined
  }
}

/**
 * Starts the servers of the whole run. A server that is installed and does not start fails the run; one that is not installed
 * skips the tests that need it, by name.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starts = await Promise.allSettled([startPostgresql(), startMariadb(), startMongodb()])
  const servers = starts.map((start) => (start.status === 'fulfilled' ? start.value : undefined))
  const stop = async () => {
    await Promise.all(servers.map(async (server) => server?.stop()))
  }
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const [postgresql, mariadb, mongodb] = servers
  project.provide('postgresql', postgresql?.address)
  project.provide('mariadb', mariadb?.address)
  project.provide('mongodb', mongodb?.address)
  return stop
}
