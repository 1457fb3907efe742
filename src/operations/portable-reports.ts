import type { LoadMode } from '../engine/row-sink.js'

export interface DumpReport {
  readonly database: string
  /** The folder or file; absent for a stream. */
  readonly output?: string
  readonly tables: readonly DumpedTable[]
  readonly rows: number
  /** As written, after compression. */
  readonly bytes: number
  readonly seconds: number
  readonly warnings: readonly string[]
}

export interface DumpedTable {
  readonly table: string
  readonly rows: number
  readonly sum64: string
}

/** What a load does, or would do. */
export interface LoadReport {
  readonly loaded: boolean
  readonly source: string
  /** The target's name in the configuration, where it is, and its database's name. */
  readonly target: string
  readonly place: string
  readonly databaseName: string
  readonly protected: boolean
  readonly mode: LoadMode
  readonly tables: readonly LoadedTable[]
  /** Tables of the dump that the target does not have and that are left out. */
  readonly unknownTables: readonly string[]
  /** What the target cannot hold. */
  readonly losses: readonly string[]
  readonly seconds: number
  readonly warnings: readonly string[]
}

export interface LoadedTable {
  readonly table: string
  readonly into: string
  readonly created: boolean
  /** Absent before the rows were read. */
  readonly rows?: number
  readonly inserted?: number
  readonly updated?: number
  readonly skipped?: number
  readonly deleted?: number
  /** Columns of the same name in both. */
  readonly matched: readonly string[]
  readonly renamed: readonly { readonly column: string; readonly from: string }[]
  readonly filled: readonly { readonly column: string; readonly by: string }[]
  readonly dropped: readonly { readonly column: string; readonly values?: number }[]
  readonly suggestions: readonly string[]
  readonly problems: readonly LoadProblem[]
}

export interface LoadProblem {
  readonly column: string
  readonly policy: 'error' | 'warn' | 'allow'
  readonly count: number
  readonly samples: readonly string[]
}

export interface ResealReport {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly changed: boolean }[]
}
