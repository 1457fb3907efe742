import type { Manifest } from '../catalog/manifest.js'
import type { HoldfastError } from '../errors.js'
import type { BackupResult } from './reports.js'

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
