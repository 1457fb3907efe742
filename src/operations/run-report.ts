import { dirname } from 'node:path/posix'
import type { Manifest } from '../catalog/manifest.js'
import type { HoldfastError } from '../errors.js'
import type { RunError, RunReport, RunResult, RunStart, RunStorage, RunSubject } from '../hooks/run-report.js'
import type { DumpReport, LoadReport } from './portable-reports.js'
import type { DrillReport } from './drill-results.js'
import type { FilesOutcome, FilesRestoreReport } from './files-reports.js'
import type { BackupResult, Outcome, PruneReport, RestoreReport, VerifyReport } from './reports.js'

/** What a run was to work on, for those that it did not come to. */
export interface Intended {
  readonly kind: RunSubject['kind']
  readonly names: readonly string[]
  readonly storagesOf: (name: string) => readonly string[]
}

/** What became of a run. @param error what ended it as a whole */
export function runReport(
  start: RunStart,
  finished: Date,
  subjects: readonly RunSubject[],
  error?: HoldfastError,
): RunReport {
  return {
    ...start,
    finished: finished.toISOString(),
    seconds: (finished.getTime() - Date.parse(start.started)) / 1000,
    result: resultOf(subjects, error),
    subjects,
    ...(error === undefined ? {} : { error: runError(error) }),
  }
}

function resultOf(subjects: readonly RunSubject[], error: HoldfastError | undefined): RunResult {
  const good = subjects.filter(({ result }) => result === 'success')
  if (error === undefined && good.length === subjects.length) return 'success'
  return subjects.some(({ result }) => result !== 'failure') ? 'partial' : 'failure'
}

function runError({ code, message, hint }: HoldfastError): RunError {
  return { code, message, hint }
}

/** @param outcomes what there was when the run ended, which may be before its end */
export function backupSubjects(
  outcomes: readonly (Outcome<BackupResult> | FilesOutcome)[],
  intended: Intended,
): readonly RunSubject[] {
  return withUntouched(
    outcomes.map((outcome) => backupSubject(outcome, intended)),
    intended,
  )
}

function nameOf(outcome: Outcome<BackupResult> | FilesOutcome): string {
  return 'set' in outcome ? outcome.set : outcome.database
}

function backupSubject(outcome: Outcome<BackupResult> | FilesOutcome, intended: Intended): RunSubject {
  const subject = { kind: intended.kind, name: nameOf(outcome) }
  const result = outcome.ok ? outcome.result : outcome.partial
  const error = outcome.ok ? {} : { error: runError(outcome.error) }
  if (result === undefined) {
    const storages = intended.storagesOf(subject.name).map((name) => ({ name, ok: false }))
    return { ...subject, result: 'failure', storages, warnings: [], ...error }
  }
  const { id, filename, plainBytes, storedBytes, seconds, warnings, pruned } = result
  const storages: readonly RunStorage[] = [
    ...result.copies.map(({ storage }) => ({ name: storage, ok: true })),
    ...result.failedStorages.map((failed) => ({
      name: failed.storage,
      ok: false,
      error: runError(failed.error),
    })),
  ]
  return {
    ...subject,
    result: outcome.ok ? 'success' : 'partial',
    storages,
    id,
    filename,
    plainBytes,
    storedBytes,
    ...rowsOf(result.copies[0]?.manifest),
    seconds,
    ...(pruned === undefined ? {} : { removed: pruned.length }),
    warnings,
    ...error,
  }
}

/** What the dump's own snapshot held. */
function rowsOf(manifest: Manifest | undefined): Pick<RunSubject, 'rows'> {
  const { level = 'none', tables = [] } = manifest?.fingerprint ?? {}
  if (level === 'none' || tables.some(({ rows }) => rows === undefined)) return {}
  return { rows: sum(tables.map(({ rows = 0 }) => rows)) }
}

export function restoreSubjects(
  report: RestoreReport | FilesRestoreReport | undefined,
  intended: Intended,
): readonly RunSubject[] {
  if (report === undefined) return untouched(intended)
  const { plan, seconds, warnings } = report
  return [
    {
      kind: intended.kind,
      name: 'target' in plan ? plan.target : (intended.names[0] ?? plan.place),
      result: 'success',
      storages: plan.storage === undefined ? [] : [{ name: plan.storage, ok: true }],
      ...(plan.manifest === undefined ? {} : { id: plan.manifest.id }),
      filename: plan.filename,
      ...(plan.storedBytes === undefined ? {} : { storedBytes: plan.storedBytes }),
      seconds,
      warnings,
    },
  ]
}

