import { access, constants, readdir, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ConnectorSettings, ToolFacts, ToolSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'
import { configuredCommand, toolEnvironment } from './tool-call.js'
import { parseVersion, type Version } from './version.js'

export type ClientName = 'pg_dump' | 'pg_restore' | 'psql'
/** Of the server. */
export type ServerProgramName = 'postgres' | 'initdb'

/** A program to run, and what is known of it. */
export interface Client {
  /** Words: the program's path, or a configured command. */
  readonly command: readonly string[]
  readonly version: Version
  readonly facts: ToolFacts
}

/** What a program must be able to do. */
export interface Wanted {
  /** The oldest major version that can do it. */
  readonly atLeast: number
  /** The major version to take where there are several. */
  readonly prefer: number
  /** What asks for it: `a PostgreSQL 17.2 server`. */
  readonly because: string
}

/** Where a command of the user's is tried; the same prefix as for the real call, since it may lead to another machine. */
export interface CommandSettings {
  readonly tools: ToolSettings
  readonly phase: 'dump' | 'restore'
  /** The configured command, used as it is. */
  readonly command: readonly string[] | undefined
}

const versionTimeoutMs = 30_000

/**
 * The configured command, or the installed client that fits best.
 * @throws tool.missing, tool.too-old, naming the version wanted and where to get it
 */
export async function chooseClient(
  cx: Context,
  name: ClientName,
  wanted: Wanted,
  { tools, phase, command }: CommandSettings,
): Promise<Client> {
  const prefix = phase === 'dump' ? tools.dumpPrefix : tools.restorePrefix
  if (command !== undefined) {
    const version = await versionOf(cx, [...prefix, ...command], tools, phase)
    const facts: ToolFacts = { name, version: version.text, path: command.join(' '), reason: 'configured' }
    // A wrapper need not know --version; then its user answers for it.
    if (version.major === 0 || version.major >= wanted.atLeast) return { command, version, facts }
    throw tooOld(cx.env, name, wanted, [facts])
  }
  const paths = await installedClients(cx.env, name)
  const found: (readonly [path: string, version: Version])[] = []
  for (const path of paths) {
    // One that cannot even say its version is no candidate.
    const version = await versionOf(cx, [path], tools, phase).catch((error: unknown) => {
      if (cx.signal.aborted) throw error
      return undefined
    })
    if (version !== undefined && version.major > 0) found.push([path, version])
  }
  const best = bestOf(found, wanted)
  if (best !== undefined) {
    const [path, version] = best
    const facts = { name, version: version.text, path, reason: reasonOf(version, wanted, found.length) }
    return { command: [path], version, facts }
  }
  if (found.length === 0) throw missing(cx.env, name, wanted)
  throw tooOld(
    cx.env,
    name,
    wanted,
    found.map(([path, version]) => ({ name, version: version.text, path })),
  )
}

/** Any psql reads plain SQL; one of the server's own version speaks its language best. @throws tool.missing */
export function psqlClient(cx: Context, { tools }: ConnectorSettings, target: Version): Promise<Client> {
  const wanted = { atLeast: 0, prefer: target.major, because: `a PostgreSQL ${target.text} server` }
  return chooseClient(cx, 'psql', wanted, {
    tools,
    phase: 'restore',
    command: configuredCommand(tools, 'psql'),
  })
}

/** The preferred major version first, then the nearest above it, then the newest below; the first found of equals. */
function bestOf(
  found: readonly (readonly [path: string, version: Version])[],
  { atLeast, prefer }: Wanted,
): readonly [path: string, version: Version] | undefined {
  const rank = ({ major }: Version) => (major >= prefer ? major - prefer : 1000 + prefer - major)
  return found
    .filter(([, { major }]) => major >= atLeast)
    .toSorted(([, a], [, b]) => rank(a) - rank(b) || b.minor - a.minor)[0]
}

function reasonOf({ major }: Version, { prefer, because }: Wanted, count: number): string {
  if (count === 1) return 'the only one installed'
  if (major === prefer) return `the same major version as ${because}`
  return `no client of version ${prefer} is installed, and this is the nearest that fits ${because}`
}

async function versionOf(
  cx: Context,
  command: readonly string[],
  tools: ToolSettings,
  phase: 'dump' | 'restore',
): Promise<Version> {
  const [program = '', ...args] = command
  const { stdout } = await runTool(cx, {
    program,
    args: [...args, '--version'],
    env: toolEnvironment(cx.env, tools, phase, {}),
    inheritEnv: tools.inheritEnv,
    timeoutMs: versionTimeoutMs,
  })
  return parseVersion(stdout)
}

/**
 * Every copy of a program on this machine: in PATH first, then where packages put those that PATH does not show.
 * @param root where the folders of packages begin; the machine's own
 */
export async function installedClients(
  env: Env,
  name: ClientName | ServerProgramName,
  root = '/',
): Promise<readonly string[]> {
  const windows = env.platform === 'win32'
  const inPath = (env.variables['PATH'] ?? env.variables['Path'] ?? '').split(delimiter)
  const folders = [...inPath.filter((folder) => folder !== ''), ...(await foldersOfPackages(env, root))]
  const paths: string[] = []
  const seen = new Set<string>()
  for (const folder of folders) {
    const file = join(folder, windows ? `${name}.exe` : name)
    const real = await executable(file)
    // Debian's pg_wrapper picks a version by the clusters of this machine, not by the server that is asked.
    if (real === undefined || seen.has(real) || /[\\/]pg_wrapper$/u.test(real)) continue
    seen.add(real)
    paths.push(file)
  }
  return paths
}

async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK)
    return await realpath(path)
  } catch {
    return undefined
  }
}

