import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { contractFixture } from '../test-fixture.js'
import { parallelConnector } from './pg-parallel.js'

const postgresql = needsServer('postgresql')

/** With sizes of which the sample has several pieces. */
const inSmallPieces = parallelConnector({ tableBytes: 100_000, pieceBytes: 128 * 1024 })

postgresql.describe('pg-parallel keeps the promises of a connector', () => {
  if (postgresql.missing !== undefined) return
  for (const { name, run } of connectorContract(contractFixture(postgresql.server(), inSmallPieces)))
    it(name, run)
})
