import type { VerifyReport } from '../../../operations/reports.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast verify --json`: a result for each backup. */
export type VerifyDocument = { readonly results: readonly VerifyResultDocument[] }

export type VerifyResultDocument =
  | {
      readonly id: string
      readonly ok: true
      readonly storage: string
      readonly database: string
      /** False where no key was given: then only the stored bytes were compared. */
      readonly decoded: boolean
      /** False where the dump's own structure could not be checked: its digests hold. */
      readonly checked: boolean
      readonly seconds: number
      readonly parts: readonly {
        readonly name: string
        readonly key: string
        readonly storedBytes: number
        readonly plainBytes: number
      }[]
    }
  /** `id` is the key of the manifest where that cannot be read. */
  | { readonly id: string; readonly ok: false; readonly error: ErrorDocument }

export function verifyDocument({ results }: VerifyReport): VerifyDocument {
  return {
    results: results.map((each) => {
      if (!each.ok) return { id: each.id, ok: false, error: errorDocument(each.error) }
      const { backup, decoded, checked, seconds, parts } = each.result
      return {
        id: each.id,
        ok: true,
        storage: backup.storage,
        database: backup.manifest.database.alias,
        decoded,
        checked,
        seconds,
        parts: parts.map(({ name, key, storedBytes, plainBytes }) => ({
          name,
          key,
          storedBytes,
          plainBytes,
        })),
      }
    }),
  }
}