/** Where packages keep several versions side by side: a folder, the names in it, and where in those the programs lie. */
const packageFolders: readonly (readonly [folder: string, name: RegExp, programs?: string])[] = [
  // Debian, Ubuntu; Red Hat, Fedora; SUSE; Alpine.
  ['/usr/lib/postgresql', /^\d/u],
  ['/usr', /^pgsql-\d/u],
  ['/usr/lib', /^postgresql\d+$/u],
  ['/usr/libexec', /^postgresql\d+$/u, '.'],
  // Homebrew on ARM, on Intel and on Linux; MacPorts; Postgres.app.
  ['/opt/homebrew/opt', /^(?:postgresql(?:@\d+)?|libpq)$/u],
  ['/usr/local/opt', /^(?:postgresql(?:@\d+)?|libpq)$/u],
  ['/home/linuxbrew/.linuxbrew/opt', /^(?:postgresql(?:@\d+)?|libpq)$/u],
  ['/opt/local/lib', /^postgresql\d+$/u],
  ['/Applications/Postgres.app/Contents/Versions', /^\d/u],
]

async function foldersOfPackages({ platform, variables }: Env, root: string): Promise<readonly string[]> {
  if (platform === 'win32') {
    const roots = [variables['ProgramFiles'], variables['ProgramW6432'], variables['ProgramFiles(x86)']]
    const folders = roots.flatMap((each) => (each === undefined ? [] : [join(each, 'PostgreSQL')]))
    return within(folders, /^\d/u, (folder, name) => join(folder, name, 'bin'))
  }
  const found: string[] = []
  for (const [folder, name, programs = 'bin'] of packageFolders) {
    const bin = (parent: string, entry: string) => join(parent, entry, programs)
    found.push(...(await within([join(root, folder)], name, bin)))
  }
  return found
}

async function within(
  folders: readonly string[],
  name: RegExp,
  path: (folder: string, name: string) => string,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => [])
    found.push(
      ...names
        .filter((entry) => name.test(entry))
        .sort()
        .map((entry) => path(folder, entry)),
    )
  }
  return found
}

function missing(env: Env, name: ClientName, wanted: Wanted): HoldfastError {
  return new HoldfastError('tool.missing', `${name} is not installed`, {
    hint: whereToGet(env, wanted),
    details: { program: name, wanted: wanted.atLeast },
  })
}

function tooOld(env: Env, name: ClientName, wanted: Wanted, found: readonly ToolFacts[]): HoldfastError {
  const have = found.map(({ version, path }) => `${version} (${path})`).join(', ')
  return new HoldfastError(
    'tool.too-old',
    `${wanted.because} needs ${name} ${wanted.atLeast} or newer; installed: ${have}`,
    { hint: whereToGet(env, wanted), details: { program: name, wanted: wanted.atLeast, found } },
  )
}

function whereToGet({ platform }: Env, { atLeast, prefer }: Wanted): string {
  const major = Math.max(atLeast, Math.floor(prefer))
  const package_ = {
    darwin: `brew install postgresql@${major}`,
    win32: `install the command line tools of PostgreSQL ${major} from https://www.postgresql.org/download/windows/`,
  }[platform as string]
  return (
    (package_ ??
      `install postgresql-client-${major} (Debian, Ubuntu) or postgresql${major} (Fedora, Red Hat); other versions than the ` +
        'distribution has are at https://www.postgresql.org/download/') +
    ', or name the program with dumpCommand, restoreCommand or psqlCommand'
  )
}
