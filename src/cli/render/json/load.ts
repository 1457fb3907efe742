import type { LoadedTable, LoadReport } from '../../../operations/portable-reports.js'

/** `holdfast load --json` and `holdfast copy --json`. With `--dry-run`, `loaded` is false and nothing was changed. */
export type LoadDocument = {
  readonly loaded: boolean
  /** Folder, file or database that the rows came from. */
  readonly source: string
  readonly target: string
  readonly place: string
  readonly databaseName: string
  readonly protected: boolean
  readonly mode: 'replace' | 'append' | 'skip' | 'update' | 'sync'
  readonly seconds: number
  readonly warnings: readonly string[]
  /** What the target cannot hold. */
  readonly losses: readonly string[]
  readonly unknownTables: readonly string[]
  readonly tables: readonly LoadedTableDocument[]
}

export type LoadedTableDocument = {
  readonly table: string
  readonly into: string
  readonly created: boolean
  readonly rows?: number
  readonly inserted?: number
  readonly updated?: number
  readonly skipped?: number
  readonly deleted?: number
  readonly matched: readonly string[]
  readonly renamed: readonly { readonly column: string; readonly from: string }[]
  readonly filled: readonly { readonly column: string; readonly by: string }[]
  readonly dropped: readonly { readonly column: string; readonly values?: number }[]
  readonly suggestions: readonly string[]
  readonly problems: readonly {
    readonly column: string
    readonly policy: 'error' | 'warn' | 'allow'
    readonly count: number
    readonly samples: readonly string[]
  }[]
}

export function loadDocument({ tables, ...report }: LoadReport): LoadDocument {
  return { ...report, tables: tables.map(tableDocument) }
}

function tableDocument({ renamed, filled, dropped, problems, ...table }: LoadedTable): LoadedTableDocument {
  return {
    ...table,
    renamed: renamed.map((each) => ({ ...each })),
    filled: filled.map((each) => ({ ...each })),
    dropped: dropped.map((each) => ({ ...each })),
    problems: problems.map((each) => ({ ...each })),
  }
}
