import type { Readable, Writable } from 'node:stream'
import type { DevServerConfig } from '../config/config.js'
import type { FingerprintLevel } from '../engine/fingerprinter.js'
import type { CleanMode } from '../engine/connector.js'
import type { RestoreStrategy } from '../engine/swapper.js'
import type { DevServerDriver } from '../engine/dev-server.js'
import type { DevConnection } from './dev-reports.js'
import type { FilesRestorePlan } from './files-reports.js'
import type { KeptPlan, RestorePlan } from './reports.js'

/** Every request takes a signal; aborting it undoes what can be undone and rejects with the signal's reason. */
export interface Cancellable {
  readonly signal?: AbortSignal
}

export interface BackupRequest extends Cancellable {
  /** Aliases or URLs; every configured database where absent. */
  readonly databases?: readonly string[]
  /** One storage for all databases of this call. */
  readonly storage?: string
  /** Several at once, each of which gets every backup. Default: those of the database, or all that are configured. */
  readonly storages?: readonly string[]
  /** A local path or a stream to write the artifact to, instead of a storage. One database only. */
  readonly output?: string | Writable
  /** In place of the configured value, for every database of this call. */
  readonly exclude?: readonly string[]
  readonly excludeData?: readonly string[]
  readonly schemas?: readonly string[]
  readonly allowMissing?: boolean
  /** `zstd:1`, `gzip`, `none`: in place of the configured value. */
  readonly compress?: string
  /** `false` leaves out the configured encryption. */
  readonly encrypt?: false
  /** In place of the configured connector's name. */
  readonly connector?: string
  /** A portable dump beside the native one, in the same backup; in place of the configured value. */
  readonly alsoPortable?: boolean
  /** In place of the configured value. */
  readonly fingerprint?: FingerprintLevel
  /** Applies retention to the databases that were backed up without error. */
  readonly prune?: boolean
}

export interface FilesBackupRequest
  extends Cancellable, Pick<BackupRequest, 'storage' | 'storages' | 'compress' | 'encrypt' | 'prune'> {
  /** Names of sets; every configured one where absent. */
  readonly sets?: readonly string[]
  /** A local path or a stream to write the archive to, instead of a storage. One set only. */
  readonly output?: string | Writable
}

export interface FilesRestoreRequest extends Cancellable {
  /** `latest` (the default), an id or unique prefix, a file name in the storage, a local path of a tar archive, or a stream. */
  readonly backup?: string | Readable
  /** The set whose backup is restored, into its source; needed where several are configured. */
  readonly set?: string
  /** Another folder to restore into; it is made where it is not there. Default: the source of the set, a folder or a storage. */
  readonly to?: string
  readonly storage?: string
  readonly fromServer?: string
  /**
   * What becomes of a file that is in the target already: the backup's takes its place, it stays, or nothing at all is restored.
   * Default `error`.
   */
  readonly onConflict?: 'replace' | 'skip' | 'error'
  /**
   * All that the target holds gives way to the backup: of a folder in one step when everything is there; of a storage, where there is
   * no such step, what is not in the backup is removed last, and what the set does not include stays.
   */
  readonly replace?: boolean
  /** Only what these patterns mean. */
  readonly only?: readonly string[]
  readonly dryRun?: boolean
  /** Asked once, with the plan, before the first change. Absent or false: `refused.not-confirmed`. */
  readonly confirm?: boolean | ((plan: FilesRestorePlan) => boolean | Promise<boolean>)
}

export interface FilesListRequest extends Omit<ListRequest, 'kind' | 'database'> {
  /** Of this set. */
  readonly set?: string
}

export interface BackupFilter {
  /** Alias or name of a database. */
  readonly database?: string
  readonly server?: string
  readonly compressed?: boolean
  readonly encrypted?: boolean
  readonly kind?: 'database' | 'files'
  /** Backups that began at or after, and before. */
  readonly since?: Date
  readonly until?: Date
}

export interface ListRequest extends BackupFilter, Cancellable {
  readonly storage?: string
}

export interface ShowRequest extends Cancellable {
  /** `latest`, an id or unique prefix, or a file name in the storage. Default `latest`. */
  readonly backup?: string
  readonly storage?: string
  readonly database?: string
}

export interface RestoreRequestOptions extends Cancellable {
  /** `latest` (the default), an id or unique prefix, a file name in the storage, a local path, or a stream (`-` on the command line). */
  readonly backup?: string | Readable
  /** Alias of the target; needed where several databases are configured. */
  readonly database?: string
  /** Another target: a URL, or the name of another database on the same server. */
  readonly to?: string
  readonly storage?: string
  readonly fromServer?: string
  /** Restore a backup of another database. */
  readonly fromDatabase?: string
  /**
   * `swap` restores beside the database and lets the two change places; the old one is kept. Default: as configured, else `in-place`.
   */
  readonly strategy?: RestoreStrategy
  /**
   * `false`: no backup of the target is made before a restore that could not be undone. Default: as configured, else true.
   */
  readonly safetyBackup?: boolean
  readonly clean?: CleanMode
  readonly create?: boolean
  readonly disconnect?: boolean
  readonly schemas?: readonly string[]
  /** Only these tables, by patterns with `*`. */
  readonly tables?: readonly string[]
  /** Definitions without rows. */
  readonly schemaOnly?: boolean
  /** Rows without definitions. */
  readonly dataOnly?: boolean
  readonly requireSameRevision?: boolean
  /** `false` leaves out the comparison with the backup's fingerprint after the restore. */
  readonly compare?: boolean
  readonly dryRun?: boolean
  /** In place of the connector that the backup's format asks for. */
  readonly connector?: string
  /** Asked once, with the plan, before the first change. Absent or false: `refused.not-confirmed`. */
  readonly confirm?: boolean | ((plan: RestorePlan) => boolean | Promise<boolean>)
  /** The database's name, for a target that is protected. */
  readonly confirmName?: string
}

