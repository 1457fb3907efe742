import type { Manifest } from '../catalog/manifest.js'
import type { KeptDatabase, RestoreStrategy } from '../engine/swapper.js'
import type { HoldfastError } from '../errors.js'
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
