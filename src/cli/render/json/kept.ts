import type { KeptDatabase } from '../../../engine/swapper.js'
import type { KeptReport } from '../../../operations/reports.js'

/** `holdfast restore --undo --json` and `--discard-old --json`. With `--dry-run`, `done` is false and nothing was changed. */
export type KeptDocument = {
  readonly done: boolean
  readonly seconds: number
  readonly warnings: readonly string[]
  readonly plan: {
    readonly action: 'undo' | 'discard'
    /** The database's name in the configuration, and where it is. */
    readonly target: string
    readonly place: string
    readonly databaseName: string
    readonly protected: boolean
    /** The one that comes back, or those that are removed. */
    readonly databases: readonly KeptEntry[]
    /** With `undo`: what the database that was under the name is called then. */
    readonly keptAs?: string
    readonly losses: readonly string[]
  }
}

/** An old database that a restore by swap has put aside. */
export type KeptEntry = {
  readonly name: string
  /** RFC 3339 in UTC. */
  readonly since: string
  readonly sizeBytes?: number
}

export function keptDocument({ done, seconds, warnings, plan }: KeptReport): KeptDocument {
  const { action, target, place, databaseName, databases, keptAs, losses } = plan
  return {
    done,
    seconds,
    warnings,
    plan: {
      action,
      target,
      place,
      databaseName,
      protected: plan.protected,
      databases: databases.map(keptEntry),
      ...(keptAs === undefined ? {} : { keptAs }),
      losses,
    },
  }
}

export function keptEntry({ name, since, sizeBytes }: KeptDatabase): KeptEntry {
  return { name, since: since.toISOString(), ...(sizeBytes === undefined ? {} : { sizeBytes }) }
}
