import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where programs lie that are not always in PATH: Debian keeps servers in /usr/sbin. */
const extraFolders = process.platform === 'win32' ? [] : ['/usr/sbin', '/usr/local/sbin']

/** The path of a program, or undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...extraFolders]) {
    if (folder === '') continue
    for (const ending of endings) {
      const path = join(folder, name + ending)
      if (isProgram(path)) return path
    }
  }
  return undefined
}

/** Whether a program is installed: `age`, `gpg`, `zstd`, `sqlite3`. */
export function hasTool(name: string): boolean {
  return findTool(name) !== undefined
}

/** The folder of PostgreSQL's server programs: the newest of Debian's, or where PATH finds `initdb` or `pg_config`. */
export function postgresqlBinDirectory(): string | undefined {
  const folders = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].flatMap((parent) =>
    entries(parent)
      .map((name) => ({ name, version: Number(/^(?:postgresql@)?(\d+)$/u.exec(name)?.[1]) }))
      .filter(({ version }) => version > 0)
      .map(({ name, version }) => ({ version, bin: join(parent, name, 'bin') })),
  )
  const newest = folders
    .filter(({ bin }) => isProgram(join(bin, 'initdb')))
    .sort((a, b) => b.version - a.version)[0]
  if (newest !== undefined) return newest.bin
  const initdb = findTool('initdb')
  return initdb === undefined ? undefined : join(initdb, '..')
}

/** Whether a PostgreSQL server, known by the folder of its programs, has an extension to install: `postgis`. */
export function hasPostgresqlExtension(binDirectory: string, name: string): boolean {
  try {
    const shared = execFileSync(join(binDirectory, 'pg_config'), ['--sharedir'], { encoding: 'utf8' })
    return existsSync(join(shared.trim(), 'extension', `${name}.control`))
  } catch {
    return false
  }
}

/** MariaDB's server and the program that makes its first tables. */
export function mariadbPrograms(): { readonly server: string; readonly install: string } | undefined {
  const server = findTool('mariadbd')
  const install = findTool('mariadb-install-db')
  return server === undefined || install === undefined ? undefined : { server, install }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
