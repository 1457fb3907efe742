import type { ToolFacts, ToolSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import { runTool } from '../../process/run.js'
import {
  compareVersions,
  olderSeries,
  versionNumbers,
  type Product,
  type ServerIdentity,
  type Version,
} from './identity.js'
import { installedPrograms } from './tool-search.js'

export type ToolRole = 'dump' | 'client'

/** A program that was asked for its version. */
export interface Tool {
  readonly facts: ToolFacts
  /** The words to start it with, without the user's prefix and suffix. */
  readonly command: readonly string[]
  readonly family: Product
  readonly version: Version
  /** What using this one may cost, each a sentence. */
  readonly warnings: readonly string[]
}

const names: Readonly<Record<Product, Readonly<Record<ToolRole, readonly string[]>>>> = {
  MariaDB: { dump: ['mariadb-dump', 'mysqldump'], client: ['mariadb', 'mysql'] },
  MySQL: { dump: ['mysqldump', 'mariadb-dump'], client: ['mysql', 'mariadb'] },
}

const packages: Readonly<Record<Product, Readonly<Partial<Record<NodeJS.Platform, string>>>>> = {
  MariaDB: {
    linux: 'apt install mariadb-client, dnf install mariadb, apk add mariadb-client',
    darwin: 'brew install mariadb',
    win32: 'winget install MariaDB.Server',
  },
  MySQL: {
    linux: 'apt install mysql-client (from repo.mysql.com on Debian), dnf install mysql',
    darwin: 'brew install mysql-client',
    win32: 'winget install Oracle.MySQL',
  },
}

const probeTimeoutMs = 20_000

/**
 * The program for a server: the configured one, or the first of the server's own family that is not older than the server.
 * @throws tool.missing, with the packages to install; tool.too-old; tool.failed
 */
export async function findTool(
  cx: Context,
  role: ToolRole,
  server: ServerIdentity,
  settings: ToolSettings,
): Promise<Tool> {
  const configured = role === 'dump' ? settings.dumpCommand : settings.restoreCommand
  if (configured !== undefined && configured.length > 0) {
    return judged(role, server, await probe(cx, configured, settings), true)
  }
  const paths = await installedPrograms(cx.env, names[server.product][role])
  const found: ProbedTool[] = []
  const broken: HoldfastError[] = []
  for (const path of paths) {
    // A program that does not even tell its version is as good as none, unless there is no other.
    await probe(cx, [path], settings).then(
      (tool) => found.push(tool),
      (error: unknown) => broken.push(asHoldfastError(error, 'tool.failed')),
    )
    cx.signal.throwIfAborted()
  }
  const own = found.filter(({ family }) => family === server.product)
  const newestFirst = [...own].sort((a, b) => compareVersions(b.version, a.version))
  const chosen =
    own.find(({ version }) => !olderSeries(version, server.numbers)) ?? newestFirst[0] ?? found[0]
  if (chosen === undefined) throw broken[0] ?? missing(cx, role, server, '')
  const tool = judged(role, server, chosen, false, () =>
    missing(
      cx,
      role,
      server,
      `: ${chosen.command.join(' ')} is ${chosen.family}'s and cannot dump all that ${server.product} has`,
    ),
  )
  return found.length > 1
    ? { ...tool, facts: { ...tool.facts, reason: reasonOf(tool, server, found.length) } }
    : tool
}

type ProbedTool = Omit<Tool, 'warnings'>

/**
 * @param settings for the environment, in which a wrapper may need its own variables
 * @throws tool.missing, tool.failed
 */
async function probe(cx: Context, command: readonly string[], settings: ToolSettings): Promise<ProbedTool> {
  const [program = '', ...words] = command
  const { stdout } = await runTool(cx, {
    program,
    args: [...words, '--version'],
    env: settings.env,
    inheritEnv: settings.inheritEnv,
    timeoutMs: probeTimeoutMs,
  })
  const text = stdout.trim()
  // `mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, …`, `mariadb-dump from 11.8.2-MariaDB, client 10.20 …`,
  // `mysqldump  Ver 8.4.5 for Linux …`, `mysqldump  Ver 10.13 Distrib 5.7.44, …`
  const version = /(?:Distrib|from)\s+([\d.]+)/u.exec(text)?.[1] ?? /Ver\s+([\d.]+)/u.exec(text)?.[1]
  if (version === undefined) {
    throw new HoldfastError(
      'tool.failed',
      `${command.join(' ')} --version does not say a version: ${text.slice(0, 200)}`,
    )
  }
  const family = /mariadb/iu.test(text.replace(/^\S+/u, '')) ? 'MariaDB' : 'MySQL'
  const name = program.split(/[\\/]/u).at(-1) ?? program
  return { facts: { name, version, path: program }, command, family, version: versionNumbers(version) }
}

/** @throws tool.too-old; what `unfit` gives where the tool is of the wrong family and nobody has asked for it */
function judged(
  role: ToolRole,
  server: ServerIdentity,
  tool: ProbedTool,
  wanted: boolean,
  unfit?: () => HoldfastError,
): Tool {
  const label = `${tool.facts.name} ${tool.facts.version} (${tool.family})`
  const target = `${server.product} ${server.version}`
  if (role === 'client') {
    return {
      ...tool,
      warnings:
        tool.family === server.product ? [] : [`${label} restores into ${target}, the other family's server`],
    }
  }
  if (tool.family !== server.product) {
    // MySQL's tool knows neither sequences nor packages nor the history of rows, and loses them without a word.
    if (server.product === 'MariaDB' && !wanted && unfit !== undefined) throw unfit()
    return {
      ...tool,
      warnings: [`${label} dumps ${target}, the other family's server: check that the backup restores`],
    }
  }
  if (cannotRead(server, tool.version)) {
    throw new HoldfastError('tool.too-old', `${label} cannot dump ${target} whole`, {
      hint: `install the ${server.product} client ${server.numbers[0]}.${server.numbers[1]} or newer, or set dumpCommand to its path`,
      details: { tool: tool.facts, server: target },
    })
  }
  return {
    ...tool,
    warnings: olderSeries(tool.version, server.numbers)
      ? [`${label} is older than the server ${server.version}: what is new there it does not know`]
      : [],
  }
}

/**
 * MySQL supports dumping by an older major version in no case (types such as VECTOR come out damaged); MariaDB's older
 * tools read newer servers well, except that those before 10.3 take sequences for tables.
 */
function cannotRead(server: ServerIdentity, tool: Version): boolean {
  if (server.product === 'MySQL') return tool[0] < server.numbers[0]
  return compareVersions(tool, [10, 3, 0]) < 0 && compareVersions(server.numbers, [10, 3, 0]) >= 0
}

function missing(cx: Context, role: ToolRole, { product }: ServerIdentity, why: string): HoldfastError {
  const wanted = names[product][role].slice(0, product === 'MariaDB' ? 2 : 1).join(' or ')
  const install = packages[product][cx.env.platform] ?? packages[product].linux ?? ''
  const setting = role === 'dump' ? 'dumpCommand' : 'restoreCommand'
  return new HoldfastError('tool.missing', `${wanted} of ${product} is not installed${why}`, {
    hint: `install it (${install}), or set ${setting} to its path`,
  })
}

function reasonOf(tool: Tool, server: ServerIdentity, count: number): string {
  const family =
    tool.family === server.product ? `the server's own family` : `none of the server's own family`
  return `${family}; ${count} are installed`
}

/** The long options that a program of ours knows, from its --help: what it cannot do is found out before, not after. */
export async function knownOptions(
  cx: Context,
  tool: Tool,
  settings: ToolSettings,
): Promise<ReadonlySet<string>> {
  const [program = '', ...words] = tool.command
  const { stdout } = await runTool(cx, {
    program,
    args: [...words, '--no-defaults', '--help'],
    env: settings.env,
    inheritEnv: settings.inheritEnv,
    timeoutMs: probeTimeoutMs,
  })
  return new Set([...stdout.matchAll(/^\s+(?:-., )?--([a-z][a-z-]+)/gmu)].map(([, name]) => name ?? ''))
}
