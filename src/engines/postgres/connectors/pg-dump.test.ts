import { expect, it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { contractFixture } from '../test-fixture.js'
import { pgDump } from './pg-dump.js'

const postgresql = needsServer('postgresql')

/** A plain dump restores as a whole: the one promise it does not make, and refuses, is below. */
const notOfPlainSql = 'schemas restores only the schemas named'

postgresql.describe('pg-dump keeps the promises of a connector', () => {
  if (postgresql.missing !== undefined) return
  const checks = connectorContract(contractFixture(postgresql.server(), pgDump))
  for (const { name, run } of checks) if (name !== notOfPlainSql) it(name, run)

  it('refuses to restore some schemas of a plain dump', () => {
    expect(checks.map(({ name }) => name)).toContain(notOfPlainSql)
  })
})
