import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { mongodb } from '../engine.js'
import { ScratchDatabase } from '../test-database.js'
import { scratchContext, scratchTools } from '../test-connector.js'
import { fillSample, sample } from '../test-sample.js'
import { mongodump } from './mongodump.js'

const server = needsServer('mongodb')

server.describe('the contract of connectors, with mongodump', () => {
  const database = () => new ScratchDatabase(server.server())
  const checks = connectorContract({
    engine: mongodb,
    factory: mongodump,
    context: scratchContext,
    createDatabase: () => database().create(),
    missingDatabase: () => Promise.resolve(database()),
    settings: () => ({ tools: scratchTools(server.server()) }),
    fill: (filled) => fillSample(filled as ScratchDatabase),
    sample,
  })
  for (const { name, run } of checks) it(name, run)
})
