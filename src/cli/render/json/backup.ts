import type { BackupResult, Outcome } from '../../../operations/reports.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast backup --json`: an outcome for each database, in the order of the work. */
export type BackupDocument = { readonly outcomes: readonly BackupOutcomeDocument[] }

export type BackupOutcomeDocument =
  | ({ readonly database: string; readonly ok: true } & BackupDoneDocument)
  | {
      readonly database: string
      readonly ok: false
      readonly error: ErrorDocument
      /** The backup that some of its storages have, where the error is backup.partial. */
      readonly partial?: BackupDoneDocument
    }

export type BackupDoneDocument = {
  readonly id: string
  /** The first of `storages`. Absent with `--output`. */
  readonly storage?: string
  /** Every storage that has the backup; absent with `--output`. */
  readonly storages?: readonly string[]
  /** Storages that have nothing of it, and why. */
  readonly failedStorages?: readonly { readonly storage: string; readonly error: ErrorDocument }[]
  /** Of the artifact: its name in the storage, or the path of `--output`. */
  readonly filename: string
  /** Of the dump itself. */
  readonly plainBytes: number
  /** Of the portable dump beside it, with `--also-portable`. */
  readonly portableBytes?: number
  /** Why there is none, where the error is backup.partial. */
  readonly failedPortable?: ErrorDocument
  /** After compression and encryption. */
  readonly storedBytes: number
  readonly seconds: number
  readonly warnings: readonly string[]
  /** Ids of the backups that `--prune` removed afterwards. */
  readonly pruned?: readonly string[]
}

export function backupDocument(outcomes: readonly Outcome<BackupResult>[]): BackupDocument {
  return {
    outcomes: outcomes.map((outcome) => {
      const { database } = outcome
      if (outcome.ok) return { database, ok: true, ...doneDocument(outcome.result) }
      const { error, partial } = outcome
      return {
        database,
        ok: false,
        error: errorDocument(error),
        ...(partial === undefined ? {} : { partial: doneDocument(partial) }),
      }
    }),
  }
}

export function doneDocument(result: BackupResult): BackupDoneDocument {
  const { backup, copies, failedStorages, pruned, portableBytes, failedPortable } = result
  const { id, filename, plainBytes, storedBytes, seconds, warnings } = result
  return {
    id,
    ...(backup === undefined
      ? {}
      : { storage: backup.storage, storages: copies.map(({ storage }) => storage) }),
    ...(failedStorages.length === 0
      ? {}
      : {
          failedStorages: failedStorages.map(({ storage, error }) => ({
            storage,
            error: errorDocument(error),
          })),
        }),
    filename,
    plainBytes,
    ...(portableBytes === undefined ? {} : { portableBytes }),
    ...(failedPortable === undefined ? {} : { failedPortable: errorDocument(failedPortable) }),
    storedBytes,
    seconds,
    warnings,
    ...(pruned === undefined ? {} : { pruned }),
  }
}
