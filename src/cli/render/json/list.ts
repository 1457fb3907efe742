import type { ListReport } from '../../../operations/reports.js'
import { errorDocument, type ErrorDocument } from './error.js'
import { storedBackupDocument, type StoredBackupDocument } from './stored-backup.js'

/** `holdfast list --json`: newest first. */
export type ListDocument = {
  readonly backups: readonly StoredBackupDocument[]
  /** Manifests that are there and cannot be read. */
  readonly damaged: readonly {
    readonly storage: string
    readonly key: string
    readonly error: ErrorDocument
  }[]
}

export function listDocument({ backups, damaged }: ListReport): ListDocument {
  return {
    backups: backups.map(storedBackupDocument),
    damaged: damaged.map(({ storage, key, error }) => ({ storage, key, error: errorDocument(error) })),
  }
}
