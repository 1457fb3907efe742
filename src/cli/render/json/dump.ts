import type { DumpReport } from '../../../operations/portable-reports.js'

/** `holdfast dump --json`. */
export type DumpDocument = {
  readonly database: string
  /** The folder or file. */
  readonly output?: string
  readonly rows: number
  /** As written, after compression. */
  readonly bytes: number
  readonly seconds: number
  readonly warnings: readonly string[]
  /** In the order to load them. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly sum64: string }[]
}

export function dumpDocument({ tables, ...report }: DumpReport): DumpDocument {
  return { ...report, tables: tables.map(({ table, rows, sum64 }) => ({ table, rows, sum64 })) }
}
