import type { InitReport } from '../../../config/init.js'

/** `holdfast init --json`. */
export type InitDocument = {
  /** The file that was written. */
  readonly file: string
  /** The `.env` file that it loads. */
  readonly envFile?: string
  readonly findings: readonly {
    readonly alias: string
    readonly engine: string
    readonly sources: readonly string[]
    /** The variable that holds the URL, or the path of a file database. */
    readonly variable?: string
    readonly path?: string
    /** Written as a comment only. */
    readonly doubtful: boolean
  }[]
  /** What to do beside it. */
  readonly advice: readonly string[]
}

export function initDocument({ file, envFile, findings, advice }: InitReport): InitDocument {
  return {
    file,
    ...(envFile === undefined ? {} : { envFile }),
    findings: findings.map(({ alias, engine, sources, variable, path, doubtful }) => ({
      alias,
      engine,
      sources,
      ...(variable === undefined ? {} : { variable }),
      ...(path === undefined ? {} : { path }),
      doubtful,
    })),
    advice,
  }
}
