import type { DumpRequest } from '../../engine/connector.js'
import { selectTables } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import { assertExists, listWarnings } from './catalog.js'
import { listCollections, type CollectionInfo } from './collections.js'
import type { MongoSession } from './session.js'

/** What of a database a dump takes. */
export interface DumpPlan {
  readonly collections: readonly CollectionInfo[]
  /** Names of collections and views that the user leaves out. */
  readonly excluded: readonly string[]
  readonly withoutRows: ReadonlySet<string>
  readonly warnings: readonly string[]
}

/** Before a connection is made. @throws usage.not-supported */
export function assertNoSchemas(schemas: readonly string[]): void {
  if (schemas.length > 0)
    throw new HoldfastError('usage.not-supported', 'databases of MongoDB hold no schemas')
}

/** @throws usage.pattern-unmatched, database.* */
export async function planDump(session: MongoSession, request: DumpRequest): Promise<DumpPlan> {
  await assertExists(session)
  const list = await listCollections(session)
  const select = (setting: 'exclude' | 'excludeData') =>
    new Set(
      selectTables(request[setting], list.collections, setting, request.allowMissing).map(({ name }) => name),
    )
  const excluded = select('exclude')
  return {
    collections: list.collections.filter(({ name }) => !excluded.has(name)),
    excluded: [...excluded],
    withoutRows: select('excludeData'),
    warnings: listWarnings(list),
  }
}
