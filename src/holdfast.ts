import type { HoldfastConfig } from './config/config.js'
import type { Overrides } from './config/options.js'
import type { Registry, Settings } from './config/settings.js'
import type { Emit } from './env/context.js'
import type { Env } from './env/env.js'
import { nodeEnv } from './env/node-env.js'
import { HoldfastError } from './errors.js'
import type { HookName, Operation } from './hooks/events.js'
import type { HookAction, HookHandler, HookSettings } from './hooks/handlers.js'
import { holdfastDev, type HoldfastDev } from './holdfast-dev.js'
import { ProgressFeed } from './hooks/progress.js'
import { HookRunner } from './hooks/runner.js'
import {
  intendedBackup,
  intendedDatabase,
  intendedFilesBackup,
  intendedFilesRestore,
  intendedPrune,
  intendedRestore,
  intendedVerify,
} from './operations/intended.js'
import { OpenStorages } from './operations/open-storages.js'
import type { DiffReport } from './operations/diff-reports.js'
import type { DrillReport } from './operations/drill-results.js'
import type { FilesOutcome, FilesRestoreReport } from './operations/files-reports.js'
import type {
  BackupResult,
  DoctorReport,
  KeptReport,
  ListReport,
  Outcome,
  PruneReport,
  RestoreReport,
  StoredBackup,
  VerifyReport,
} from './operations/reports.js'
import type { DumpReport, LoadReport, ResealReport } from './operations/portable-reports.js'
import type {
  CopyRequest,
  DumpRequestOptions,
  LoadRequest,
  ResealRequest,
} from './operations/portable-requests.js'
import type {
  BackupRequest,
  DiffRequest,
  DoctorRequest,
  DrillRequest,
  FilesBackupRequest,
  FilesListRequest,
  FilesRestoreRequest,
  KeptRequest,
  ListRequest,
  PruneRequest,
  RestoreRequestOptions,
  ShowRequest,
  VerifyRequest,
} from './operations/requests.js'
import {
  backupSubjects,
  databaseSubjects,
  drillSubjects,
  pruneSubjects,
  restoreSubjects,
  verifySubjects,
} from './operations/run-report.js'
import { tellRun, type ToldRun } from './operations/tell-run.js'
import type { Workspace } from './operations/workspace.js'
import type { KeyRing } from './stages/stage.js'

/** What the caller may bring beside the configuration. */
export interface CreateOptions {
  /** What relative paths in the configuration are relative to. Default: the working directory. */
  readonly baseDirectory?: string
  /** The file the configuration came from, for messages. */
  readonly file?: string
  /** Values that win over the configuration, with where they came from: the flags of the command line. */
  readonly overrides?: Overrides
  /** The clock, variables and folders of the machine; a test may bring its own. */
  readonly env?: Env
  /** Told of progress, warnings and what else a person may want to know. Default: nobody is told. */
  readonly emit?: Emit
  /** Requests come from a command line, so that messages name its flags. Default false. */
  readonly commandLine?: boolean
  /** Where keys are found when something encrypted is read. Default: nowhere. */
  readonly keys?: KeyRing
}

/** What can be done with files, as `hf.files`. */
export interface HoldfastFiles {
  /**
   * Backs up sets of files. One that fails does not stop the others: look at each outcome.
   * @throws usage.*, config.* before anything has started
   */
  backup(request?: FilesBackupRequest): Promise<readonly FilesOutcome[]>
  /**
   * Restores files into a folder after checking everything that can be checked. `confirm` must say yes.
   * @throws refused.*, integrity.*, storage.*; only restore.incomplete means that the folder was left changed
   */
  restore(request?: FilesRestoreRequest): Promise<FilesRestoreReport>
  /** The backups of files, newest first. @throws usage.unknown-files, storage.* */
  list(request?: FilesListRequest): Promise<ListReport>
}

