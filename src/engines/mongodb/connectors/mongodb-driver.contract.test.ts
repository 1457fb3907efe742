import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { mongodb } from '../engine.js'
import { ScratchDatabase } from '../scratch.js'
import { scratchContext, scratchTools } from '../scratch-connector.js'
import { fillSample, sample } from '../scratch-sample.js'
import { mongodbDriver } from './mongodb-driver.js'

const server = needsServer('mongodb')

server.describe('the contract of connectors, with the driver alone', () => {
  const database = () => new ScratchDatabase(server.server())
  const checks = connectorContract({
    engine: mongodb,
    factory: mongodbDriver,
    context: scratchContext,
    createDatabase: () => database().create(),
    missingDatabase: () => Promise.resolve(database()),
    settings: () => ({ tools: scratchTools(server.server()) }),
    fill: (filled) => fillSample(filled as ScratchDatabase),
    sample,
  })
  for (const { name, run } of checks) it(name, run)
})
