import { randomBytes } from 'node:crypto'
import { chown, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { ordinaryAccount, runOnce, serverFolder, startServer, type StartedServer } from './server.js'
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
  const account = ordinaryAccount('postgres')
  const folder = await serverFolder('pg', account)
  const data = join(folder, 'data')
  const socketDirectory = join(folder, 'run')
  const user = 'holdfast'
  const password = randomBytes(12).toString('hex')
  try {
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (account !== undefined) await chown(passwordFile, account.uid, account.gid)
    await runOnce(
      join(binDirectory, 'initdb'),
      [
        ['--pgdata', data, '--username', user, '--pwfile', passwordFile],
        ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'],
      ].flat(),
      { folder, account },
    )
    const server = await startServer({
      folder,
      account,
      command: (port) => ({
        program: join(binDirectory, 'postgres'),
        args: [
          ['-D', data, '-p', String(port), '-k', socketDirectory],
          ['listen_addresses=127.0.0.1', 'max_connections=200', ...settings].flatMap((setting) => [
            '-c',
            setting,
          ]),
        ].flat(),
        stopSignal: 'SIGQUIT',
      }),
      ask: (port) => askVersion({ host: '127.0.0.1', port, user, password }),
    })
    const { port, version } = server
    return {
      address: { host: '127.0.0.1', port, user, password, version, binDirectory, socketDirectory },
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(`PostgreSQL of ${binDirectory} did not start: ${(error as Error).message}`, {
      cause: error,
    })
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
