import type { Measured } from '../measure.js'
import type { CaseReport, Target } from '../report.js'

/** One thing that is measured: `bench/run.mjs NAME`. */
export interface Case {
  readonly name: string
  run(bench: Bench): Promise<CaseReport>
}

export interface Bench {
  /** Bytes of rows in the database. */
  readonly bytes: number
  /** A folder of this case's own, removed afterwards. */
  readonly folder: string
  readonly report: (line: string) => void
}

export const mebibyte = 1024 * 1024

/** Resident memory of the Node process, whatever the size of the database. */
export function memoryTarget(what: string, measured: Measured): Target {
  return {
    claim: `memory of holdfast, ${what}`,
    value: measured.peakBytes / mebibyte,
    limit: 200,
    unit: 'MiB',
    bound: 'at most',
  }
}

/** How many times as long as a peer holdfast may take. */
export function timesTarget(claim: string, ours: Measured, peer: Measured, limit: number): Target {
  return { claim, value: ours.wallSeconds / peer.wallSeconds, limit, unit: '×', bound: 'at most' }
}
