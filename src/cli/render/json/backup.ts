import type { BackupResult, Outcome } from '../../../operations/reports.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast backup --json`: an outcome for each database, in the order of the work. */
export type BackupDocument = { readonly outcomes: readonly BackupOutcomeDocument[] }

export type BackupOutcomeDocument =
  | {
      readonly database: string
      readonly ok: true
      readonly id: string
      /** Absent with `--output`. */
      readonly storage?: string
      /** Of the artifact: its name in the storage, or the path of `--output`. */
      readonly filename: string
      /** Of the dump itself. */
      readonly plainBytes: number
      /** After compression and encryption. */
      readonly storedBytes: number
      readonly seconds: number
      readonly warnings: readonly string[]
      /** Ids of the backups that `--prune` removed afterwards. */
      readonly pruned?: readonly string[]
    }
  | { readonly database: string; readonly ok: false; readonly error: ErrorDocument }

export function backupDocument(outcomes: readonly Outcome<BackupResult>[]): BackupDocument {
  return {
    outcomes: outcomes.map((outcome) => {
      const { database } = outcome
      if (!outcome.ok) return { database, ok: false, error: errorDocument(outcome.error) }
      const { backup, id, filename, plainBytes, storedBytes, seconds, warnings, pruned } = outcome.result
      return {
        database,
        ok: true,
        id,
        ...(backup === undefined ? {} : { storage: backup.storage }),
        filename,
        plainBytes,
        storedBytes,
        seconds,
        warnings,
        ...(pruned === undefined ? {} : { pruned }),
      }
    }),
  }
}
