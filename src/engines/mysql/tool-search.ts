import { constants } from 'node:fs'
import { access, readdir, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Env } from '../../env/env.js'

/**
 * The programs of these names that are installed, each once: those in PATH in its order, then those where installers put
 * them without telling PATH.
 * @param root where the folders of packages begin; the machine's own
 */
export async function installedPrograms(
  env: Env,
  names: readonly string[],
  root = '/',
): Promise<readonly string[]> {
  const fileNames = env.platform === 'win32' ? names.map((name) => `${name}.exe`) : names
  const inPath = (env.variables['PATH'] ?? env.variables['Path'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
  const folders = [...inPath, ...(await usualFolders(env, root))]
  const found = new Map<string, string>()
  for (const folder of folders) {
    for (const name of fileNames) {
      const path = join(folder, name)
      const real = await programAt(path)
      // mysqldump is often a link to mariadb-dump: one program.
      if (real !== undefined && !found.has(real)) found.set(real, path)
    }
  }
  return [...found.values()]
}

async function programAt(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK)
    return await realpath(path)
  } catch {
    return undefined
  }
}

/** Homebrew keeps clients out of PATH (they are "keg-only"), the installers for macOS and Windows do too. */
async function usualFolders({ platform, variables }: Env, root: string): Promise<readonly string[]> {
  if (platform === 'win32') {
    const roots = ['ProgramFiles', 'ProgramFiles(x86)', 'ProgramW6432'].flatMap(
      (name) => variables[name] ?? [],
    )
    const parents = [...new Set(roots)].flatMap((root) => [root, join(root, 'MySQL')])
    const kept = await Promise.all(
      parents.map((parent) => foldersBelow(parent, /^(?:MySQL Server|MySQL Shell|MariaDB) /u)),
    )
    return kept.flat().map((folder) => join(folder, 'bin'))
  }
  const brewed = await Promise.all(
    ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt'].map((parent) =>
      foldersBelow(join(root, parent), /^(?:mariadb|mysql|mysql-client)(?:@[\d.]+)?$/u),
    ),
  )
  const own = ['/usr/local/mysql', '/usr/local/mariadb'].map((folder) => join(root, folder))
  return [...own, ...brewed.flat()].map((folder) => join(folder, 'bin'))
}

async function foldersBelow(parent: string, pattern: RegExp): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => [])
  // The newest version first, as far as names tell.
  return names
    .filter((name) => pattern.test(name))
    .sort()
    .reverse()
    .map((name) => join(parent, name))
}
