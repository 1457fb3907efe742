import { dirname } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { startDevServer } from '../../src/testing/dev-server.js'
import type { StartedServer } from './server.js'
import { findTool, mariadbPrograms } from './tools.js'

/** For tests: nothing of the data outlives them, so nothing waits for the disk. */
export const withoutSync = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--innodb-doublewrite=0',
]

/**
 * A private MariaDB server with one account, `holdfast`, who may do everything and needs a password; undefined where MariaDB
 * is not installed.
 * @param settings options of the server, `--name=value`
 */
export async function startMariadb(
  settings: readonly string[] = withoutSync,
): Promise<StartedServer | undefined> {
  const programs = mariadbPrograms()
  if (programs === undefined) return undefined
  const server = await startDevServer('mariadb', {
    programs: dirname(programs.server),
    user: 'holdfast',
    // There already: tests make the databases that they use.
    database: 'mysql',
    serverArgs: ['--max-connections=200', ...settings],
    // As the settings say.
    durable: true,
  })
  const { host, port, user, socketDirectory = '' } = server
  const password = server.password.reveal()
  const version = await askVersion({ host, port, user, password })
  const binDirectory = dirname(findTool('mariadb') ?? programs.install)
  return {
    address: { host, port, user, password, version, binDirectory, socketDirectory },
    stop: () => server.stop(),
  }
}

async function askVersion(address: {
  host: string
  port: number
  user: string
  password: string
}): Promise<string> {
  const connection = await createConnection({ ...address, connectTimeout: 5_000 })
  try {
    const [rows] = await connection.query<(RowDataPacket & { version: string })[]>(
      'select version() as version',
    )
    return rows[0]?.version ?? ''
  } finally {
    await connection.end()
  }
}
