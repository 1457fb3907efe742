import type { ErrorCode, HoldfastError } from '../errors.js'
import type { Comparison, Difference } from './reports.js'

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
