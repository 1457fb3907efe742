import type { DevServerInfo } from './devserver/info.js'
import type { DevServer } from './devserver/server.js'
import type { DumpReport, LoadReport } from './operations/portable-reports.js'
import type { DevDumpRequest, DevLoadRequest } from './operations/portable-requests.js'
import type { DevBackup, DevConnection, DisposableServer } from './operations/dev-reports.js'
import type {
  DevBackupRequest,
  DevDestroyRequest,
  DevDisposableRequest,
  DevGuideRequest,
  DevLogsRequest,
  DevRestoreRequest,
  DevRunRequest,
  DevSelection,
} from './operations/requests.js'
import type { Workspace } from './operations/workspace.js'

/**
 * Development servers of this project, as `hf.dev`. Whatever is done already is no error.
 * @throws tool.missing, devserver.*, storage.full, usage.*, by what is asked
 */
export interface HoldfastDev {
  /** Makes a server: folder and data. */
  init(request?: DevSelection): Promise<DevConnection>
  /** Starts it in the background, making it first where it is not there. */
  start(request?: DevSelection): Promise<DevConnection>
  /** @returns whether it ran */
  stop(request?: DevSelection): Promise<boolean>
  /** Runs until the signal aborts; then nothing of it runs any more, nor where this process is killed. */
  run(request?: DevRunRequest): Promise<void>
  status(request?: DevSelection): Promise<DevServerInfo>
  /** Removes its data; its backups too where that is asked for. @returns whether there was one */
  destroy(request?: DevDestroyRequest): Promise<boolean>
  /** Makes the data anew, empty, with the same port and password. */
  reinit(request?: DevSelection): Promise<DevConnection>
  /** A backup in the server's own folder. */
  backup(request?: DevBackupRequest): Promise<DevBackup>
  /** Checks a backup and fills a new server with it, whose data take the place of the old ones. Where that fails, nothing is changed. */
  restore(request?: DevRestoreRequest): Promise<DevConnection>
  /** Writes its tables as portable files; as `hf.dump`. */
  dump(request?: DevDumpRequest): Promise<DumpReport>
  /** Loads portable files into its tables; as `hf.load`. */
  load(request?: DevLoadRequest): Promise<LoadReport>
  /** The newest first. */
  backups(request?: DevSelection): Promise<readonly DevBackup[]>
  guide(request?: DevGuideRequest): Promise<string>
  env(request?: DevSelection): Promise<DevConnection>
  logs(request?: DevLogsRequest): Promise<readonly string[]>
  /** A server that goes with this process, in a temporary folder; `startDevServer` of `holdfast/testing` is this. */
  disposable(request: DevDisposableRequest): Promise<DisposableServer>
  /** Every server of the project. */
  list(): Promise<readonly DevServerInfo[]>
  /**
   * One server with its steps and folders, for programs that put them together in another way. It need not be there yet.
   * @throws usage.invalid, usage.not-supported
   */
  server(request?: DevSelection): Promise<DevServer>
}

export function holdfastDev(workspace: Workspace): HoldfastDev {
  // Loaded when it is used: most runs have no use for it.
  const operations = () => import('./operations/dev.js')
  const portable = () => import('./operations/dev-portable.js')
  return {
    init: async (request = {}) => (await operations()).devInit(workspace, request),
    start: async (request = {}) => (await operations()).devStart(workspace, request),
    stop: async (request = {}) => (await operations()).devStop(workspace, request),
    run: async (request = {}) => (await operations()).devRun(workspace, request),
    status: async (request = {}) => (await operations()).devStatus(workspace, request),
    destroy: async (request = {}) => (await operations()).devDestroy(workspace, request),
    reinit: async (request = {}) => (await operations()).devReinit(workspace, request),
    backup: async (request = {}) => (await operations()).devBackup(workspace, request),
    restore: async (request = {}) => (await operations()).devRestore(workspace, request),
    dump: async (request = {}) => (await portable()).devDump(workspace, request),
    load: async (request = {}) => (await portable()).devLoad(workspace, request),
    backups: async (request = {}) => (await operations()).devBackups(workspace, request),
    guide: async (request = {}) => (await operations()).devGuide(workspace, request),
    env: async (request = {}) => (await operations()).devEnv(workspace, request),
    logs: async (request = {}) => (await operations()).devLogs(workspace, request),
    disposable: async (request) =>
      (await import('./operations/dev-disposable.js')).devDisposable(workspace, request),
    list: async () => (await operations()).devList(workspace),
    server: async (request = {}) =>
      (await (await import('./operations/dev-selection.js')).selectServer(workspace, request)).server,
  }
}
