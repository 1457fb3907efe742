import { access } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { DevServerPrograms, WantedPrograms } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'
import { productOf, versionNumbers, type Product } from './identity.js'
import { installedPrograms } from './tool-search.js'

const probeTimeoutMs = 20_000

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

/**
 * In the order of PATH.
 * @param root where the folders of packages begin; the machine's own
 * @throws tool.missing, naming the other family where that is what is installed
 */
export async function installedServers(
  cx: Context,
  { directory }: WantedPrograms,
  product: Product,
  engine: string,
  root = '/',
): Promise<readonly [DevServerPrograms, ...DevServerPrograms[]]> {
  const names = product === 'MariaDB' ? ['mariadbd', 'mysqld'] : ['mysqld']
  const env =
    directory === undefined ? withServerFolders(cx, root) : { ...cx.env, variables: { PATH: directory } }
  const found: DevServerPrograms[] = []
  const others: string[] = []
  for (const server of await installedPrograms(env, names, root)) {
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
    const install = product === 'MySQL' ? server : await installerOf(cx, server, root)
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
function withServerFolders({ env }: Context, root: string): Context['env'] {
  if (env.platform === 'win32') return env
  const folders = ['usr/sbin', 'usr/local/sbin', 'usr/libexec'].map((folder) => join(root, folder))
  const path = [env.variables['PATH'], ...folders].filter(Boolean).join(delimiter)
  return { ...env, variables: { ...env.variables, PATH: path } }
}

/** Beside the server, or, as Debian has it, in another folder of the machine. */
async function installerOf(cx: Context, server: string, root: string): Promise<string | undefined> {
  const names = ['mariadb-install-db', 'mysql_install_db']
  const file = (name: string) => join(dirname(server), cx.env.platform === 'win32' ? `${name}.exe` : name)
  for (const name of names) {
    const there = await access(file(name)).then(
      () => true,
      () => false,
    )
    if (there) return file(name)
  }
  return (await installedPrograms(withServerFolders(cx, root), names, root))[0]
}

/** Within a series data are the same. */
export function series(product: Product, numbers: readonly number[]): string {
  return `${product} ${numbers.slice(0, 2).join('.')}`
}
