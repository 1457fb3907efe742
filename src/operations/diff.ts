import type { DatabaseSettings } from '../config/settings.js'
import type { DatabaseFingerprint } from '../engine/fingerprinter.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { compareFingerprints, everything, fingerprintOf } from './fingerprint-comparison.js'
import { findBackup } from './find-backup.js'
import { findDump, type PortableDump } from './diff-dump.js'
import { differingRows, type RowSide } from './diff-rows.js'
import type { DiffReport, DiffSide, TableRows } from './diff-reports.js'
import type { Comparison, StoredBackup } from './reports.js'
import type { DiffRequest } from './requests.js'
import { oneDatabase } from './select-databases.js'
import { contextOf, type Workspace } from './workspace.js'

/** In place of a backup: the database as it is. */
export const live = 'live'

/** What is compared. */
interface Side {
  readonly shown: DiffSide
  readonly fingerprint: DatabaseFingerprint
  readonly rows: RowSide
  /** Where it is one. */
  readonly dump?: PortableDump
}

const defaultLimit = 20

/**
 * How two backups or portable dumps differ, or one and its database as it is: from the fingerprints alone, so that nothing is restored and, of
 * two backups, no database is asked; unless it is to say which rows.
 * @throws usage.backup-not-found, usage.backup-ambiguous, usage.not-supported where there is no fingerprint; integrity.*, database.*
 */
export async function diff(workspace: Workspace, request: DiffRequest): Promise<DiffReport> {
  const cx = contextOf(workspace, request.signal)
  const from = await namedSide(cx, workspace, request, request.from ?? 'latest')
  const { to: wanted = live } = request
  const to =
    wanted === live
      ? await liveSide(cx, workspace, request, from)
      : await namedSide(cx, workspace, request, wanted)
  const comparison = compareSides(from, to)
  const report = { from: from.shown, to: to.shown, comparison }
  const { rows = false, limit = defaultLimit, into } = request
  if (!rows) return report
  const sides = { from: from.rows, to: to.rows }
  const found = await differingRows(cx, workspace, sides, comparison, { limit, into })
  return { ...report, comparison: withRows(comparison, found), rows: found }
}

/** Row counts alone do not tell of a table in which rows have changed. */
function withRows(comparison: Comparison, rows: readonly TableRows[]): Comparison {
  const told = new Set(comparison.differences.map(({ object }) => object))
  const changed = rows
    .filter(({ table, unnamed }) => unnamed === undefined && !told.has(`table ${table}`))
    .map(({ table }) => ({ object: `table ${table}`, what: 'content' as const }))
  return { ...comparison, differences: [...comparison.differences, ...changed] }
}

function compareSides(from: Side, to: Side): Comparison {
  const dumps = [from.dump, to.dump].filter((dump) => dump !== undefined)
  const definitions = Object.keys(from.fingerprint.fingerprint.definitions).length > 0
  const comparison = compareFingerprints(from.fingerprint, to.fingerprint, {
    ...everything,
    definitions: dumps.length === 0,
    // A backup or dump that leaves something out by choice says nothing of what else there is.
    extra: from.dump === undefined ? definitions : to.dump !== undefined,
  })
  const unproven = [
    ...comparison.unproven,
    ...(dumps.length === 0 ? [] : ['definitions are not compared: a portable dump holds rows']),
    ...dumps.flatMap(({ stamps }) => stamps),
  ]
  return { ...comparison, unproven }
}

/** A backup, or a portable dump by its path. */
async function namedSide(
  cx: Context,
  workspace: Workspace,
  { database, storage }: DiffRequest,
  name: string,
): Promise<Side> {
  const dump = name === 'latest' ? undefined : await findDump(cx, workspace, name)
  if (dump !== undefined) {
    const { created, fingerprint } = dump
    return { shown: { name, database: dump.database, created }, fingerprint, rows: dump, dump }
  }
  const filter = {
    kind: 'database' as const,
    ...(database === undefined ? {} : { database }),
    ...(storage === undefined ? {} : { storage }),
  }
  const backup = await findBackup(workspace, name, filter, cx.signal)
  const { id, created, database: of } = backup.manifest
  const shown = { name: id, database: of.alias, created }
  return { shown, fingerprint: requireFingerprint(backup), rows: backup }
}

async function liveSide(
  cx: Context,
  workspace: Workspace,
  { database }: DiffRequest,
  from: Side,
): Promise<Side> {
  const { databases } = workspace.settings
  const target: DatabaseSettings = databases.get(from.shown.database) ?? oneDatabase(workspace, database)
  // Digests of a server's and of a dump are not the same.
  const level = from.dump === undefined ? from.fingerprint.fingerprint.level : 'counts'
  const fingerprinter = target.engine.fingerprint
  if (fingerprinter === undefined || level === 'none')
    throw new HoldfastError('usage.not-supported', `${target.engine.name} takes no fingerprints`)
  const fingerprint = await fingerprinter.take(cx, target.connection, { level })
  const shown = { name: live, database: target.alias, created: cx.env.clock.now().toISOString() }
  return { shown, fingerprint, rows: target }
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
