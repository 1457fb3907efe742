import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { backupFolders, folderBytes, type BackupFolder } from '../devserver/backup-folders.js'
import { readFrom, tailOfLog } from '../devserver/log-file.js'
import type { DevServerInfo } from '../devserver/info.js'
import type { DevServerDriver, DevServerSite } from '../engine/dev-server.js'
import { Secret } from '../env/secret.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { backupsIn, restoreFound } from './dev-archive.js'
import { allServers, selectServer, type SelectedServer } from './dev-selection.js'
import type { DevBackup, DevConnection } from './dev-reports.js'
import type {
  DevBackupRequest,
  DevDestroyRequest,
  DevGuideRequest,
  DevLogsRequest,
  DevRestoreRequest,
  DevRunRequest,
  DevSelection,
} from './requests.js'
import type { Workspace } from './workspace.js'

const followMs = 200
const defaultLines = 100

export async function devInit(workspace: Workspace, request: DevSelection): Promise<DevConnection> {
  const { server, driver } = await selectServer(workspace, request)
  return connectionOf(driver, await server.init())
}

export async function devStart(workspace: Workspace, request: DevSelection): Promise<DevConnection> {
  const { server, driver } = await selectServer(workspace, request)
  return connectionOf(driver, await server.start())
}

/** @returns whether it ran */
export async function devStop(workspace: Workspace, request: DevSelection): Promise<boolean> {
  return (await selectServer(workspace, request)).server.stop()
}

export async function devRun(workspace: Workspace, request: DevRunRequest): Promise<void> {
  const { server, driver } = await selectServer(workspace, request)
  const following = new AbortController()
  const { end } = await readFrom(server.logFile, 0)
  const followed =
    request.onLog === undefined ? undefined : follow(server.logFile, end, request.onLog, following.signal)
  try {
    await server.runInForeground((site) => request.onReady?.(connectionOf(driver, site)))
  } finally {
    following.abort()
    await followed
  }
}

export async function devStatus(workspace: Workspace, request: DevSelection): Promise<DevServerInfo> {
  const { server } = await selectServer(workspace, request)
  return (await server.info()) ?? notFound(server)
}

/** @returns whether there was one */
export async function devDestroy(workspace: Workspace, request: DevDestroyRequest): Promise<boolean> {
  const { server } = await selectServer(workspace, request)
  return server.destroy(request.backups === undefined ? {} : { backups: request.backups })
}

export async function devReinit(workspace: Workspace, request: DevSelection): Promise<DevConnection> {
  const { server, driver } = await selectServer(workspace, request)
  return connectionOf(driver, await server.reinit())
}

export async function devBackup(workspace: Workspace, request: DevBackupRequest): Promise<DevBackup> {
  const { server } = await selectServer(workspace, request)
  await server.site()
  const directory = await server.createBackupDir(request.backupName)
  await server.backup(directory)
  const [made] = (await backupFolders(server.backupRoot)).filter((each) => each.directory === directory)
  if (made === undefined) throw new TypeError(`${directory} is gone`)
  return describe(workspace, made)
}

/** The newest first. */
export async function devBackups(workspace: Workspace, request: DevSelection): Promise<readonly DevBackup[]> {
  const { server } = await selectServer(workspace, request)
  const folders = await backupFolders(server.backupRoot)
  return Promise.all(folders.map((each) => describe(workspace, each)))
}

async function describe(workspace: Workspace, folder: BackupFolder): Promise<DevBackup> {
  // A driver's own backups have no manifest.
  const [stored] = await backupsIn(workspace, folder.directory).catch(() => [])
  return {
    name: folder.name,
    directory: folder.directory,
    created: new Date(folder.time.replace(/-(\d\d)(\d\d)(\d\d)$/u, 'T$1:$2:$3Z')),
    sizeBytes: await folderBytes(folder.directory),
    ...(stored === undefined ? {} : { id: stored.manifest.id }),
  }
}