/** The one database of a dump or load. */
export function databaseSubjects(
  report: DumpReport | LoadReport | undefined,
  intended: Intended,
): readonly RunSubject[] {
  if (report === undefined) return untouched(intended)
  const { seconds, warnings } = report
  const name = 'target' in report ? report.target : report.database
  return [{ kind: intended.kind, name, result: 'success', storages: [], seconds, warnings }]
}

/**
 * A subject for each backup that was read: several of one database may be.
 * @param unfinished what it was to be, where the run ended before its end
 */
export function verifySubjects(
  results: VerifyReport['results'],
  unfinished: Intended | undefined,
): readonly RunSubject[] {
  const subjects = results.map((each): RunSubject => {
    if (!each.ok) {
      const { backup, storage, id, error } = each
      return {
        ...(backup === undefined ? { kind: 'database', name: dirname(id) } : subjectOf(backup.manifest)),
        result: 'failure',
        storages: [{ name: storage, ok: false }],
        id,
        warnings: [],
        error: runError(error),
      }
    }
    const { backup, parts, seconds } = each.result
    return {
      ...subjectOf(backup.manifest),
      result: 'success',
      storages: [{ name: backup.storage, ok: true }],
      id: each.id,
      plainBytes: sum(parts.map((part) => part.plainBytes)),
      storedBytes: sum(parts.map((part) => part.storedBytes)),
      seconds,
      warnings: [],
    }
  })
  return unfinished === undefined ? subjects : withUntouched(subjects, unfinished)
}

/**
 * A subject for each backup that was restored.
 * @param unfinished what it was to be, where the run ended before its end
 */
export function drillSubjects(
  results: DrillReport['results'],
  unfinished: Intended | undefined,
): readonly RunSubject[] {
  const subjects = results.map(({ id, storage, database, ok, error, proof }): RunSubject => ({
    kind: 'database',
    name: database ?? dirname(id),
    result: ok ? 'success' : 'failure',
    storages: [{ name: storage, ok }],
    id,
    ...(proof === undefined ? {} : { seconds: sum(Object.values(proof.seconds)) }),
    warnings: proof?.warnings ?? [],
    ...(error === undefined ? {} : { error: runError(error) }),
  }))
  return unfinished === undefined ? subjects : withUntouched(subjects, unfinished)
}

/** A subject for each database, with every storage that was looked at. */
export function pruneSubjects(report: PruneReport | undefined, intended: Intended): readonly RunSubject[] {
  if (report === undefined) return untouched(intended)
  const subjects = new Map(
    report.decisions.map(({ backup: { manifest } }) => [subjectKey(manifest), subjectOf(manifest)]),
  )
  return [...subjects].map(([key, subject]) => {
    const decisions = report.decisions.filter(({ backup }) => subjectKey(backup.manifest) === key)
    const storages = new Set(decisions.map(({ backup }) => backup.storage))
    return {
      ...subject,
      result: 'success',
      storages: [...storages].map((name) => ({ name, ok: true })),
      removed: decisions.filter(({ keep }) => !keep).length,
      warnings: [],
    }
  })
}

function subjectKey({ kind, database }: Manifest): string {
  return JSON.stringify([kind, database.alias])
}

function subjectOf({ kind, database }: Manifest): Pick<RunSubject, 'kind' | 'name'> {
  return { kind, name: database.alias }
}

/** Also what the run did not come to. */
function withUntouched(done: readonly RunSubject[], intended: Intended): readonly RunSubject[] {
  const names = new Set(done.map(({ name }) => name))
  return [...done, ...untouched(intended).filter(({ name }) => !names.has(name))]
}

/** What the run ended before. */
function untouched({ kind, names, storagesOf }: Intended): readonly RunSubject[] {
  return names.map((name) => ({
    kind,
    name,
    result: 'failure',
    storages: storagesOf(name).map((storage) => ({ name: storage, ok: false })),
    warnings: [],
  }))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
