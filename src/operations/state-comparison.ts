import type { Manifest } from '../catalog/manifest.js'
import type { MigrationState } from '../engine/migrations.js'

/**
 * How the code and the migrations here differ from those of a backup, a sentence each.
 * @param migrations of the target as it is; `undefined` where it does not exist yet
 */
export function compareStates(
  manifest: Manifest,
  revision: Manifest['revision'],
  migrations: readonly MigrationState[] | undefined,
): readonly string[] {
  const differences: string[] = []
  if (
    manifest.revision !== undefined &&
    revision !== undefined &&
    manifest.revision.commit !== revision.commit
  ) {
    const [there, here] = [manifest.revision.commit, revision.commit].map((commit) => commit.slice(0, 12))
    differences.push(`the backup was made with revision ${there}; this working copy is at ${here}`)
  }
  if (migrations === undefined) return differences
  for (const { tool, table, applied } of manifest.migrations) {
    const target = migrations.find((state) => state.table === table)
    // An empty or new target has no migrations to disagree with.
    if (target === undefined) continue
    const missing = target.applied.filter((name) => !applied.includes(name))
    const extra = applied.filter((name) => !target.applied.includes(name))
    if (missing.length > 0)
      differences.push(`the backup lacks ${count(missing)} of ${tool} that the target has: ${some(missing)}`)
    if (extra.length > 0)
      differences.push(`the backup has ${count(extra)} of ${tool} that the target lacks: ${some(extra)}`)
  }
  return differences
}

function count(names: readonly string[]): string {
  return names.length === 1 ? 'a migration' : `${names.length} migrations`
}

function some(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} …`
}
