import type { FilesBackupResult, FilesOutcome } from '../../../operations/files-reports.js'
import { doneDocument, type BackupDoneDocument } from './backup.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast files backup --json`: an outcome for each set, in the order of the work. */
export type FilesBackupDocument = { readonly outcomes: readonly FilesOutcomeDocument[] }

export type FilesOutcomeDocument =
  | ({ readonly set: string; readonly ok: true } & FilesDoneDocument)
  | {
      readonly set: string
      readonly ok: false
      readonly error: ErrorDocument
      /** The backup that is there nevertheless, where the error is backup.partial. */
      readonly partial?: FilesDoneDocument
    }

export type FilesDoneDocument = BackupDoneDocument & {
  readonly files: {
    /** Files, folders and links. */
    readonly entries: number
    /** Of all files together. */
    readonly bytes: number
    readonly changed: number
    readonly unreadable: number
  }
}

export function filesBackupDocument(outcomes: readonly FilesOutcome[]): FilesBackupDocument {
  return {
    outcomes: outcomes.map((outcome) => {
      const { set } = outcome
      if (outcome.ok) return { set, ok: true, ...filesDone(outcome.result) }
      const { error, partial } = outcome
      return {
        set,
        ok: false,
        error: errorDocument(error),
        ...(partial === undefined ? {} : { partial: filesDone(partial) }),
      }
    }),
  }
}

function filesDone(result: FilesBackupResult): FilesDoneDocument {
  const { entries, bytes, changed, unreadable } = result.files
  return { ...doneDocument(result), files: { entries, bytes, changed, unreadable } }
}
