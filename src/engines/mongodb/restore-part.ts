import type { RestoreRequest } from '../../engine/connector.js'
import { tableMatcher } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import type { ArchivedCollection } from './archive.js'
import { definitionOf } from './indexes.js'
import type { ArchivedDatabase } from './restore-source.js'

/**
 * The collections and views that are asked for.
 * @throws usage.pattern-unmatched
 */
export function chosen(
  archived: ArchivedDatabase,
  { tables = [], dataOnly = false }: RestoreRequest,
): ArchivedDatabase {
  const matchers = tables.map((pattern) => ({ pattern, matches: tableMatcher(pattern) }))
  const unmatched = matchers.filter(({ matches }) => !archived.collections.some(matches))
  if (unmatched.length > 0) {
    const named = unmatched.map(({ pattern }) => pattern).join(', ')
    throw new HoldfastError('usage.pattern-unmatched', `the archive has no collection ${named}`)
  }
  const wanted = (collection: ArchivedCollection) =>
    (tables.length === 0 || matchers.some(({ matches }) => matches(collection))) &&
    !(dataOnly && collection.type === 'view')
  return { ...archived, collections: archived.collections.filter(wanted) }
}

/** What chosen views look at and is neither restored with them nor there: each a sentence. */
export async function missingBehindViews(
  { collections }: ArchivedDatabase,
  there: ReadonlySet<string>,
): Promise<readonly string[]> {
  const restored = new Set(collections.map(({ name }) => name))
  const views = collections.filter(({ type }) => type === 'view')
  const found = await Promise.all(
    views.map(async (view) => {
      const { options } = await definitionOf(view)
      const viewOn = options.get('viewOn')
      return typeof viewOn !== 'string' || restored.has(viewOn) || there.has(viewOn)
        ? []
        : [`the view ${view.name} looks at ${viewOn}, which is not restored with it and is not there`]
    }),
  )
  return found.flat()
}
