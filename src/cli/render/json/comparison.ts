import type { Comparison } from '../../../operations/reports.js'

/** What of two states of a database is the same; part of several documents. */
export type ComparisonDocument = {
  /** `counts`: row counts alone. */
  readonly level: 'counts' | 'content'
  /** How many tables were compared. */
  readonly tables: number
  readonly differences: readonly {
    /** `table public.film` */
    readonly object: string
    readonly what: 'missing' | 'extra' | 'rows' | 'content' | 'definition' | 'counter' | 'encoding'
    readonly expected?: string
    readonly found?: string
  }[]
  /** What could not be compared, and why. */
  readonly unproven: readonly string[]
}

export function comparisonDocument({ level, tables, differences, unproven }: Comparison): ComparisonDocument {
  return { level, tables, differences: differences.map((each) => ({ ...each })), unproven }
}
