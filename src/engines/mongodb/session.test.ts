import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { mongodb } from './engine.js'
import { identityOf, olderSeries } from './identity.js'
import { ScratchDatabase } from './test-database.js'
import { scratchContext } from './test-connector.js'
import { fillSample, books } from './test-sample.js'

const server = needsServer('mongodb')

it('knows MongoDB, and FerretDB, which stands for it', () => {
  expect(identityOf({ version: '8.0.4' })).toEqual({
    ...{ product: 'MongoDB', version: '8.0.4', protocolVersion: '8.0.4' },
  })
  expect(identityOf({ version: '7.0.42', ferretdbVersion: 'v1.24.2' })).toEqual({
    ...{ product: 'FerretDB', version: '1.24.2', protocolVersion: '7.0.42' },
  })
  expect(identityOf({ version: '7.0.77', ferretdb: { version: 'v2.1.0' } })).toMatchObject({
    ...{ product: 'FerretDB', version: '2.1.0' },
  })
  expect(olderSeries('6.0.1', '7.0.0')).toBe(true)
  expect(olderSeries('10.0.1', '7.0.0')).toBe(false)
})

it('a server that does not answer is database.unreachable, and an abort ends the waiting', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  const settings = { engine: 'mongodb', name: 'x', host: '127.0.0.1', port, parameters: {} }
  const abort = new AbortController()
  const opening = mongodb.open(scratchContext(abort.signal), settings)
  abort.abort(new Error('enough'))
  await expect(opening).rejects.toThrow('enough')
  silent.close()
  await once(silent, 'close')
  const quick = { ...settings, parameters: { serverSelectionTimeoutMS: '300' } }
  await expect(mongodb.open(scratchContext(), quick)).rejects.toMatchObject({ code: 'database.unreachable' })
})

server.describe('facts', () => {
  let database: ScratchDatabase
  beforeEach(() => {
    database = new ScratchDatabase(server.server())
  })
  afterEach(() => database.drop())

  it('tells what there is', async () => {
    await fillSample(database)
    const session = await mongodb.open(scratchContext(), database.connection)
    try {
      const facts = await session.facts()
      expect(facts.product).toBe(database.isFerretdb ? 'FerretDB' : 'MongoDB')
      expect(facts.database).toBe(database.name)
      expect(facts.tables.find(({ name }) => name === 'book')).toMatchObject({
        name: 'book',
        estimatedRows: books,
        bytes: expect.any(Number) as number,
      })
      expect(facts.sizeBytes).toBeGreaterThan(0)
      // Indexes that somebody has made are objects, those on _id are not.
      expect(facts.objectCount).toBeGreaterThanOrEqual(facts.tables.length + 2)
      if (database.isFerretdb) expect(facts.objectCount).toBe(facts.tables.length + 2)
      expect(facts.warnings).toEqual([])
    } finally {
      await session.close()
    }
  })

  it('a database that is not there is not made by asking', async () => {
    for (const _ of [1, 2]) {
      await expect(mongodb.open(scratchContext(), database.connection)).rejects.toMatchObject({
        code: 'database.not-found',
      })
    }
  })

  it('gives names in one order, whatever the order they were made in', async () => {
    const names = ['b', 'a', 'C', 'ä', '10', '9']
    await database.on(async (each) => {
      for (const name of names) await each.createCollection(name)
    })
    const session = await mongodb.open(scratchContext(), database.connection)
    try {
      expect((await session.facts()).tables.map(({ name }) => name)).toEqual([...names].sort())
    } finally {
      await session.close()
    }
  })
})
