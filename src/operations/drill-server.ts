import { adHocDatabase } from '../config/resolve.js'
import type { DevServerConfig } from '../config/config.js'
import type { DatabaseSettings } from '../config/settings.js'
import { drillDatabaseName, type DrillDatabases } from '../engine/drill-databases.js'
import type { ConnectionSettings } from '../engine/engine.js'
import type { DevServerDriver, DevServerPrograms } from '../engine/dev-server.js'
import type { StandIns } from '../engine/stand-ins.js'
import type { Context } from '../env/context.js'
import { Secret } from '../env/secret.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Manifest } from '../catalog/manifest.js'
import { devDisposable } from './dev-disposable.js'
import { driverOf, installedServers } from './dev-selection.js'
import { majorOf } from './fingerprint-comparison.js'
import type { DrillServer } from './drill-results.js'
import { notice, type Workspace } from './workspace.js'

/** A database that is not there yet, on a server to restore into. */
export interface DrillPlace {
  readonly target: DatabaseSettings
  /** Of the database, with its password. */
  readonly url: Secret
  readonly server: DrillServer
  /** Where the server is there for the drill alone, and accounts may be made on it. */
  readonly standIns?: StandIns
  /** The server goes, or the database does. */
  dispose(): Promise<void>
}

const databaseName = 'holdfast_drill'

/**
 * A development server of the same product and major version as the backup's, which is gone after the drill, and at the latest with this process.
 * @throws tool.version-missing, tool.missing, devserver.not-started
 */
