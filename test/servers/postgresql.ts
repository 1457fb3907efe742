import pg from 'pg'
import { startDevServer } from '../../src/testing/dev-server.js'
import type { StartedServer } from './server.js'
import { postgresqlBinDirectory } from './tools.js'

/** For tests: nothing of the data outlives them, so nothing waits for the disk. */
export const withoutSync = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * A private PostgreSQL server with one superuser, `holdfast`, who needs a password; undefined where PostgreSQL is not
 * installed.
 * @param settings server settings, `name=value`
 */
export async function startPostgresql(
  settings: readonly string[] = withoutSync,
): Promise<StartedServer | undefined> {
  const binDirectory = postgresqlBinDirectory()
  if (binDirectory === undefined) return undefined
  const server = await startDevServer('postgresql', {
    programs: binDirectory,
    user: 'holdfast',
    // There already: tests make the databases that they use.
    database: 'postgres',
    serverArgs: ['max_connections=200', ...settings].flatMap((setting) => ['-c', setting]),
    // As the settings say.
    durable: true,
  })
  const { host, port, user, socketDirectory = '' } = server
  const password = server.password.reveal()
  const version = await askVersion({ host, port, user, password })
  return {
    address: { host, port, user, password, version, binDirectory, socketDirectory },
    stop: () => server.stop(),
  }
}

async function askVersion(connection: pg.ClientConfig): Promise<string> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const answer = await client.query<{ version: string }>(
      "select current_setting('server_version') as version",
    )
    return answer.rows[0]?.version ?? ''
  } finally {
    await client.end()
  }
}
