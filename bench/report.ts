import type { Measured } from './measure.js'

/** A figure that is promised, and what was measured. */
export interface Target {
  readonly claim: string
  readonly value: number
  readonly limit: number
  /** `×`, `MB`, `ms`. */
  readonly unit: string
  /** Whether `value` may not be above or not be below `limit`. */
  readonly bound: 'at most' | 'at least'
}

export interface CaseReport {
  readonly name: string
  /** What was measured on: sizes, versions. */
  readonly facts: Readonly<Record<string, string | number>>
  readonly groups: readonly Group[]
  readonly targets: readonly Target[]
}

export interface Group {
  readonly title: string
  readonly results: ReadonlyMap<string, Measured>
}

const mebibyte = 1024 * 1024

export function meets({ value, limit, bound }: Target): boolean {
  return bound === 'at most' ? value <= limit : value >= limit
}

/** `PASS  holdfast against pg_dump -Fc: 5.10 × (at least 4.50 ×)`. */
export function targetLine(target: Target): string {
  const figure = (value: number) => `${value.toFixed(2)} ${target.unit}`
  return `${meets(target) ? 'PASS' : 'over'}  ${target.claim}: ${figure(target.value)} (${target.bound} ${figure(target.limit)})`
}

/** A table whose last column compares each wall time with that of the first row. */
export function table({ title, results }: Group): string {
  const first = [...results.values()][0]?.wallSeconds ?? 1
  const rows = [...results].map(([name, one]) => [
    name,
    one.wallSeconds.toFixed(2),
    one.bestSeconds.toFixed(2),
    one.cpuSeconds.toFixed(2),
    (one.peakBytes / mebibyte).toFixed(0),
    one.outputBytes === undefined ? '' : (one.outputBytes / 1e6).toFixed(1),
    (first / one.wallSeconds).toFixed(2),
  ])
  const lines = [[title, 'wall s', 'best s', 'cpu s', 'RSS MiB', 'size MB', 'speed ×'], ...rows]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n')
}

/** The report as JSON has it. */
export function plain(report: CaseReport): unknown {
  return {
    ...report,
    groups: report.groups.map(({ title, results }) => ({ title, results: Object.fromEntries(results) })),
    targets: report.targets.map((target) => ({ ...target, met: meets(target) })),
  }
}
