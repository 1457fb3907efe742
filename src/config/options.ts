import type { Variable } from './variable.js'
import { readVariable } from './variable.js'

/**
 * The settings of one value that can be given in several ways. The first that is given wins: flag, environment variable,
 * configuration file, default.
 */
export const scalarOptions = {
  storage: {
    variable: 'HOLDFAST_STORAGE',
    flag: '--storage',
    meaning: 'the storage to use: a configured name, a folder, or a URL',
  },
  compress: {
    variable: 'HOLDFAST_COMPRESS',
    flag: '--compress',
    meaning: 'zstd[:level], gzip[:level] or none',
  },
  maxRate: {
    variable: 'HOLDFAST_MAX_RATE',
    flag: '--max-rate',
    meaning: 'the most bytes a second out of a database or into one',
  },
  memoryLimit: {
    variable: 'HOLDFAST_MEMORY_LIMIT',
    flag: '--memory-limit',
    meaning: 'the most memory that a backup or a dump is to take',
  },
  serverName: {
    variable: 'HOLDFAST_SERVER_NAME',
    flag: undefined,
    meaning: 'the name of this machine in manifests and file names',
  },
  filename: {
    variable: 'HOLDFAST_FILENAME',
    flag: undefined,
    meaning: 'the template of file names',
  },
  dateFormat: {
    variable: 'HOLDFAST_DATE_FORMAT',
    flag: undefined,
    meaning: 'the format of {datetime} in file names',
  },
  fingerprint: {
    variable: 'HOLDFAST_FINGERPRINT',
    flag: '--fingerprint',
    meaning: 'what manifests hold of every table: none, counts or content',
  },
  metricsFile: {
    variable: 'HOLDFAST_METRICS_FILE',
    flag: '--metrics-file',
    meaning: 'a text file of metrics for Prometheus',
  },
} as const satisfies Record<string, { variable: string; flag: string | undefined; meaning: string }>

export type ScalarOption = keyof typeof scalarOptions

/** Values that win over everything else, with where they came from. */
export type Overrides = { readonly [Option in ScalarOption]?: Variable } & {
  /** Several storages at once; the first is the one that is used where one is wanted. */
  readonly storages?: readonly Variable[]
}

/** The value of an option from a flag or from the environment; `undefined` leaves it to the configuration. */
export function givenOption(
  option: ScalarOption,
  overrides: Overrides,
  variables: Readonly<Record<string, string | undefined>>,
): Variable | undefined {
  return overrides[option] ?? readVariable(variables, scalarOptions[option].variable)
}
