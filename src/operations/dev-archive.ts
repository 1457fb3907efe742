import { EngineFinder } from '../config/engines.js'
import { adHocDatabase } from '../config/resolve.js'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import type { Archive } from '../devserver/server.js'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { HookRunner } from '../hooks/runner.js'
import { OpenStorages } from './open-storages.js'
import type { RestoreReport } from './reports.js'
import type { RestoreRequestOptions } from './requests.js'
import type { Workspace } from './workspace.js'

// What backs up and restores is loaded when it is used: a start, which somebody waits for, needs none of it.

const storageName = 'backups'

/** Backups of development servers, by the operations that all backups are made and restored by. */
export function devArchive(workspace: Workspace, driver: DevServerDriver): Archive {
  return {
    backup: (cx, site, directory) => backUp(cx, workspace, driver, site, directory),
    restore: async (cx, site, directory) => {
      await devWorkspace(workspace, driver, site, directoryStorage(workspace, directory), async (own) => {
        const { list } = await import('./list.js')
        const { backups, damaged } = await list(own, { signal: cx.signal })
        const [newest] = backups
        if (newest === undefined)
          throw (
            damaged[0]?.error ??
            new HoldfastError('usage.backup-not-found', `there is no backup in ${directory}`)
          )
        await restoreNew(cx, own, { backup: newest.manifest.id, storage: storageName })
      })
    },
  }
}

async function backUp(
  cx: Context,
  workspace: Workspace,
  driver: DevServerDriver,
  site: DevServerSite,
  directory: string,
): Promise<void> {
  await devWorkspace(workspace, driver, site, directoryStorage(workspace, directory), async (own) => {
    const { backup } = await import('./backup.js')
    const [outcome] = await backup(own, { signal: cx.signal })
    if (outcome?.ok === false) throw outcome.error
  })
}

/** What backups a folder holds. */
export async function backupsIn(workspace: Workspace, directory: string) {
  const own = workspaceOf(workspace, {
    databases: new Map(),
    storages: directoryStorage(workspace, directory),
  })
  try {
    const { list } = await import('./list.js')
    return (await list(own, {})).backups
  } finally {
    await own.storages.close()
  }
}

/** Restores into a development server that has just been made what an ordinary restore would find: a file, or a backup of a storage. */
export async function restoreFound(
  cx: Context,
  workspace: Workspace,
  driver: DevServerDriver,
  site: DevServerSite,
  request: RestoreRequestOptions,
): Promise<RestoreReport> {
  const { storages } = workspace.settings
  return devWorkspace(workspace, driver, site, storages, (own) => restoreNew(cx, own, request))
}

async function restoreNew(
  cx: Context,
  workspace: Workspace,
  request: RestoreRequestOptions,
): Promise<RestoreReport> {
  const { restore } = await import('./restore.js')
  const restored = (create: boolean) =>
    // Nothing is in it that could be lost.
    restore(workspace, { ...request, safetyBackup: false, create, signal: cx.signal, confirm: () => true })
  return restored(false).catch((error: unknown) => {
    // Where a database is there only as long as something is in it, a new server has none.
    if (asHoldfastError(error).code !== 'database.not-found') throw error
    return restored(true)
  })
}

/** Works with the server as the one database there is. @throws usage.not-supported for an engine that Holdfast cannot back up */
export async function devWorkspace<Result>(
  workspace: Workspace,
  driver: DevServerDriver,
  site: DevServerSite,
  storages: Settings['storages'],
  work: (own: Workspace) => Promise<Result>,
): Promise<Result> {
  const own = workspaceOf(workspace, { databases: databaseOf(workspace, driver, site), storages })
  try {
    return await work(own)
  } finally {
    await own.storages.close()
  }
}

/**
 * Without what is meant for the databases of the configuration: hooks, notifiers, encryption. The data lie in the clear beside
 * these backups.
 */
function workspaceOf(workspace: Workspace, of: Pick<Settings, 'databases' | 'storages'>): Workspace {
  const { metricsFile: _, metadata: __, ...common } = workspace.settings
  const settings: Settings = {
    ...common,
    ...of,
    files: new Map(),
    chosenStorages: [],
    stages: common.stages.filter(({ kind }) => kind.role === 'compress'),
    retention: {},
    hooks: {},
    notifiers: [],
    filename: '{database}-{datetime}.{extension}',
  }
  return { ...workspace, settings, hooks: new HookRunner(), storages: new OpenStorages(settings) }
}

function databaseOf(
  workspace: Workspace,
  driver: DevServerDriver,
  site: DevServerSite,
): ReadonlyMap<string, DatabaseSettings> {
  const { settings, registry, env } = workspace
  const known = registry.engines.some(
    ({ name, aliases }) => name === site.engine || aliases.includes(site.engine),
  )
  if (!known && settings.connectors?.[site.engine] === undefined) {
    throw new HoldfastError('usage.not-supported', `Holdfast knows no backups of ${site.engine}`, {
      hint: 'give its development server backup and restore',
    })
  }
  const database = adHocDatabase(settings, registry, env, driver.url(site), site.name)
  const { connector } = new EngineFinder(registry, settings.connectors).find(
    site.engine,
    'the development server',
  )
  return new Map([[site.name, { ...database, connector }]])
}

function directoryStorage(workspace: Workspace, directory: string): Settings['storages'] {
  const driver = workspace.registry.storageDrivers.find((each) => each.driver === 'local')
  if (driver === undefined) throw new TypeError('there is always a local storage')
  return new Map([[storageName, { name: storageName, driver, settings: { path: directory } }]])
}
