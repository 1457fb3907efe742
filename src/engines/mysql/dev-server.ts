import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevServerDriver, DevServerSite } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import { ownFile } from '../../process/own-program.js'
import { installedServers, series } from './dev-server-programs.js'
import { versionNumbers, type Product } from './identity.js'
import { quoteName } from './quoting.js'
import { ServerSession } from './session.js'

/** For data that are thrown away with the server. */
const withoutSync = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--innodb-doublewrite=0',
]

export function mysqlDevServer(engine: string, product: Product): DevServerDriver {
  return {
    engine,
    accounts: ['mysql'],
    find: async (cx, wanted) => (await installedServers(cx, wanted, product, engine))[0],
    installed: (cx, wanted) => installedServers(cx, wanted, product, engine),
    dataVersion: dataVersionOf,
    create: (cx, site) => create(cx, site, product),
    prepare: (_cx, site) => writeAccounts(site, product),
    command: (site) => ({ program: program(site, 'server'), args: serverArguments(site) }),
    settle,
    ask: (cx, site) => query(cx, site, async (session) => Promise.resolve(session.identity.version)),
    url: ({ user, password, port, database, host }) =>
      `${engine}://${encodeURIComponent(user)}:${encodeURIComponent(password.reveal())}@${host}:${port}/${encodeURIComponent(database)}`,
    variables: ({ host, port, password }) => ({
      MYSQL_HOST: host,
      MYSQL_TCP_PORT: String(port),
      MYSQL_PWD: password.reveal(),
    }),
    guide: () => readFile(ownFile(['dist', 'engines', 'mysql', 'guide.md']), 'utf8'),
  }
}

function program({ programs }: DevServerSite, name: 'server' | 'install'): string {
  return programs.paths[name] ?? name
}

/** MariaDB notes what it was upgraded to, MySQL what it was made by: in a file of its own, from 8.4 on. */
async function dataVersionOf(data: string): Promise<string | undefined> {
  const names: readonly string[] = await readdir(data).catch(() => [])
  for (const name of ['mariadb_upgrade_info', 'mysql_upgrade_info', 'mysql_upgrade_history']) {
    if (!names.includes(name)) continue
    const text = await readFile(join(data, name), 'utf8').catch(() => '')
    const version = /(\d+\.\d+\.\d+)(-MariaDB)?/u.exec(text)
    if (version?.[1] === undefined) continue
    const product = version[2] !== undefined || name.startsWith('mariadb') ? 'MariaDB' : 'MySQL'
    return series(product, versionNumbers(version[1]))
  }
  return undefined
}

async function create(cx: Context, site: DevServerSite, product: Product): Promise<void> {
  const { dataDirectory } = site
  await site.run(cx, {
    program: program(site, 'install'),
    args:
      product === 'MySQL'
        ? ['--no-defaults', '--initialize-insecure', `--datadir=${dataDirectory}`, filesArgument(site)]
        : [
            ...['--no-defaults', `--datadir=${dataDirectory}`, '--skip-test-db', '--skip-name-resolve'],
            ...['--innodb-flush-method=nosync', '--innodb-log-file-size=8M'],
          ],
  })
}

/** Where MySQL may read and write files for SQL. What packages set is a folder of the system's, which only their account can use. */
function filesArgument({ folder }: DevServerSite): string {
  return `--secure-file-priv=${join(folder, 'run')}`
}

const accountsFile = 'accounts.sql'

/** Read by the server before it takes connections, at each start: a password is in no argument, and holds whatever came before. */
async function writeAccounts(site: DevServerSite, product: Product): Promise<void> {
  const password = text(site.password.reveal())
  const accounts = ['localhost', '127.0.0.1'].map((host) => `${text(site.user)}@${text(host)}`)
  const lines = [
    ...accounts.flatMap((account) => [
      `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${password};`,
      `ALTER USER ${account} IDENTIFIED BY ${password};`,
      `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`,
    ]),
    // MySQL's first account has no password; MariaDB's asks the system who one is.
    ...(product === 'MySQL' ? ["ALTER USER 'root'@'localhost' ACCOUNT LOCK;"] : []),
  ]
  await site.writePrivate(accountsFile, `${lines.join('\n')}\n`)
}

function text(value: string): string {
  return `'${value.replace(/['\\]/gu, '\\$&')}'`
}

function serverArguments(site: DevServerSite): readonly string[] {
  const { folder, dataDirectory, host, port, socketDirectory, durable, serverArgs, programs } = site
  // A path that is too long for a socket is shorter from where the server stands.
  const socket = socketDirectory === undefined ? '../run/mysqld.sock' : join(socketDirectory, 'mysqld.sock')
  return [
    ...['--no-defaults', `--datadir=${dataDirectory}`, `--init-file=${join(folder, accountsFile)}`],
    ...[`--port=${port}`, `--bind-address=${host}`, `--socket=${socket}`, '--skip-name-resolve'],
    ...[`--pid-file=${join(folder, 'run', 'mysqld.pid')}`, `--tmpdir=${join(folder, 'run')}`],
    ...['--character-set-server=utf8mb4', '--log-bin-trust-function-creators=ON'],
    ...(programs.product === 'MySQL'
      ? ['--mysqlx=OFF', filesArgument(site)]
      : ['--collation-server=utf8mb4_general_ci']),
    ...(durable ? [] : withoutSync),
    ...serverArgs,
  ]
}

async function settle(cx: Context, site: DevServerSite): Promise<void> {
  await query(cx, site, (session) =>
    session.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(site.database)}`),
  )
}

async function query<Result>(
  cx: Context,
  { engine, host, port, user, password, database }: DevServerSite,
  work: (session: ServerSession) => Promise<Result>,
): Promise<Result> {
  const settings = {
    engine,
    name: database,
    ...{ host, port, user, password },
    parameters: { 'ssl-mode': 'DISABLED' },
  }
  const session = await ServerSession.open(cx, settings, { withoutDatabase: true })
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}
