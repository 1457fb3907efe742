import { comparisonDocument, type ComparisonDocument } from './comparison.js'
import type { RestorePlan, RestoreReport } from '../../../operations/reports.js'
import { keptEntry, type KeptEntry } from './kept.js'

/** `holdfast restore --json`. With `--dry-run`, `restored` is false and nothing was changed. */
export type RestoreDocument = {
  readonly restored: boolean
  /** What a swap has put aside: the old database's name, or the path of its file. */
  readonly kept?: string
  /** The id of the backup that was made before, so that a failed restore could be undone. */
  readonly safetyBackup?: string
  readonly seconds: number
  readonly warnings: readonly string[]
  /** With the fingerprint of the backup; absent where that has none. Differences are an error, whose `details` have them. */
  readonly comparison?: ComparisonDocument
  readonly plan: PlanDocument
}

export type PlanDocument = {
  /** The id of a backup, or the path of a file. */
  readonly source: string
  readonly storage?: string
  readonly filename: string
  readonly storedBytes?: number
  /** RFC 3339 in UTC: when the backup began; absent for a file that was made elsewhere, as is `server`. */
  readonly created?: string
  readonly server?: string
  /** The target's name in the configuration, and where it is. */
  readonly target: string
  readonly place: string
  readonly databaseName: string
  readonly engine: string
  readonly connector: string
  /** Whether the target is there now, and how much it holds. */
  readonly exists: boolean
  readonly targetObjects: number
  readonly targetBytes?: number
  readonly strategy: 'in-place' | 'swap'
  /** With `swap`: what the database that is there now will be called, and about how much room the second one takes. */
  readonly keptAs?: string
  readonly roomBytes?: number
  /** What earlier swaps have put aside, newest first. */
  readonly kept: readonly KeptEntry[]
  readonly clean: 'none' | 'objects' | 'database'
  /** The part of the backup that is restored, a phrase each; empty where it is all. */
  readonly only: readonly string[]
  /** A backup of the target is made first, and put back if the restore fails. */
  readonly safetyBackup: boolean
  readonly protected: boolean
  readonly losses: readonly string[]
  readonly tools: readonly {
    readonly name: string
    readonly version: string
    readonly path: string
    readonly reason?: string
  }[]
}

export function restoreDocument(report: RestoreReport): RestoreDocument {
  const { restored, kept, safetyBackup, seconds, warnings, comparison, plan } = report
  return {
    restored,
    ...(kept === undefined ? {} : { kept }),
    ...(safetyBackup === undefined ? {} : { safetyBackup }),
    seconds,
    warnings,
    ...(comparison === undefined ? {} : { comparison: comparisonDocument(comparison) }),
    plan: planDocument(plan),
  }
}

function planDocument(plan: RestorePlan): PlanDocument {
  const { source, storage, filename, storedBytes, manifest, target, place, databaseName, engine, connector } =
    plan
  const { exists, targetObjects, targetBytes, clean, only, protected: isProtected, losses, tools } = plan
  const { strategy, keptAs, roomBytes, kept } = plan
  return {
    source,
    ...(storage === undefined ? {} : { storage }),
    filename,
    ...(storedBytes === undefined ? {} : { storedBytes }),
    ...(manifest === undefined ? {} : { created: manifest.created, server: manifest.server }),
    target,
    place,
    databaseName,
    engine,
    connector,
    exists,
    targetObjects,
    ...(targetBytes === undefined ? {} : { targetBytes }),
    strategy,
    ...(keptAs === undefined ? {} : { keptAs }),
    ...(roomBytes === undefined ? {} : { roomBytes }),
    kept: kept.map(keptEntry),
    clean,
    only,
    safetyBackup: plan.safetyBackup,
    protected: isProtected,
    losses,
    tools: tools.map(({ name, version, path, reason }) => ({
      name,
      version,
      path,
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}