/** @throws usage.backup-not-found; what the restore throws before anything is changed */
export async function devRestore(workspace: Workspace, request: DevRestoreRequest): Promise<DevConnection> {
  const { server, driver } = await selectServer(workspace, request)
  const { backup = 'latest', from } = request
  // It takes a moment to load: while the server that is to be filled is being made.
  void import('./restore.js')
  if (from !== undefined) {
    const fromDatabase = request.fromDatabase ?? databaseMeant(workspace, driver)
    await server.restoreWith(async (cx, site) => {
      const found = { backup, storage: from, ...(fromDatabase === undefined ? {} : { fromDatabase }) }
      await restoreFound(cx, workspace, driver, site, found).catch((error: unknown) => {
        throw fromDatabase === undefined ? databaseUnsaid(error, from) : error
      })
    })
    return connectionOf(driver, await server.site())
  }
  const path = resolve(workspace.env.workingDirectory, backup)
  const facts = backup === 'latest' ? undefined : await stat(path).catch(() => undefined)
  if (facts?.isFile() === true) {
    await server.restoreWith(async (cx, site) => {
      await restoreFound(cx, workspace, driver, site, { backup: path })
    })
  } else
    await server.restore(facts?.isDirectory() === true ? path : await ownBackup(workspace, server, backup))
  return connectionOf(driver, await server.site())
}

/** Backups are looked for under the server's name where nothing else is known. */
function databaseUnsaid(thrown: unknown, storage: string): unknown {
  const { code, message } = asHoldfastError(thrown)
  if (code !== 'usage.backup-not-found') return thrown
  return new HoldfastError(code, message, {
    cause: thrown,
    hint: `say whose backup is meant: --from-database NAME; holdfast list --storage ${storage} shows what there is`,
  })
}

/** By its name (the newest of that name), the name of its folder, or its id. */
async function ownBackup(
  workspace: Workspace,
  server: SelectedServer['server'],
  wanted: string,
): Promise<string> {
  const folders = await backupFolders(server.backupRoot)
  const named =
    wanted === 'latest'
      ? folders[0]
      : folders.find(({ name, directory }) => name === wanted || basename(directory) === wanted)
  if (named !== undefined) return named.directory
  for (const { directory } of folders) {
    const stored = await backupsIn(workspace, directory)
    if (stored.some(({ manifest }) => manifest.id.startsWith(wanted))) return directory
  }
  const which = wanted === 'latest' ? 'no backup' : `no backup ${wanted}`
  throw new HoldfastError('usage.backup-not-found', `there is ${which} of ${server.engine} ${server.name}`, {
    hint: 'holdfast dev backups lists them; --from STORAGE takes one of a configured storage',
  })
}

/** The only configured database of the engine: its backups are meant. */
function databaseMeant({ settings }: Workspace, { engine }: DevServerDriver): string | undefined {
  const fitting = [...settings.databases.values()].filter(
    (each) => each.engine.name === engine || each.engine.aliases.includes(engine),
  )
  return fitting.length === 1 ? fitting[0]?.alias : undefined
}

export async function devGuide(workspace: Workspace, request: DevGuideRequest): Promise<string> {
  const { server } = await selectServer(workspace, request)
  return server.guide(request.showSecrets === undefined ? {} : { showSecrets: request.showSecrets })
}

export async function devEnv(workspace: Workspace, request: DevSelection): Promise<DevConnection> {
  const { server, driver } = await selectServer(workspace, request)
  return connectionOf(driver, await server.site())
}

/** The last lines, and with `follow` those that come until the signal aborts. */
export async function devLogs(workspace: Workspace, request: DevLogsRequest): Promise<readonly string[]> {
  const { server } = await selectServer(workspace, request)
  if ((await server.info()) === undefined) notFound(server)
  const { end } = await readFrom(server.logFile, 0)
  const last = await tailOfLog(server.logFile, request.lines ?? defaultLines)
  if (request.onText === undefined || request.signal === undefined) return last
  request.onText(last.map((line) => `${line}\n`).join(''))
  await follow(server.logFile, end, request.onText, request.signal)
  return last
}

export async function devList(workspace: Workspace): Promise<readonly DevServerInfo[]> {
  const infos = await Promise.all((await allServers(workspace)).map(({ server }) => server.info()))
  return infos.filter((info) => info !== undefined)
}

async function follow(
  file: string,
  from: number,
  told: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let at = from; ;) {
    const { text, end } = await readFrom(file, at)
    if (text !== '') told(text)
    at = end
    if (signal.aborted) return
    await delay(followMs, undefined, { signal }).catch(() => undefined)
  }
}

export function connectionOf(driver: DevServerDriver, site: DevServerSite): DevConnection {
  const { engine, name, folder, host, port, user, password, database, programs } = site
  return {
    ...{ engine, name, folder, host, port, user, password, database },
    product: programs.product,
    version: programs.version,
    url: new Secret(driver.url(site)),
    variables: Object.entries(driver.variables?.(site) ?? {}).map(([key, value]) => [key, new Secret(value)]),
  }
}

function notFound({ engine, name }: SelectedServer['server']): never {
  throw new HoldfastError('devserver.not-found', `there is no development server ${engine} ${name}`)
}
