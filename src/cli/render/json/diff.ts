import type { DiffReport, TableRows } from '../../../operations/diff-reports.js'
import { comparisonDocument, type ComparisonDocument } from './comparison.js'
import type { JsonBody, JsonField } from './document.js'

/** `holdfast diff --json`: `expected` is what `from` holds, `found` what `to` does. */
export type DiffDocument = {
  readonly from: SideDocument
  readonly to: SideDocument
  readonly comparison: ComparisonDocument
  /** With `--rows`. */
  readonly rows?: readonly TableRows[]
}

export type SideDocument = {
  /** The id of a backup, or `live`. */
  readonly name: string
  readonly database: string
  /** RFC 3339 in UTC. */
  readonly created: string
}

export function diffDocument({ from, to, comparison, rows }: DiffReport): JsonBody {
  const sides = { from: { ...from }, to: { ...to } }
  // Rows are JSON already; only their type is written as an interface.
  return { ...sides, comparison: comparisonDocument(comparison), rows: rows as unknown as JsonField }
}
