import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type {
  DevServerDriver,
  DevServerPrograms,
  DevServerSite,
  WantedPrograms,
} from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { ownFile } from '../../process/own-program.js'
import { runTool } from '../../process/run.js'
import { productOf, versionNumbers, type Product } from './identity.js'
import { quoteName } from './quoting.js'
import { ServerSession } from './session.js'
import { installedPrograms } from './tool-search.js'

const probeTimeoutMs = 20_000

/** For data that are thrown away with the server. */
const withoutSync = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--innodb-doublewrite=0',
]

const packages: Readonly<Record<Product, Readonly<Partial<Record<NodeJS.Platform, string>>>>> = {
  MariaDB: {
    linux: 'install mariadb-server (Debian, Ubuntu, Fedora), mariadb (Alpine)',
    darwin: 'brew install mariadb',
    win32: 'winget install MariaDB.Server',
  },
  MySQL: {
    linux: 'install mysql-server (Ubuntu; Debian and Fedora from repo.mysql.com)',
    darwin: 'brew install mysql',
    win32: 'winget install Oracle.MySQL',
  },
}

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

/** In the order of PATH. @throws tool.missing, naming the other family where that is what is installed */
async function installedServers(
  cx: Context,
  { directory }: WantedPrograms,
  product: Product,
  engine: string,
): Promise<readonly [DevServerPrograms, ...DevServerPrograms[]]> {
  const names = product === 'MariaDB' ? ['mariadbd', 'mysqld'] : ['mysqld']
  const env = directory === undefined ? withServerFolders(cx) : { ...cx.env, variables: { PATH: directory } }
  const found: DevServerPrograms[] = []
  const others: string[] = []
  for (const server of await installedPrograms(env, names)) {
    if (directory !== undefined && dirname(server) !== directory) continue
    const { stdout } = await runTool(cx, {
      program: server,
      args: ['--no-defaults', '--version'],
      timeoutMs: probeTimeoutMs,
    })
    const text = /Ver\s+(\S+)/u.exec(stdout)?.[1] ?? ''
    const numbers = versionNumbers(text)
    const own = productOf(stdout.replace(/^\S+/u, ''), '')
    const version = numbers.join('.')
    const install = product === 'MySQL' ? server : await installerBeside(cx, env, server)
    if (own !== product || install === undefined) {
      others.push(`${own} ${version} (${server})`)
      continue
    }
    found.push({ product, version, dataVersion: series(product, numbers), paths: { server, install } })
  }
  const [first, ...more] = found
  if (first !== undefined) return [first, ...more]
  const there = others.length === 0 ? '' : `; what is there: ${others.join(', ')}`
  throw new HoldfastError(
    'tool.missing',
    `there is no ${product} server${directory === undefined ? '' : ` in ${directory}`}: ${names[0]} is not found${there}`,
    {
      hint: `${packages[product][cx.env.platform] ?? packages[product].linux}, or set devServers.${engine}.programs to the folder of its programs`,
    },
  )
}

/** Servers lie where an ordinary account's PATH does not look. */
function withServerFolders({ env }: Context): Context['env'] {
  if (env.platform === 'win32') return env
  const path = [env.variables['PATH'], '/usr/sbin', '/usr/local/sbin', '/usr/libexec']
    .filter(Boolean)
    .join(':')
  return { ...env, variables: { ...env.variables, PATH: path } }
}

async function installerBeside(
  cx: Context,
  env: Context['env'],
  server: string,
): Promise<string | undefined> {
  const names = ['mariadb-install-db', 'mysql_install_db']
  const file = (name: string) => join(dirname(server), cx.env.platform === 'win32' ? `${name}.exe` : name)
  for (const name of names) {
    const there = await access(file(name)).then(
      () => true,
      () => false,
    )
    if (there) return file(name)
  }
  return (await installedPrograms(env, names))[0]
}

/** Within a series data are the same. */
function series(product: Product, numbers: readonly number[]): string {
  return `${product} ${numbers.slice(0, 2).join('.')}`
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
        ? ['--no-defaults', '--initialize-insecure', `--datadir=${dataDirectory}`]
        : [
            ...['--no-defaults', `--datadir=${dataDirectory}`, '--skip-test-db', '--skip-name-resolve'],
            ...['--innodb-flush-method=nosync', '--innodb-log-file-size=8M'],
          ],
  })
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
    ...(programs.product === 'MySQL' ? ['--mysqlx=OFF'] : ['--collation-server=utf8mb4_general_ci']),
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
