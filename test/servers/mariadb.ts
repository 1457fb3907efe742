import { randomBytes } from 'node:crypto'
import { chown, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { ordinaryAccount, runOnce, serverFolder, startServer, type StartedServer } from './server.js'
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
  const account = ordinaryAccount('mysql')
  const folder = await serverFolder('my', account)
  const data = join(folder, 'data')
  const socketDirectory = join(folder, 'run')
  const user = 'holdfast'
  const password = randomBytes(12).toString('hex')
  try {
    const accounts = join(folder, 'accounts.sql')
    await writeFile(
      accounts,
      ['localhost', '127.0.0.1']
        .flatMap((host) => [
          `CREATE USER '${user}'@'${host}' IDENTIFIED BY '${password}';`,
          `GRANT ALL PRIVILEGES ON *.* TO '${user}'@'${host}' WITH GRANT OPTION;`,
        ])
        .join('\n') + '\n',
      { mode: 0o600 },
    )
    if (account !== undefined) await chown(accounts, account.uid, account.gid)
    await runOnce(
      programs.install,
      [
        ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--skip-name-resolve'],
        ['--innodb-flush-method=nosync', '--innodb-log-file-size=8M'],
      ].flat(),
      { folder, account },
    )
    const server = await startServer({
      folder,
      account,
      command: (port) => ({
        program: programs.server,
        args: [
          ['--no-defaults', `--datadir=${data}`, `--init-file=${accounts}`, '--skip-name-resolve'],
          [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(socketDirectory, 'mysqld.sock')}`],
          [`--pid-file=${join(folder, 'server.pid')}`, `--tmpdir=${folder}`, '--max-connections=200'],
          ['--character-set-server=utf8mb4', '--collation-server=utf8mb4_general_ci', ...settings],
        ].flat(),
        // A kill: an orderly end writes out pages that nobody will read.
        stopSignal: 'SIGKILL',
      }),
      ask: (port) => askVersion({ host: '127.0.0.1', port, user, password }),
    })
    const { port, version } = server
    const binDirectory = dirname(findTool('mariadb') ?? programs.install)
    return {
      address: { host: '127.0.0.1', port, user, password, version, binDirectory, socketDirectory },
      stop: () => server.stop(),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(`MariaDB of ${programs.server} did not start: ${(error as Error).message}`, {
      cause: error,
    })
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
