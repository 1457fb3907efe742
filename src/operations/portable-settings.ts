import type { TableHeader } from '../engine/table-header.js'
import { HoldfastError } from '../errors.js'
import type { ModelFacts } from '../portable/model-facts.js'
import type { RowTransform } from '../portable/row-transform.js'
import type { SourceChanges } from './portable-requests.js'
import type { Workspace } from './workspace.js'

/**
 * What becomes of rows on their way out, by the configuration.
 * @throws usage.invalid where a subset is asked for and none is configured
 */
export async function transformsOf(
  { settings }: Workspace,
  { subset = false, mask }: SourceChanges,
): Promise<readonly RowTransform[]> {
  if (subset && settings.subset === undefined)
    throw new HoldfastError('usage.invalid', 'no subset is configured', {
      hint: 'say which rows under subset: { roots: { orders: "created_at > \'2026-01-01\'" } }',
    })
  const transforms: RowTransform[] = []
  // Rows are found by their own values: masks come after.
  if (subset && settings.subset !== undefined) {
    const { subsetTransform } = await import('../portable/subset/subset-transform.js')
    transforms.push(subsetTransform(settings.subset))
  }
  if (settings.mask !== undefined && mask !== false) {
    const { maskTransform } = await import('../portable/masks/mask-transform.js')
    transforms.push(maskTransform(settings.mask))
  }
  return transforms
}

/** What the application's models know; absent where none are configured. */
export async function modelsOf({ settings }: Workspace): Promise<ModelFacts | undefined> {
  if (settings.models.length === 0) return undefined
  const { readModels } = await import('../portable/models/model-source.js')
  return readModels(settings.models)
}

/** Named groups of tables: from the configuration and from the application's models. */
export async function groupsOf(
  { settings }: Workspace,
  models: ModelFacts | undefined,
  tables: readonly TableHeader[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const configured = settings.portable.groups ?? {}
  if (models === undefined) return configured
  const { modelGroups } = await import('../portable/models/model-groups.js')
  const groups: Record<string, string[]> = {}
  for (const [table, names] of modelGroups(models, tables))
    for (const name of names) (groups[name] ??= []).push(table)
  return { ...groups, ...configured }
}
