import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { DevServerConfig } from '../config/config.js'
import { asSecret } from '../config/connection.js'
import { didYouMean } from '../config/nearest.js'
import { DevServer } from '../devserver/server.js'
import type { DevServerSettings } from '../devserver/settings.js'
import { templateFolder, Templates } from '../devserver/template.js'
import type { DevServerDriver, DevServerPrograms } from '../engine/dev-server.js'
import { HoldfastError } from '../errors.js'
import { devArchive } from './dev-archive.js'
import type { DevSelection } from './requests.js'
import { contextOf, type Workspace } from './workspace.js'

export const defaultName = 'main'
const defaultUser = 'dev'
const defaultDatabase = 'dev'

/** A server that is meant, with what drives it. */
export interface SelectedServer {
  readonly driver: DevServerDriver
  readonly server: DevServer
}

/** The server that a request means; it need not be there. @throws usage.invalid, usage.not-supported */
export async function selectServer(workspace: Workspace, request: DevSelection): Promise<SelectedServer> {
  const engine = request.engine ?? (await engineMeant(workspace))
  const { driver, config } = driverOf(workspace, engine)
  const name = request.name ?? defaultName
  const root = devRoot(workspace)
  await keepOutOfRevisions(root)
  return serverIn(workspace, {
    driver,
    config,
    name,
    request,
    folder: join(root, driver.engine, folderName(name)),
  })
}

/** @param options.folder absolute */
export function serverIn(
  workspace: Workspace,
  options: {
    readonly driver: DevServerDriver
    readonly config: DevServerConfig
    readonly name: string
    readonly folder: string
    readonly request: DevSelection
    readonly durable?: boolean
  },
): SelectedServer {
  const { driver, config, name, folder, request, durable = true } = options
  const { env, settings } = workspace
  const cx = contextOf(workspace, request.signal)
  const parts = {
    ...{ cx, driver, name, folder, durable },
    settings: settingsOf(config, request, settings.baseDirectory),
    templates: new Templates(templateFolder(env), env.clock),
    modules: modulesAbove(settings.baseDirectory),
  }
  return { driver, server: new DevServer(parts, devArchive(workspace, driver)) }
}

/** Every server of this project. */
export async function allServers(workspace: Workspace): Promise<readonly SelectedServer[]> {
  const root = devRoot(workspace)
  const found: SelectedServer[] = []
  for (const engine of await foldersIn(root)) {
    const names = await foldersIn(join(root, engine))
    for (const name of names)
      found.push(await selectServer(workspace, { engine, name: decodeURIComponent(name) }))
  }
  return found
}

export function devRoot({ settings }: Workspace): string {
  return join(settings.baseDirectory, '.holdfast', 'dev')
}

/** A branch's name holds slashes. */
function folderName(name: string): string {
  const encoded = encodeURIComponent(name)
  if (name !== '' && !name.startsWith('.') && encoded.length <= 100) return encoded
  throw new HoldfastError('usage.invalid', `${name === '' ? 'an empty text' : name} cannot name a server`)
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
}

/** Data and passwords are nobody's to commit. */
async function keepOutOfRevisions(root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  await writeFile(join(root, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** The driver of an engine, the configuration's own first. @throws usage.not-supported, usage.invalid */
export function driverOf(
  { settings, registry }: Workspace,
  engine: string,
): { readonly driver: DevServerDriver; readonly config: DevServerConfig } {
  const wanted = engine.toLowerCase()
  const configured = settings.devServers[wanted]
  const isDriver = configured !== undefined && 'find' in configured
  const config = isDriver || configured === undefined ? {} : configured
  const owner = registry.engines.find(({ name, aliases }) => name === wanted || aliases.includes(wanted))
  const driver =
    (isDriver ? configured : config.driver) ?? owner?.aliasDevServers?.[wanted] ?? owner?.devServer
  if (driver !== undefined) {
    // `--engine postgres` means what `devServers.postgresql` configures.
    const own = configured === undefined ? settings.devServers[driver.engine] : undefined
    return own === undefined
      ? { driver, config }
      : driverOf({ settings, registry } as Workspace, driver.engine)
  }
  const known = [
    ...Object.keys(settings.devServers),
    ...registry.engines.flatMap((each) => [
      ...(each.devServer === undefined ? [] : [each.name]),
      ...Object.keys(each.aliasDevServers ?? {}),
    ]),
  ]
  throw new HoldfastError(
    owner === undefined ? 'usage.invalid' : 'usage.not-supported',
    `there is no development server for ${engine}${didYouMean(engine, known)}; there is one for ${[...new Set(known)].join(', ')}`,
  )
}

/** Every server of this machine that a driver can run. @throws tool.missing */
export async function installedServers(
  workspace: Workspace,
  { driver, config }: { readonly driver: DevServerDriver; readonly config: DevServerConfig },
  signal: AbortSignal,
): Promise<readonly DevServerPrograms[]> {
  const { baseDirectory } = workspace.settings
  const wanted = {
    ...(config.programs === undefined ? {} : { directory: resolve(baseDirectory, config.programs) }),
    modules: modulesAbove(baseDirectory),
  }
  const cx = contextOf(workspace, signal)
  return driver.installed === undefined ? [await driver.find(cx, wanted)] : driver.installed(cx, wanted)
}

/** Where none is named: that of the databases, or of the servers that are there. @throws usage.invalid where that is not one */
async function engineMeant(workspace: Workspace): Promise<string> {
  const { settings } = workspace
  const ofDatabases = new Set([...settings.databases.values()].map(({ engine }) => engine.name))
  const present = await foldersIn(devRoot(workspace))
  for (const engines of [present, [...ofDatabases], Object.keys(settings.devServers)])
    if (engines.length === 1 && engines[0] !== undefined) return engines[0]
  const which = present.length > 1 ? `there are servers of ${present.join(', ')}` : 'no engine is known'
  throw new HoldfastError('usage.invalid', `${which}: say which is meant`, {
    hint: 'name it with --engine: postgresql, postgis, mariadb, mysql, mongodb, sqlite',
  })
}

function settingsOf(config: DevServerConfig, request: DevSelection, base: string): DevServerSettings {
  const port = request.port ?? config.port
  const password = asSecret(config.password)
  return {
    user: config.user ?? defaultUser,
    database: config.database ?? defaultDatabase,
    serverArgs: config.serverArgs ?? [],
    ...(config.programs === undefined ? {} : { programs: resolve(base, config.programs) }),
    ...(port === undefined ? {} : { port }),
    ...(password === undefined ? {} : { password }),
    ...(config.readyTimeoutMs === undefined ? {} : { readyTimeoutMs: config.readyTimeoutMs }),
    ...(config.guide === undefined ? {} : { guide: resolve(base, config.guide) }),
  }
}

function modulesAbove(folder: string): readonly string[] {
  const above = dirname(folder)
  return [join(folder, 'node_modules'), ...(above === folder ? [] : modulesAbove(above))]
}
