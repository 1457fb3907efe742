import type { DatabaseSettings } from '../config/settings.js'
import type { MigrationState } from '../engine/migrations.js'
import { tableText, type TableHeader } from '../engine/table-header.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { TablePlan } from '../portable/evolution.js'
import type { TableSource } from '../portable/table-source.js'
import { migrationsOf } from './applied-migrations.js'
import type { LoadRequest } from './portable-requests.js'
import { notice, type Workspace } from './workspace.js'

/** Columns that may not be null, and that nothing fills. @throws refused.schema */
export function requireFilled(plans: readonly TablePlan[]): void {
  const unfilled = plans.flatMap(({ target, unfilled: columns }) =>
    columns.map((name) => `${tableText(target.table)}.${name}`),
  )
  if (unfilled.length === 0) return
  throw new HoldfastError('refused.schema', `nothing fills ${unfilled.join(', ')}, which may not be null`, {
    hint: 'give a rule in the header ("default") or in the configuration, or a default in the database',
  })
}

/**
 * A table that is emptied takes the rows of others with it, or leaves them without what they refer to.
 * @throws refused.referenced
 */
export function requireReferencesInside(plans: readonly TablePlan[], there: readonly TableHeader[]): void {
  const chosen = new Set(plans.map(({ target }) => tableText(target.table)))
  for (const { table, foreignKeys } of there) {
    if (chosen.has(tableText(table))) continue
    const key = foreignKeys.find(({ references }) => chosen.has(tableText(references)))
    if (key === undefined) continue
    throw new HoldfastError(
      'refused.referenced',
      `${tableText(table)} refers to ${tableText(key.references)}, which would be emptied, and is not loaded itself`,
      { hint: `load ${tableText(table)} as well, or keep the rows with --mode update or --remain` },
    )
  }
}

/**
 * Compares what migration tools have applied: equal or ahead is well; behind or another line is refused.
 * @throws refused.migrations
 */
export async function compareMigrations(
  cx: Context,
  workspace: Workspace,
  { manifest }: TableSource,
  target: DatabaseSettings,
  { force = false, create = false }: Pick<LoadRequest, 'force' | 'create'>,
): Promise<void> {
  if (manifest === undefined || manifest.migrations.length === 0) return
  const migrations = await migrationsOf(cx, target).catch((error: unknown) => {
    if (create && isMissing(error)) return []
    throw error
  })
  for (const dumped of manifest.migrations) {
    const now = migrations.find(({ tool }) => tool === dumped.tool)
    // A database that the tool has never touched is made by --create, or by hand.
    if (now === undefined) continue
    const said = difference(dumped, now)
    if (said === undefined) continue
    if (!force) throw new HoldfastError('refused.migrations', `${target.alias}: ${said}`)
    notice(workspace, 'warning', `${target.alias}: ${said}`)
  }
}

/** A database that is not there yet may be one that `--create` makes. */
export function isMissing(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'database.not-found'
}

function difference(dumped: MigrationState, now: MigrationState): string | undefined {
  const [ours, theirs] = [new Set(now.applied), new Set(dumped.applied)]
  const missing = dumped.applied.filter((name) => !ours.has(name))
  if (missing.length === 0) return undefined
  const more = now.applied.some((name) => !theirs.has(name))
  return more
    ? `its migrations (${dumped.tool}) are others than those of the dump: it lacks ${missing.join(', ')}`
    : `it is behind the dump: it lacks the migrations (${dumped.tool}) ${missing.join(', ')}`
}
