import type { TableHeader } from '../../engine/table-header.js'
import { HoldfastError } from '../../errors.js'
import type { CollectionInfo } from './collections.js'
import { headerOf } from './rows-header.js'

/** Collections whose documents are rows. A view has none of its own; a time series cannot change places with another collection. */
export function readTables(collections: readonly CollectionInfo[]): readonly TableHeader[] {
  return collections.filter(({ type }) => type === 'collection').map(headerOf)
}

/** What a dump of rows leaves out, by name. */
export function leftOutWarnings(collections: readonly CollectionInfo[]): readonly string[] {
  const series = collections.filter(({ type }) => type === 'timeseries').map(({ name }) => name)
  return series.length === 0 ? [] : [`time series are not dumped: ${series.join(', ')}`]
}

/**
 * What is loaded is put into the place of a collection by `renameCollection`, which neither views nor time series know.
 * @throws refused.schema
 */
export function requireCollection(name: string, collections: readonly CollectionInfo[]): void {
  const there = collections.find((each) => each.name === name)
  if (there === undefined || there.type === 'collection') return
  throw new HoldfastError(
    'refused.schema',
    `${name} is a ${there.type === 'view' ? 'view' : 'time series'} at the target, which no rows are loaded into`,
    { hint: `say with portable.tables which collection takes them: { ${name}: { into: 'other' } }` },
  )
}
