import type { DrillProof, DrillReport } from '../../../operations/drill-results.js'
import type { JsonField } from './document.js'
import { errorDocument, type ErrorDocument } from './error.js'

/** `holdfast verify --restore --json`: a result for each backup. */
export type DrillDocument = { readonly results: readonly DrillResultDocument[] }

export type DrillResultDocument = {
  /** The key of the manifest where that cannot be read. */
  readonly id: string
  readonly storage: string
  readonly database?: string
  readonly ok: boolean
  readonly error?: ErrorDocument
  /** Where the report lies in the storage. */
  readonly keys: readonly string[]
  /** The report itself, as docs/format.md describes it; absent where the backup was not tried. */
  readonly proof?: DrillProof
}

export function drillDocument({ results }: DrillReport) {
  return {
    results: results.map(({ id, storage, database, ok, error, keys, proof }) => ({
      ...{ id, storage, database, ok, keys },
      error: error === undefined ? undefined : errorDocument(error),
      // A report is JSON already; only its type is written as an interface.
      proof: proof as unknown as JsonField,
    })),
  }
}
