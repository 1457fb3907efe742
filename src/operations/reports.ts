import type { Manifest } from '../catalog/manifest.js'
import type { KeptDatabase, RestoreStrategy } from '../engine/swapper.js'
import type { Json } from '../env/json.js'
import type { Secret } from '../env/secret.js'
import type { ErrorCode, HoldfastError } from '../errors.js'
import type { SignatureState } from '../signing/signing.js'

/** What became of one database in an operation on several: a result, or the error that stopped it. */
export type Outcome<Result> =
  | { readonly database: string; readonly ok: true; readonly result: Result }
  | {
      readonly database: string
      readonly ok: false
      readonly error: HoldfastError
      /** What was done nevertheless: a backup that some storages have and others lack, or one after which a hook failed. */
      readonly partial?: Result
    }

/** A backup in a storage. */
export interface StoredBackup {
  readonly storage: string
  readonly manifest: Manifest
  /** What its signature is worth; absent where nobody looked. */
  readonly signature?: SignatureState
  /** Why it is not to be trusted, by the keys of `sign`. */
  readonly distrust?: HoldfastError
  /** The last time that it was restored to prove it, in this storage; absent where it never was, or nobody looked. */
  readonly lastDrill?: LastDrill
}

export interface LastDrill {
  readonly time: Date
  readonly result: 'passed' | 'failed'
  /** Of its report in the storage, in JSON; one in Markdown lies beside it. */
  readonly key: string
}

/** A storage that a backup did not reach. Nothing of the backup is in it. */
export interface FailedStorage {
  readonly storage: string
  readonly error: HoldfastError
}

export interface BackupResult {
  /** In the first of its storages. Absent with `output`, where the bytes go to a path or stream and no storage. */
  readonly backup?: StoredBackup
  /** In each storage that has it. */
  readonly copies: readonly StoredBackup[]
  readonly failedStorages: readonly FailedStorage[]
  readonly id: string
  /** The file name of the artifact, or the path given with `output`. */
  readonly filename: string
  /** Of the dump itself, before compression and encryption. */
  readonly plainBytes: number
  /** Of the portable dump beside it, where there is one. */
  readonly portableBytes?: number
  /** Of all that lies in a storage. */
  readonly storedBytes: number
  readonly seconds: number
  readonly warnings: readonly string[]
  /** Why there is no portable dump, though one was wanted and the backup is whole. */
  readonly failedPortable?: HoldfastError
  /** What `prune` removed afterwards, with `prune: true`. */
  readonly pruned?: readonly string[]
  /** What failed when the backup was complete already: a hook, or retention. */
  readonly failedAfter?: HoldfastError
}

/** What became of one set of files. */
export type FilesOutcome =
  | { readonly set: string; readonly ok: true; readonly result: FilesBackupResult }
  | {
      readonly set: string
      readonly ok: false
      readonly error: HoldfastError
      /** What was done nevertheless: a backup without the files that could not be read, or one that some storages lack. */
      readonly partial?: FilesBackupResult
    }

export interface FilesBackupResult extends BackupResult {
  readonly files: NonNullable<Manifest['files']>
}

/** What a restore of files is going to do; shown before it is confirmed. */
export interface FilesRestorePlan {
  /** The id of a backup, or the path of a file. */
  readonly source: string
  readonly manifest?: Manifest
  readonly storage?: string
  readonly filename: string
  readonly storedBytes?: number
  readonly kind: 'folder' | 'storage'
  /** The folder or storage to restore into. */
  readonly place: string
  readonly exists: boolean
  /** How many files and links the target holds now, in all its folders. */
  readonly present: number
  /** What becomes of them. */
  readonly mode: 'empty-first' | 'replace' | 'skip' | 'error'
  /** Patterns; empty means all. */
  readonly only: readonly string[]
  /** What is going to be restored: files, folders and links, and the bytes of all files. */
  readonly entries: number
  readonly bytes: number
  /** How many files and links of the target the backup has too. */
  readonly conflicts: number
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
}

export interface FilesRestoreReport {
  readonly plan: FilesRestorePlan
  /** False with `dryRun`: nothing was changed. */
  readonly restored: boolean
  readonly files: number
  readonly folders: number
  readonly links: number
  readonly bytes: number
  /** Files and links that stayed as they were. */
  readonly skipped: number
  readonly seconds: number
  readonly warnings: readonly string[]
}

export interface ListReport {
  /** Newest first. */
  readonly backups: readonly StoredBackup[]
  /** Manifests that are there and cannot be read; an error each. */
  readonly damaged: readonly {
    readonly storage: string
    readonly key: string
    readonly error: HoldfastError
  }[]
}

