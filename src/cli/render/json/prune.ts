import type { PruneReport } from '../../../operations/reports.js'
import { storedBackupDocument, type StoredBackupDocument } from './stored-backup.js'

/** `holdfast prune --json`. With `--dry-run` nothing was removed: `removed` is empty, and `swept` is what would go. */
export type PruneDocument = {
  readonly dryRun: boolean
  readonly decisions: readonly (StoredBackupDocument & {
    readonly keep: boolean
    readonly reasons: readonly string[]
  })[]
  /** Ids. */
  readonly removed: readonly string[]
  /** Keys of artifacts that interrupted runs left. */
  readonly swept: readonly string[]
  /** With `--accept-missing`: signed backups that are not missed any more. */
  readonly accepted: readonly { readonly storage: string; readonly database: string; readonly id: string }[]
}

export function pruneDocument({ dryRun, decisions, removed, swept, accepted }: PruneReport): PruneDocument {
  return {
    dryRun,
    decisions: decisions.map(({ backup, keep, reasons }) => ({
      ...storedBackupDocument(backup),
      keep,
      reasons,
    })),
    removed,
    swept,
    accepted: accepted.map(({ storage, database, id }) => ({ storage, database, id })),
  }
}
