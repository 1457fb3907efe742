import type { DumpRequest } from '../../engine/connector.js'
import { selectTables } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import type { Inventory } from './inventory.js'
import { listNames, quoteName } from './quoting.js'
import type { ServerSession } from './session.js'

/** What to leave out, by exact names. */
export interface Selection {
  readonly excluded: readonly string[]
  readonly withoutRows: readonly string[]
  readonly warnings: readonly string[]
}

/** @throws usage.pattern-unmatched; usage.not-supported where the tools would leave out more */
export async function selectForDump(
  session: ServerSession,
  inventory: Inventory,
  request: DumpRequest,
): Promise<Selection> {
  const { tables, views, sequences } = inventory
  const relations = [...tables.map(({ name }) => name), ...views, ...sequences]
  const named = (name: string) => ({ name })
  const chosen = selectTables(request.exclude, relations.map(named), 'exclude', request.allowMissing)
  const excluded = new Set(chosen.map(({ name }) => name))
  const readers = await readersOf(session, excluded, views)
  for (const view of readers) excluded.add(view)
  const rows = selectTables(
    request.excludeData,
    tables.map(({ name }) => named(name)),
    'excludeData',
    request.allowMissing,
  )
  const withoutRows = rows.map(({ name }) => name).filter((name) => !excluded.has(name))
  assertDistinct('exclude', [...excluded], relations)
  assertDistinct('excludeData', withoutRows, relations)
  const orphans = await referrersTo(session, excluded)
  return {
    excluded: [...excluded],
    withoutRows,
    warnings: [
      ...(readers.length === 0
        ? []
        : [`left out, since they read tables that are left out: ${listNames(readers)}`]),
      ...(orphans.length === 0
        ? []
        : [`foreign keys of the dump refer to tables that are left out: ${listNames(orphans)}`]),
    ],
  }
}

/** Views that read a table or view that is left out, or such a view: a restore could not make them. */
async function readersOf(
  session: ServerSession,
  excluded: ReadonlySet<string>,
  views: readonly string[],
): Promise<readonly string[]> {
  if (excluded.size === 0 || views.length === 0) return []
  const { name } = session.settings
  const rows = await session.query<{ name: string; definition: string }>(
    `SELECT TABLE_NAME AS name, VIEW_DEFINITION AS definition FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`,
    [name],
  )
  const missing = new Set(excluded)
  const readers: string[] = []
  const reads = (definition: string) =>
    [...missing].some((each) => definition.includes(`${quoteName(name)}.${quoteName(each)}`))
  for (;;) {
    const found = rows.filter((row) => !missing.has(row.name) && reads(row.definition)).map((row) => row.name)
    if (found.length === 0) return readers
    for (const view of found) missing.add(view)
    readers.push(...found)
  }
}

async function referrersTo(
  session: ServerSession,
  excluded: ReadonlySet<string>,
): Promise<readonly string[]> {
  if (excluded.size === 0) return []
  const rows = await session.query<{ tab: string; referenced: string }>(
    `SELECT TABLE_NAME AS tab, REFERENCED_TABLE_NAME AS referenced FROM information_schema.REFERENTIAL_CONSTRAINTS
      WHERE CONSTRAINT_SCHEMA = ?`,
    [session.settings.name],
  )
  const orphans = rows.filter(({ tab, referenced }) => excluded.has(referenced) && !excluded.has(tab))
  return orphans.map(({ tab, referenced }) => `${tab} to ${referenced}`)
}

/** The tools compare these names without regard to case, and would leave out more than is asked. */
function assertDistinct(setting: string, chosen: readonly string[], all: readonly string[]): void {
  const wanted = new Set(chosen)
  const folded = new Set(chosen.map((name) => name.toLowerCase()))
  const bystanders = all.filter((name) => !wanted.has(name) && folded.has(name.toLowerCase()))
  if (bystanders.length === 0) return
  throw new HoldfastError(
    'usage.not-supported',
    `${setting} cannot tell ${listNames(bystanders)} from a table whose name differs in case alone`,
    { hint: 'leave out both or neither' },
  )
}