/** What a restore is going to do; shown before it is confirmed. */
export interface RestorePlan {
  /** The id of a backup, or the path of a file. */
  readonly source: string
  readonly manifest?: Manifest
  readonly storage?: string
  readonly filename: string
  readonly storedBytes?: number
  /** The alias of the target, or the place for a URL. */
  readonly target: string
  readonly place: string
  readonly engine: string
  readonly connector: string
  readonly exists: boolean
  readonly strategy: RestoreStrategy
  /** With `swap`: what the database that is there now will be called. */
  readonly keptAs?: string
  /** With `swap`: about how much room the second database takes, beside the first. */
  readonly roomBytes?: number
  /** What earlier swaps have put aside of this database, newest first. */
  readonly kept: readonly KeptDatabase[]
  readonly clean: 'none' | 'objects' | 'database'
  /** The part of the backup that is restored, where it is not all: `schema shop`, `table orders`, `definitions without rows`. */
  readonly only: readonly string[]
  /** The target is backed up first, and put back if the restore fails: its engine cannot undo a restore in place. */
  readonly safetyBackup: boolean
  readonly protected: boolean
  /** What is to be typed where the target is protected: the database's name, or the alias of a file. */
  readonly databaseName: string
  /** How many tables and other objects the target holds now. */
  readonly targetObjects: number
  readonly targetBytes?: number
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
  /** Names and versions of the programs that will run. */
  readonly tools: readonly {
    readonly name: string
    readonly version: string
    readonly path: string
    readonly reason?: string
  }[]
}

export interface RestoreReport {
  readonly plan: RestorePlan
  /** False with `dryRun`: nothing was changed. */
  readonly restored: boolean
  /** Of the restored database with the fingerprint of the backup; absent where that has none. It has no differences: they are an error. */
  readonly comparison?: Comparison
  /** What a swap has put aside; absent where there was no database before. */
  readonly kept?: string
  /** The id of the backup that was made before. */
  readonly safetyBackup?: string
  readonly seconds: number
  readonly warnings: readonly string[]
}

/** What is going to become of databases that swaps have put aside; shown before it is confirmed. */
export interface KeptPlan {
  readonly action: 'undo' | 'discard'
  /** The alias of the database, or the place for a URL. */
  readonly target: string
  readonly place: string
  readonly databaseName: string
  readonly protected: boolean
  /** The one that comes back, or those that are removed. */
  readonly databases: readonly KeptDatabase[]
  /** With `undo`: what the database that is there now will be called. */
  readonly keptAs?: string
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
}

export interface KeptReport {
  readonly plan: KeptPlan
  /** False with `dryRun`: nothing was changed. */
  readonly done: boolean
  readonly seconds: number
  readonly warnings: readonly string[]
}

/** What of two states of a database is the same. */
export interface Comparison {
  /** `counts`: row counts alone. */
  readonly level: 'counts' | 'content'
  /** How many tables were compared. */
  readonly tables: number
  /** Empty where all that was compared is the same. */
  readonly differences: readonly Difference[]
  /** What could not be compared, and why; a sentence each. */
  readonly unproven: readonly string[]
}

export interface Difference {
  /** By kind and name: `table public.film`, `index public.film_title`, `counter public.film_id_seq`. */
  readonly object: string
  /** `rows`: another row count. `content`: the same count with other values. */
  readonly what: 'missing' | 'extra' | 'rows' | 'content' | 'definition' | 'counter' | 'encoding'
  readonly expected?: string
  readonly found?: string
}

/** One of two states that are compared. */
export interface DiffSide {
  /** The id of a backup, or `live`. */
  readonly name: string
  readonly database: string
  /** RFC 3339 in UTC: when the backup began, or when the database was read. */
  readonly created: string
}

export interface DiffReport {
  readonly from: DiffSide
  readonly to: DiffSide
  /** `expected` is what `from` holds, `found` what `to` does. */
  readonly comparison: Comparison
  /** With `rows: true`: which rows differ, table by table. */
  readonly rows?: readonly TableRows[]
}

/** Which rows of a table differ, by its primary key. */
export interface TableRows {
  /** With its schema, where the engine has some: `public.film`. */
  readonly table: string
  /** The columns of the key. */
  readonly key: readonly string[]
  /** How many rows only `to` has, only `from` has, and both have with other values. */
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** At most the limit of each kind. */
  readonly rows: readonly RowDifference[]
  /** Why rows cannot be named. */
  readonly unnamed?: string
}

export interface RowDifference {
  readonly what: 'added' | 'removed' | 'changed'
  /** The values of the key, in portable form. */
  readonly key: readonly Json[]
  /**
   * Of a changed row: what `from` and `to` hold. Of a document its fields, which may be there on one side alone; none where only their order
   * has changed.
   */
  readonly columns?: readonly { readonly name: string; readonly from?: Json; readonly to?: Json }[]
}

export interface VerifiedPart {
  readonly name: string
  readonly key: string
  readonly storedBytes: number
  readonly plainBytes: number
}

/** A backup of which every byte was read: checksums, keys, decompression and the format's own structure hold. */
export interface VerifyResult {
  readonly backup: StoredBackup
  readonly parts: readonly VerifiedPart[]
  /** False where no key was given: then only the stored bytes were compared, and nothing was decrypted. */
  readonly decoded: boolean
  /** False where nothing in the dump tells whether it is whole, or its connector is not configured here: digests hold. */
  readonly checked: boolean
  readonly seconds: number
}

