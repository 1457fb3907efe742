import type { ResealReport } from '../../../operations/portable-reports.js'

/** `holdfast reseal --json`. */
export type ResealDocument = {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly changed: boolean }[]
}

export function resealDocument({ files }: ResealReport): ResealDocument {
  return { files: files.map(({ path, rows, changed }) => ({ path, rows, changed })) }
}