export interface DiffRequest extends Cancellable {
  /** `latest` (the default), an id or unique prefix, a file name in the storage, or the path of a portable dump. */
  readonly from?: string
  /** Another one, or `live` (the default): the database as it is. */
  readonly to?: string
  /**
   * Which rows differ, by their primary keys: backups are restored into throwaway servers, and rows compared. Default false: nothing is
   * restored.
   */
  readonly rows?: boolean
  /** With `rows`: so many rows of each table are named as added, as removed and as changed. Default 20. */
  readonly limit?: number
  /** With `rows`: a URL of a server of yours to restore backups into, as for a drill, in place of throwaway ones. */
  readonly into?: string
  /** The database whose backups are meant; with `live`, the one that is read where the backup's own is not configured. */
  readonly database?: string
  readonly storage?: string
}

/** Brings back, or removes, what a restore with `strategy: 'swap'` has kept. */
export interface KeptRequest extends Cancellable {
  /** Alias of the database; needed where several are configured. */
  readonly database?: string
  /** Another one: a URL, or the name of another database on the same server. */
  readonly to?: string
  /** End the sessions that are in the way, where Holdfast can. */
  readonly disconnect?: boolean
  readonly dryRun?: boolean
  /** Asked once, with the plan, before the first change. Absent or false: `refused.not-confirmed`. */
  readonly confirm?: boolean | ((plan: KeptPlan) => boolean | Promise<boolean>)
  /** The database's name, where it is protected. */
  readonly confirmName?: string
}

export interface VerifyRequest extends BackupFilter, Cancellable {
  /** Each `latest`, an id or unique prefix, or a file name in the storage. Default: the newest of each database that the filter lets through. */
  readonly backups?: readonly string[]
  readonly all?: boolean
  readonly storage?: string
}

/** Restores backups to prove them, into a server that is there for that alone. */
export interface DrillRequest extends Omit<BackupFilter, 'kind'>, Cancellable {
  /** Each `latest`, an id or unique prefix, or a file name in the storage. Default: the newest of each database. */
  readonly backups?: readonly string[]
  /** Every backup that the filter lets through. */
  readonly all?: boolean
  readonly storage?: string
  /** A line for the system's shell, which finds the copy in `DATABASE_URL`. A status other than 0 fails the drill. */
  readonly check?: string
  /** Where the version of the backup's server is not installed, the nearest newer one will do. Default false: it is an error. */
  readonly newer?: boolean
  /** The URL of a server to take instead of a throwaway one: the copy is a new database there, which is dropped at the end. */
  readonly into?: string
}

export interface PruneRequest extends Cancellable {
  readonly databases?: readonly string[]
  readonly storage?: string
  readonly dryRun?: boolean
  /** Signs that signed backups which are missing are known to be lost, so that `verify` stops telling of them. */
  readonly acceptMissing?: boolean
}

export interface DoctorRequest extends Cancellable {
  readonly databases?: readonly string[]
  /** This storage alone, and thoroughly: the contract suite of `holdfast/testing` is run in a place of its own there. */
  readonly storage?: string
}

/** Which development server is meant. */
export interface DevSelection extends Cancellable {
  /** `postgresql`, `postgis`, `mariadb`, `mysql`, `mongodb`, `sqlite`, or one that is configured. Default: the only one there is. */
  readonly engine?: string
  /** Default `main`. */
  readonly name?: string
  /** When it is made or started: this port and no other. */
  readonly port?: number
}

export interface DevRunRequest extends DevSelection {
  /** Told when it answers. */
  readonly onReady?: (connection: DevConnection) => void
  /** Told what the server prints. */
  readonly onLog?: (text: string) => void
}

export interface DevDestroyRequest extends DevSelection {
  /** The backups of the server too. Default false. */
  readonly backups?: boolean
}

export interface DevBackupRequest extends DevSelection {
  /** What to call the backup, beside the time. */
  readonly backupName?: string
}

export interface DevRestoreRequest extends DevSelection {
  /** `latest` (the default), the name or id of a backup of this server, a folder or a file; with `from` as for `restore`. */
  readonly backup?: string
  /** A configured storage, or a folder, to take the backup from. */
  readonly from?: string
  /** With `from`: of which database. Default: the only configured one of the engine. */
  readonly fromDatabase?: string
}

export interface DevGuideRequest extends DevSelection {
  readonly showSecrets?: boolean
}

export interface DevLogsRequest extends DevSelection {
  /** How many lines from the end. Default 100. */
  readonly lines?: number
  /** Goes on until the signal aborts, telling what the server prints. */
  readonly onText?: (text: string) => void
}

/** A server for tests; see `startDevServer` of `holdfast/testing`. */
export interface DevDisposableRequest extends DevServerConfig, Cancellable {
  readonly engine: string | DevServerDriver
  /** Data survive a crash of the machine. Default false: nothing waits for the disk, since the data go with the server. */
  readonly durable?: boolean
}
