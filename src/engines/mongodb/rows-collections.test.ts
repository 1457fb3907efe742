import { expect, it } from 'vitest'
import type { CollectionInfo } from './collections.js'
import { leftOutWarnings, readTables, requireCollection } from './rows-collections.js'

/** As a server lists them, of which FerretDB has no time series and no views. */
const collections: readonly CollectionInfo[] = [
  { name: 'people', type: 'collection', options: '{}', uuid: '', indexes: [] },
  { name: 'adults', type: 'view', options: '{"viewOn":"people","pipeline":[]}', uuid: '', indexes: [] },
  { name: 'heat', type: 'timeseries', options: '{"timeseries":{"timeField":"at"}}', uuid: '', indexes: [] },
]

it('a time series is not dumped, which is said; a view has no documents of its own', () => {
  expect(readTables(collections).map(({ table }) => table.name)).toEqual(['people'])
  expect(leftOutWarnings(collections)).toEqual(['time series are not dumped: heat'])
  expect(leftOutWarnings(collections.slice(0, 2))).toEqual([])
})

it('nothing is loaded into the place of a view or a time series', () => {
  for (const name of ['people', 'new']) requireCollection(name, collections)
  for (const [name, what] of [
    ['adults', 'view'],
    ['heat', 'time series'],
  ] as const)
    expect(() => requireCollection(name, collections)).toThrow(
      expect.objectContaining({
        code: 'refused.schema',
        message: `${name} is a ${what} at the target, which no rows are loaded into`,
      }) as Error,
    )
})