export async function throwawayServer(
  cx: Context,
  workspace: Workspace,
  manifest: Manifest,
  newer: boolean,
): Promise<DrillPlace> {
  const { driver, config, programs } = await fittingServer(cx, workspace, manifest, newer)
  const { product, version } = programs
  notice(workspace, 'info', `${manifest.id}: restoring into a throwaway ${product} ${version}`)
  const { programs: directory, serverArgs, readyTimeoutMs } = config
  const server = await devDisposable(workspace, {
    engine: { ...driver, find: () => Promise.resolve(programs) },
    ...(directory === undefined ? {} : { programs: directory }),
    ...(serverArgs === undefined ? {} : { serverArgs }),
    ...(readyTimeoutMs === undefined ? {} : { readyTimeoutMs }),
    database: databaseName,
    signal: cx.signal,
  })
  try {
    const url = urlOf(server.url.reveal(), copyName(workspace, manifest))
    const target = targetOf(workspace, manifest, url)
    const { standIns } = target.engine
    return {
      target,
      url: new Secret(url),
      ...(standIns === undefined ? {} : { standIns }),
      server: { kind: 'throwaway', product, version },
      dispose: () => server.stop(),
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The backup's own: definitions may name it. A file has a path in its place. */
function copyName({ registry }: Workspace, { engine, database }: Manifest): string {
  const found = registry.engines.find(({ name }) => name === engine)
  return found?.capabilities.server === false ? 'copy' : database.name
}

/** A new database on a server of the user's, dropped after the drill. @throws usage.not-supported, usage.invalid */
export async function databaseOn(
  cx: Context,
  workspace: Workspace,
  manifest: Manifest,
  server: string,
): Promise<DrillPlace> {
  const url = urlOf(server, drillDatabaseName(cx))
  const target = targetOf(workspace, manifest, url)
  const { engine, connection } = target
  const { drillDatabases: databases } = engine
  if (databases === undefined)
    throw new HoldfastError('usage.not-supported', `${engine.name} has no server to restore into`, {
      hint: 'leave --server out: the backup is restored into a file of its own',
    })
  if (!readsBackup(engine.connectors, manifest))
    throw new HoldfastError(
      'usage.invalid',
      `backup ${manifest.id} is of ${manifest.engine}, and --server names a server of ${engine.name}`,
    )
  await removeAbandoned(cx, workspace, databases, connection)
  // What is cleared up is so where the drill was interrupted as well.
  const steady = { ...cx, signal: new AbortController().signal }
  const claim = await databases.claim(steady, connection)
  return {
    target,
    url: new Secret(url),
    server: { kind: 'given' },
    dispose: () => databases.drop(steady, connection).finally(() => claim.release()),
  }
}

/** What killed drills have left on the server. That it stays where it cannot be removed is no reason not to restore. */
async function removeAbandoned(
  cx: Context,
  workspace: Workspace,
  databases: DrillDatabases,
  connection: ConnectionSettings,
): Promise<void> {
  try {
    for (const name of await databases.abandoned(cx, connection)) {
      await databases.drop(cx, { ...connection, name })
      notice(
        workspace,
        'warning',
        `${name}, which a drill that was killed had left on this server, is removed`,
      )
    }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    const { message } = asHoldfastError(thrown)
    notice(workspace, 'warning', `what killed drills may have left on this server is not removed: ${message}`)
  }
}

interface FittingServer {
  readonly driver: DevServerDriver
  readonly config: DevServerConfig
  readonly programs: DevServerPrograms
}

/** Of the same major version, or with `newer` of the nearest one after it. */
async function fittingServer(
  cx: Context,
  workspace: Workspace,
  manifest: Manifest,
  newer: boolean,
): Promise<FittingServer> {
  const servers = await serversOf(cx, workspace, manifest)
  const { product, version } = manifest.source
  const isFile = ({ driver }: FittingServer) => driver.command === undefined
  const same = servers.find((each) => isFile(each) || majorOf(each.programs.version) === majorOf(version))
  if (same !== undefined) return same
  const later = servers
    .filter(({ programs }) => compareVersions(programs.version, version) > 0)
    .sort((a, b) => compareVersions(a.programs.version, b.programs.version))
  const [nearest] = later
  if (newer && nearest !== undefined) return nearest
  const present = servers.map(({ programs }) => `${programs.product} ${programs.version}`).join(', ')
  throw new HoldfastError(
    'tool.version-missing',
    `backup ${manifest.id} is of ${product} ${version}; of the servers of this machine, ${present}, none is of that version`,
    {
      details: { wanted: version, present: servers.map(({ programs }) => programs.version) },
      ...(nearest === undefined || newer
        ? { hint: `install ${product} ${majorOf(version)}, or name a server of it with --server` }
        : {}),
    },
  )
}

/** The installed servers of the backup's product: a database of MariaDB may be configured as `mysql`. @throws tool.missing */
async function serversOf(
  cx: Context,
  workspace: Workspace,
  manifest: Manifest,
): Promise<readonly FittingServer[]> {
  const engines = workspace.registry.engines.filter(({ connectors }) => readsBackup(connectors, manifest))
  const names = new Set([manifest.engine, ...engines.map(({ name }) => name)])
  const others: DevServerPrograms[] = []
  let refused: HoldfastError | undefined
  for (const name of names) {
    try {
      const chosen = driverOf(workspace, name)
      const installed = await installedServers(workspace, chosen, cx.signal)
      const fitting = installed.filter(({ product }) => product === manifest.source.product)
      if (fitting.length > 0) return fitting.map((programs) => ({ ...chosen, programs }))
      others.push(...installed)
    } catch (thrown) {
      cx.signal.throwIfAborted()
      refused ??= asHoldfastError(thrown)
    }
  }
  const [other] = others
  const { product, version } = manifest.source
  throw (
    refused ??
    new HoldfastError(
      'tool.missing',
      `backup ${manifest.id} is of ${product} ${version}; the server that is installed is ${other?.product ?? 'none'} ${other?.version ?? ''}`,
      { hint: `install ${product}, or name a server of it with --server` },
    )
  )
}

function readsBackup(connectors: DatabaseSettings['engine']['connectors'], manifest: Manifest): boolean {
  return Object.values(connectors).some(
    ({ name, format }) => name === manifest.connector && format.name === manifest.format,
  )
}

/**
 * Owners and privileges belong to accounts that a server of this kind does not have. A connector of the user's own comes with what is configured for
 * it; Holdfast's take the programs of this machine, since a configured command may lead to another one.
 */
function targetOf(workspace: Workspace, manifest: Manifest, url: string): DatabaseSettings {
  const { settings, registry, env } = workspace
  const { alias } = manifest.database
  const target = adHocDatabase(settings, registry, env, url, alias)
  const own = settings.databases.get(alias)
  if (own?.connector.name === manifest.connector && !readsBackup(target.engine.connectors, manifest))
    return { ...target, connector: own.connector, tools: own.tools, options: own.options }
  const jobs = own?.options.jobs === undefined ? {} : { jobs: own.options.jobs }
  return { ...target, options: { ...target.options, ...jobs, noOwner: true, noPrivileges: true } }
}

/** The same place with another database: what stands after the host, or the last name in the path of a file. */
function urlOf(url: string, database: string): string {
  const server = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+)(?:\/[^?#]*)?(.*)$/iu.exec(url)
  if (server !== null) return `${server[1]}/${encodeURIComponent(database)}${server[2]}`
  return url.replace(/[^/]*$/u, `${database}.db`)
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
