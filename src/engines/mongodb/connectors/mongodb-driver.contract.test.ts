import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { mongodb } from '../engine.js'
import { ScratchDatabase } from '../test-database.js'
import { scratchContext, scratchTools } from '../test-connector.js'
import { fillSample, sample } from '../test-sample.js'
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
