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
}

export function pruneDocument({ dryRun, decisions, removed, swept }: PruneReport): PruneDocument {
  return {
    dryRun,
    decisions: decisions.map(({ backup, keep, reasons }) => ({
      ...storedBackupDocument(backup),
      keep,
      reasons,
    })),
    removed,
    swept,
  }
}
