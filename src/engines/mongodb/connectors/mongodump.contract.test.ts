import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { mongodb } from '../engine.js'
import { ScratchDatabase } from '../scratch.js'
import { scratchContext, scratchTools } from '../scratch-connector.js'
import { fillSample, sample } from '../scratch-sample.js'
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