/**
 * Holdfast with a configuration: each command of the command line is one method here.
 *
 * @example
 * const hf = await createHoldfast({ databases: { default: 'sqlite:./app.db' } })
 * const [outcome] = await hf.backup()
 * await hf.close()
 */
export class Holdfast {
  readonly settings: Settings
  /** Sets of files: what `holdfast files` does. */
  readonly files: HoldfastFiles
  /** Development servers: what `holdfast dev` does. */
  readonly dev: HoldfastDev
  readonly #workspace: Workspace

  /** Use {@link createHoldfast}. */
  constructor(workspace: Workspace) {
    this.#workspace = workspace
    this.settings = workspace.settings
    this.dev = holdfastDev(workspace)
    this.files = {
      backup: async (request = {}) => {
        const { backupFiles } = await import('./operations/files-backup.js')
        const outcomes: FilesOutcome[] = []
        const subjects = () => backupSubjects(outcomes, intendedFilesBackup(this.#workspace, request))
        const told = { request, subjects }
        return this.#run('files-backup', request.signal, (each) => backupFiles(each, request, outcomes), told)
      },
      restore: async (request = {}) => {
        const { restoreFiles } = await import('./operations/files-restore.js')
        const subjects = (report?: FilesRestoreReport) =>
          restoreSubjects(report, intendedFilesRestore(this.#workspace, request))
        const told = request.dryRun === true ? undefined : { request, subjects }
        return this.#run('files-restore', request.signal, (each) => restoreFiles(each, request), told)
      },
      list: async (request = {}) => {
        const { listFiles } = await import('./operations/files-list.js')
        return untilAborted(request.signal, () => listFiles(this.#workspace, request))
      },
    }
  }

  /**
   * Backs up databases. One that fails does not stop the others: look at each outcome.
   * @throws usage.*, config.* before anything has started
   */
  async backup(request: BackupRequest = {}): Promise<readonly Outcome<BackupResult>[]> {
    const { backup } = await import('./operations/backup.js')
    const outcomes: Outcome<BackupResult>[] = []
    const subjects = () => backupSubjects(outcomes, intendedBackup(this.#workspace, request))
    const told = { request, subjects }
    return this.#run('backup', request.signal, (workspace) => backup(workspace, request, outcomes), told)
  }

  /**
   * Restores a backup after checking everything that can be checked. `confirm` must say yes.
   * @throws refused.*, integrity.*, database.*, tool.*; only restore.incomplete means that the target was left changed
   */
  async restore(request: RestoreRequestOptions = {}): Promise<RestoreReport> {
    const { restore } = await import('./operations/restore.js')
    const subjects = (report?: RestoreReport) =>
      restoreSubjects(report, intendedRestore(this.#workspace, request))
    const told = request.dryRun === true ? undefined : { request, subjects }
    return this.#run('restore', request.signal, (workspace) => restore(workspace, request), told)
  }

  /**
   * Brings back the database that the last restore with `strategy: 'swap'` has kept; what is there now is kept in its stead. `confirm` must
   * say yes. Hooks do not run.
   * @throws usage.nothing-kept, refused.*, database.*, locked.by-another-run
   */
  async undoRestore(request: KeptRequest = {}): Promise<KeptReport> {
    const { undoRestore } = await import('./operations/kept-databases.js')
    return untilAborted(request.signal, () => undoRestore(this.#workspace, request))
  }

  /**
   * Removes the databases that restores with `strategy: 'swap'` have kept. `confirm` must say yes.
   * @throws usage.nothing-kept, refused.*, database.*, locked.by-another-run
   */
  async discardOld(request: KeptRequest = {}): Promise<KeptReport> {
    const { discardOld } = await import('./operations/kept-databases.js')
    return untilAborted(request.signal, () => discardOld(this.#workspace, request))
  }

  /** The backups of all storages, newest first. @throws storage.* */
  async list(request: ListRequest = {}): Promise<ListReport> {
    const { list } = await import('./operations/list.js')
    return untilAborted(request.signal, () => list(this.#workspace, request))
  }

  /** One backup. @throws usage.backup-not-found, usage.backup-ambiguous, storage.* */
  async show(request: ShowRequest = {}): Promise<StoredBackup> {
    const { show } = await import('./operations/find-backup.js')
    return untilAborted(request.signal, () => show(this.#workspace, request))
  }

  /** Reads every byte of backups and says of each whether it is whole. @throws usage.backup-not-found, storage.* */
  async verify(request: VerifyRequest = {}): Promise<VerifyReport> {
    const { verify } = await import('./operations/verify.js')
    const results: VerifyReport['results'][number][] = []
    const subjects = (report?: VerifyReport) =>
      verifySubjects(results, report === undefined ? intendedVerify(this.#workspace, request) : undefined)
    const told = { request, subjects }
    return this.#run('verify', request.signal, (workspace) => verify(workspace, request, results), told)
  }

  /**
   * Restores backups to prove them, each into a server that is there for that alone, and writes a report beside each manifest.
   * @throws usage.*, storage.* before anything has started; what became of a backup is in its result
   *
   * @example
   * const { results } = await hf.drill({ check: 'npm run smoke' })
   * const failed = results.filter(({ ok }) => !ok)
   */
  async drill(request: DrillRequest = {}): Promise<DrillReport> {
    const { drill } = await import('./operations/drill.js')
    const results: DrillReport['results'][number][] = []
    const subjects = (report?: DrillReport) =>
      drillSubjects(results, report === undefined ? intendedVerify(this.#workspace, request) : undefined)
    const told = { request, subjects }
    return this.#run('drill', request.signal, (workspace) => drill(workspace, request, results), told)
  }

  /**
   * Which tables of two backups differ, or of a backup and its database as it is: from their fingerprints, with nothing restored.
   * @throws usage.backup-not-found, usage.backup-ambiguous, usage.not-supported, database.*, storage.*
   */
  async diff(request: DiffRequest = {}): Promise<DiffReport> {
    const { diff } = await import('./operations/diff.js')
    return untilAborted(request.signal, () => diff(this.#workspace, request))
  }

  /** Applies retention and removes what interrupted runs left. @throws storage.* */
  async prune(request: PruneRequest = {}): Promise<PruneReport> {
    const { prune } = await import('./operations/prune.js')
    const subjects = (report?: PruneReport) => pruneSubjects(report, intendedPrune(this.#workspace, request))
    const told = request.dryRun === true ? undefined : { request, subjects }
    return this.#run('prune', request.signal, (workspace) => prune(workspace, request), told)
  }

  /**
   * Writes tables as files that can be read, edited and loaded into any engine, out of one snapshot.
   * @throws usage.*, database.*, storage.*; then an earlier dump in the same place is as it was
   */
  async dump(request: DumpRequestOptions = {}): Promise<DumpReport> {
    const { dump } = await import('./operations/dump.js')
    const subjects = (report?: DumpReport) =>
      databaseSubjects(report, intendedDatabase(this.#workspace, request.database))
    const told = { request, subjects }
    return this.#run('dump', request.signal, (workspace) => dump(workspace, request), told)
  }

  /**
   * Loads a portable dump in one transaction, and compares what the target holds then. `confirm` must say yes where rows would be
   * deleted.
   * @throws usage.*, integrity.*, refused.*, database.*: the target is as it was
   */
  async load(request: LoadRequest = {}): Promise<LoadReport> {
    const { load } = await import('./operations/load.js')
    const subjects = (report?: LoadReport) =>
      databaseSubjects(report, intendedDatabase(this.#workspace, request.database))
    const told = request.dryRun === true ? undefined : { request, subjects }
    return this.#run('load', request.signal, (workspace) => load(workspace, request), told)
  }

  /** Copies tables into another database, of any engine. @throws as dump and load; the target is as it was */
  async copy(request: CopyRequest): Promise<LoadReport> {
    const { copy } = await import('./operations/copy.js')
    const subjects = (report?: LoadReport) =>
      databaseSubjects(report, intendedDatabase(this.#workspace, request.to))
    const told = request.dryRun === true ? undefined : { request, subjects }
    return this.#run('copy', request.signal, (workspace) => copy(workspace, request), told)
  }

  /** Writes the footers of edited portable files anew. @throws integrity.format naming file and line; the file is as it was */
  async reseal(request: ResealRequest = {}): Promise<ResealReport> {
    const { reseal } = await import('./operations/reseal.js')
    return untilAborted(request.signal, () => reseal(this.#workspace, request))
  }

  /** Checks configuration, databases, tools, storages and keys; a storage that is named by the whole contract of storages. */
  async doctor(request: DoctorRequest = {}): Promise<DoctorReport> {
    const { doctor } = await import('./operations/doctor.js')
    return untilAborted(request.signal, () => doctor(this.#workspace, request))
  }

  /** Adds a handler of an event; the returned function takes it away. */
  on<Name extends HookName>(event: Name, handler: HookAction<Name>, settings?: HookSettings): () => void {
    return this.#workspace.hooks.on(event, handler, settings)
  }

  /** Adds a handler that runs once. */
  once<Name extends HookName>(event: Name, handler: HookHandler<Name>, settings?: HookSettings): () => void {
    return this.#workspace.hooks.once(event, handler, settings)
  }

  /** Closes the storages that were opened. */
  async close(): Promise<void> {
    await this.#workspace.storages.close()
  }

  /**
   * One operation, with its progress told to the handlers of `onProgress` as well.
   * @param told how notifiers and metrics hear of it; absent where nobody is to be told
   */
  async #run<Result>(
    operation: Operation,
    signal: AbortSignal | undefined,
    work: (workspace: Workspace) => Promise<Result>,
    told?: Omit<ToldRun<Result>, 'operation'>,
  ): Promise<Result> {
    const progress = new ProgressFeed(this.#workspace, operation)
    const run = () => untilAborted(signal, () => work({ ...this.#workspace, emit: progress.emit }))
    try {
      return await (told === undefined ? run() : tellRun(this.#workspace, { operation, ...told }, run))
    } finally {
      await progress.settled()
    }
  }
}

/** Work that was aborted in the middle may end with any error; the reason of the abort is the one to show. */
async function untilAborted<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (signal?.aborted === true && !(error instanceof HoldfastError)) throw signal.reason
    throw error
  }
}

const noKeys: KeyRing = {
  identities: () => Promise.resolve([]),
  passphrase: () => Promise.resolve(undefined),
}

/**
 * Checks a configuration and makes a Holdfast of it. Nothing is contacted yet.
 * @throws config.*, usage.not-supported
 */
export async function createHoldfast(config: HoldfastConfig, options: CreateOptions = {}): Promise<Holdfast> {
  const env = options.env ?? nodeEnv()
  const [{ builtinRegistry }, { withWrappers }, { resolveSettings }, { checkedConfig }] = await Promise.all([
    import('./builtin.js'),
    import('./storages/wrap/wrapped-driver.js'),
    import('./config/resolve.js'),
    import('./config/schema.js'),
  ])
  checkedConfig(config, options.file ?? 'the configuration')
  const builtin = builtinRegistry()
  const registry: Registry = {
    engines: [...(config.engines ?? []), ...builtin.engines],
    storageDrivers: [...(config.storageDrivers ?? []), ...builtin.storageDrivers].map(withWrappers),
    stages: builtin.stages,
  }
  const settings = resolveSettings({
    config,
    env,
    registry,
    baseDirectory: options.baseDirectory ?? env.workingDirectory,
    ...(options.file === undefined ? {} : { file: options.file }),
    ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
  })
  return new Holdfast({
    env,
    emit: options.emit ?? (() => undefined),
    settings,
    registry,
    hooks: new HookRunner(settings.hooks),
    keys: options.keys ?? noKeys,
    storages: new OpenStorages(settings),
    commandLine: options.commandLine ?? false,
  })
}
