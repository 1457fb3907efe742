import { access, constants, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { DevServerPrograms, WantedPrograms } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'

const probeTimeoutMs = 20_000

/**
 * Those of MongoDB before FerretDB, each program in the order of its folders.
 * @param root where the folders of packages begin; the machine's own
 * @throws tool.missing
 */
export async function installedServers(
  cx: Context,
  { directory }: WantedPrograms,
  root = '/',
): Promise<readonly [DevServerPrograms, ...DevServerPrograms[]]> {
  const folders = directory === undefined ? await usualFolders(cx.env, root) : [directory]
  const found: DevServerPrograms[] = []
  for (const name of ['mongod', 'ferretdb'])
    for (const folder of new Set(folders)) {
      const server = join(folder, cx.env.platform === 'win32' ? `${name}.exe` : name)
      const runs = await access(server, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (runs) found.push(await programOf(cx, name, server))
    }
  const [first, ...others] = found.filter(({ product, version }) => !needsPostgres(product, version))
  if (first !== undefined) return [first, ...others]
  const [unfit] = found
  if (unfit !== undefined)
    throw new HoldfastError(
      'tool.missing',
      `FerretDB ${unfit.version} (${unfit.paths['server'] ?? ''}) needs a PostgreSQL of its own`,
      {
        hint: 'install mongod, or FerretDB 1, which keeps its data in SQLite',
      },
    )
  const where = directory === undefined ? '' : ` in ${directory}`
  throw new HoldfastError(
    'tool.missing',
    `there is no MongoDB server${where}: neither mongod nor ferretdb is found`,
    {
      hint: `${cx.env.platform === 'darwin' ? 'brew install mongodb/brew/mongodb-community' : 'install mongodb-org-server from repo.mongodb.org'}, or set devServers.mongodb.programs to the folder of its programs`,
    },
  )
}

async function programOf(cx: Context, name: string, server: string): Promise<DevServerPrograms> {
  const { stdout } = await runTool(cx, { program: server, args: ['--version'], timeoutMs: probeTimeoutMs })
  const version = /(?:db )?version:? "?v?(\d[\w.-]*)/iu.exec(stdout)?.[1] ?? 'unknown'
  return { product: name === 'mongod' ? 'MongoDB' : 'FerretDB', version, paths: { server } }
}

function needsPostgres(product: string, version: string): boolean {
  return product === 'FerretDB' && version.startsWith('2.')
}

async function usualFolders({ platform, variables }: Env, root: string): Promise<readonly string[]> {
  const inPath = (variables['PATH'] ?? variables['Path'] ?? '').split(delimiter).filter((each) => each !== '')
  if (platform !== 'win32') {
    const usual = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].map((folder) => join(root, folder))
    return [...inPath, ...usual, ...(await within(join(root, '/opt/homebrew/opt'), /^mongodb-community/u))]
  }
  const parent = join(variables['ProgramFiles'] ?? 'C:\\Program Files', 'MongoDB', 'Server')
  return [...inPath, ...(await within(parent, /^\d/u))]
}

async function within(parent: string, name: RegExp): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => [])
  const fitting = names.filter((each) => name.test(each))
  return fitting.toSorted((a, b) => parseFloat(b) - parseFloat(a)).map((each) => join(parent, each, 'bin'))
}
