import type { DatabaseFingerprint } from '../engine/fingerprinter.js'
import { HoldfastError } from '../errors.js'
import { compareFingerprints, everything, fingerprintOf } from './fingerprint-comparison.js'
import { findBackup } from './find-backup.js'
import { differingRows, type RowSide } from './diff-rows.js'
import type { Comparison, DiffReport, DiffSide, StoredBackup } from './reports.js'
import type { DiffRequest } from './requests.js'
import { oneDatabase } from './select-databases.js'
import { contextOf, type Workspace } from './workspace.js'

/** In place of a backup: the database as it is. */
export const live = 'live'

/**
 * How two backups differ, or a backup and its database as it is: from the fingerprints alone, so that nothing is restored and, of
 * two backups, no database is asked; unless it is to say which rows.
 * @throws usage.backup-not-found, usage.backup-ambiguous, usage.not-supported where there is no fingerprint; database.*
 */
export async function diff(workspace: Workspace, request: DiffRequest): Promise<DiffReport> {
  const { signal = new AbortController().signal, database, storage } = request
  const filter = {
    kind: 'database' as const,
    ...(database === undefined ? {} : { database }),
    ...(storage === undefined ? {} : { storage }),
  }
  const first = await findBackup(workspace, request.from ?? 'latest', filter, signal)
  const expected = requireFingerprint(first)
  const { to = live } = request
  if (to === live) return diffLive(workspace, request, first, expected)
  const second = await findBackup(workspace, to, filter, signal)
  const comparison = compareFingerprints(expected, requireFingerprint(second), scopeOf(expected))
  const rows = await rowsWanted(workspace, request, first, second, comparison)
  return { from: sideOf(first), to: sideOf(second), comparison, ...rows }
}

const defaultLimit = 20

async function rowsWanted(
  workspace: Workspace,
  { rows = false, limit = defaultLimit, into, signal }: DiffRequest,
  from: RowSide,
  to: RowSide,
  comparison: Comparison,
): Promise<Pick<DiffReport, 'rows'>> {
  if (!rows) return {}
  const cx = contextOf(workspace, signal)
  return { rows: await differingRows(cx, workspace, { from, to }, comparison, { limit, into }) }
}

async function diffLive(
  workspace: Workspace,
  request: DiffRequest,
  first: StoredBackup,
  expected: DatabaseFingerprint,
): Promise<DiffReport> {
  const { signal, database } = request
  const cx = contextOf(workspace, signal)
  const { alias } = first.manifest.database
  const { databases } = workspace.settings
  const target = databases.get(alias) ?? oneDatabase(workspace, database)
  const { level } = expected.fingerprint
  const fingerprinter = target.engine.fingerprint
  if (fingerprinter === undefined || level === 'none')
    throw new HoldfastError('usage.not-supported', `${target.engine.name} takes no fingerprints`)
  const found = await fingerprinter.take(cx, target.connection, { level })
  const to = { name: live, database: target.alias, created: cx.env.clock.now().toISOString() }
  const comparison = compareFingerprints(expected, found, scopeOf(expected))
  const rows = await rowsWanted(workspace, request, first, target, comparison)
  return { from: sideOf(first), to, comparison, ...rows }
}

/** A backup that leaves something out has no definitions and no counters, and what else there is says nothing. */
function scopeOf({ fingerprint }: DatabaseFingerprint) {
  return { ...everything, extra: Object.keys(fingerprint.definitions).length > 0 }
}

function sideOf({ manifest }: StoredBackup): DiffSide {
  return { name: manifest.id, database: manifest.database.alias, created: manifest.created }
}

/** @throws usage.not-supported */
function requireFingerprint({ manifest }: StoredBackup): DatabaseFingerprint {
  const found = fingerprintOf(manifest)
  if (found !== undefined && found.fingerprint.level !== 'none') return found
  const why = found?.fingerprint.unproven
  throw new HoldfastError(
    'usage.not-supported',
    `backup ${manifest.id} has no fingerprint${why === undefined ? '' : `: ${why}`}`,
    { hint: 'set fingerprint to counts or content for the backups to come' },
  )
}