export interface VerifyReport {
  readonly results: readonly (
    | { readonly id: string; readonly ok: true; readonly result: VerifyResult }
    | {
        /** The key of the manifest where that cannot be read. */
        readonly id: string
        readonly ok: false
        readonly error: HoldfastError
        readonly storage: string
        /** Absent where the manifest cannot be read. */
        readonly backup?: StoredBackup
      }
  )[]
}

/** What became of the drill of each backup. */
export interface DrillReport {
  readonly results: readonly DrillResult[]
}

export interface DrillResult {
  /** The key of the manifest where that cannot be read. */
  readonly id: string
  readonly storage: string
  /** The alias of its database; absent where the manifest cannot be read. */
  readonly database?: string
  /** It came back, nothing that was compared differs, the check ended well, and the report is in the storage. */
  readonly ok: boolean
  readonly error?: HoldfastError
  /** Absent where the backup was not tried: there was no server for it, no key, no storage. */
  readonly proof?: DrillProof
  /** Where the report lies in the storage: as JSON and as Markdown. */
  readonly keys: readonly string[]
}

/** What a drill has found out about a backup: the report beside its manifest. `docs/format.md` describes every field. */
export interface DrillProof {
  readonly formatVersion: 1
  readonly result: 'passed' | 'failed'
  readonly backup: {
    readonly id: string
    readonly storage: string
    readonly database: string
    readonly created: string
    readonly product: string
    readonly version: string
  }
  /** RFC 3339 in UTC. */
  readonly started: string
  readonly finished: string
  readonly seconds: {
    readonly server: number
    readonly restore: number
    readonly compare: number
    readonly check: number
  }
  /** The version of Holdfast, and the `serverName` of the machine. */
  readonly writer: string
  readonly machine: string
  readonly restoredInto: DrillServer
  /** Of the restored copy with the manifest's fingerprint; absent where it has none, or there is no copy. */
  readonly comparison?: Comparison
  /** By the manifest's schema hash. */
  readonly schema: 'same' | 'differs' | 'not compared'
  readonly check?: DrillCheck
  /** Sentences for people. */
  readonly proved: readonly string[]
  readonly unproven: readonly string[]
  readonly warnings: readonly string[]
  /** Why it failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string }
}

export interface DrillServer {
  /** `throwaway`: made for the drill, and gone with it. `given`: a database of its own on a server that was named. */
  readonly kind: 'throwaway' | 'given'
  /** Absent where the restore failed before a given server had said it. */
  readonly product?: string
  readonly version?: string
}

/** A command of the user's that looked at the restored copy. */
export interface DrillCheck {
  readonly command: string
  /** Absent where a signal ended it. */
  readonly status?: number
  readonly signal?: string
  readonly seconds: number
  /** What it printed, without the secrets of the copy's URL; where that is long, without its middle. */
  readonly output: string
  /** What it has changed in the copy, as far as the fingerprint shows it. The comparison was before. */
  readonly changes: readonly Difference[]
}

export interface PruneDecision {
  readonly backup: StoredBackup
  readonly keep: boolean
  readonly reasons: readonly string[]
}

export interface PruneReport {
  /** Newest first, per database. */
  readonly decisions: readonly PruneDecision[]
  /** Ids that were removed; empty with `dryRun`. */
  readonly removed: readonly string[]
  /** Artifacts of backups that were never finished, older than a day, which were removed (or would be, with `dryRun`). */
  readonly swept: readonly string[]
  /** With `acceptMissing`: signed backups that are not missed any more. */
  readonly accepted: readonly { readonly storage: string; readonly database: string; readonly id: string }[]
  readonly dryRun: boolean
}

export type CheckStatus = 'ok' | 'warning' | 'error' | 'skipped'

export interface DoctorCheck {
  /** `config`, `database default`, `storage main`, `tools`, `key`, `clock`. */
  readonly subject: string
  readonly name: string
  readonly status: CheckStatus
  readonly message: string
  readonly hint?: string
  readonly error?: HoldfastError
}

export interface DoctorReport {
  readonly checks: readonly DoctorCheck[]
}

/** How to reach a development server. */
export interface DevConnection {
  readonly engine: string
  readonly name: string
  readonly folder: string
  readonly product: string
  readonly version: string
  readonly host: string
  /** 0 for a database that is a file. */
  readonly port: number
  readonly user: string
  readonly password: Secret
  readonly database: string
  /** `DATABASE_URL`. */
  readonly url: Secret
  /** What the engine's own programs read: `PGHOST`. */
  readonly variables: readonly (readonly [name: string, value: Secret])[]
}

/** A backup of a development server, in its folder. */
export interface DevBackup {
  /** Empty where it has no name but its time. */
  readonly name: string
  /** Absent for backups that a driver of the user's own has made. */
  readonly id?: string
  readonly created: Date
  readonly directory: string
  readonly sizeBytes: number
}

/** A server that is there for a while, with its folder. */
export interface DisposableServer extends DevConnection {
  /** Absent on Windows, and where the path of the temporary folder is long. */
  readonly socketDirectory?: string
  /** Paths by the driver's names: `{ postgres: '/usr/lib/postgresql/15/bin/postgres' }`. */
  readonly programs: Readonly<Record<string, string>>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
