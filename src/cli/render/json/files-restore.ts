import type { FilesRestorePlan, FilesRestoreReport } from '../../../operations/files-reports.js'

/** `holdfast files restore --json`. With `--dry-run`, `restored` is false and nothing was changed. */
export type FilesRestoreDocument = {
  readonly restored: boolean
  readonly files: number
  readonly folders: number
  readonly links: number
  readonly bytes: number
  readonly skipped: number
  readonly seconds: number
  readonly warnings: readonly string[]
  readonly plan: FilesPlanDocument
}

export type FilesPlanDocument = {
  /** The id of a backup, or the path of a file. */
  readonly source: string
  readonly storage?: string
  readonly filename: string
  readonly storedBytes?: number
  /** RFC 3339 in UTC: when the backup began; absent for a file that was made elsewhere, as is `server`. */
  readonly created?: string
  readonly server?: string
  readonly kind: 'folder' | 'storage'
  readonly place: string
  readonly exists: boolean
  /** Files and links that the folder, or objects that the storage holds now. */
  readonly present: number
  readonly mode: 'empty-first' | 'replace' | 'skip' | 'error'
  readonly only: readonly string[]
  readonly entries: number
  readonly bytes: number
  readonly conflicts: number
  readonly losses: readonly string[]
}

export function filesRestoreDocument(report: FilesRestoreReport): FilesRestoreDocument {
  const { restored, files, folders, links, bytes, skipped, seconds, warnings, plan } = report
  return { restored, files, folders, links, bytes, skipped, seconds, warnings, plan: planDocument(plan) }
}

function planDocument({ manifest, warnings: _warnings, ...plan }: FilesRestorePlan): FilesPlanDocument {
  return {
    ...plan,
    ...(manifest === undefined ? {} : { created: manifest.created, server: manifest.server }),
  }
}
