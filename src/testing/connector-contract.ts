import type { ContractCheck } from './contract.js'
import { dumpChecks } from './connector-dump-checks.js'
import { restoreChecks } from './connector-restore-checks.js'
import type { ConnectorFixture } from './connector-fixture.js'
import { ConnectorWorkbench, sampleDumper } from './connector-workbench.js'

export type { ConnectorFixture, ConnectorSample, ContractDatabase, PartBytes } from './connector-fixture.js'
export { dumpRequest, readDump, restoreRequest, restoreSource } from './connector-workbench.js'

/** A check as it is written: with a workbench that drops its databases when the check has ended. */
export type ConnectorCheck = readonly [name: string, check: (bench: ConnectorWorkbench) => Promise<void>]

/**
 * What every connector promises, built in or a user's own. Checks are independent of each other; each makes its own
 * databases and drops them. They share one dump of the sample, which the first that needs it makes.
 *
 * @example
 * describe('sqlite-backup', () => {
 *   for (const { name, run } of connectorContract(fixture)) it(name, run)
 * })
 */
export function connectorContract(fixture: ConnectorFixture): ContractCheck[] {
  const sampleDump = sampleDumper(fixture)
  return [...dumpChecks(fixture), ...restoreChecks(fixture)].map(([name, check]) => ({
    name,
    async run() {
      const bench = new ConnectorWorkbench(fixture, sampleDump)
      try {
        await check(bench)
        await bench.leftNothing()
      } finally {
        await bench.dropDatabases()
      }
    },
  }))
}
