import type { DiffReport } from '../../../operations/reports.js'
import { comparisonDocument, type ComparisonDocument } from './comparison.js'

/** `holdfast diff --json`: `expected` is what `from` holds, `found` what `to` does. */
export type DiffDocument = {
  readonly from: SideDocument
  readonly to: SideDocument
  readonly comparison: ComparisonDocument
}

export type SideDocument = {
  /** The id of a backup, or `live`. */
  readonly name: string
  readonly database: string
  /** RFC 3339 in UTC. */
  readonly created: string
}

export function diffDocument({ from, to, comparison }: DiffReport): DiffDocument {
  return { from: { ...from }, to: { ...to }, comparison: comparisonDocument(comparison) }
}
