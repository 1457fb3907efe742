import { it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { mariadb } from '../engine.js'
import { ScratchDatabase } from '../test-database.js'
import { scratchContext } from '../test-connector.js'
import { contractSample, oddTable } from '../torture.js'
import { mysqlParallel } from './mysql-parallel.js'
import { mysqldump } from './mysqldump.js'

const server = needsServer('mariadb')

/** The second with sizes of which the sample has several pieces. */
for (const factory of [mysqldump('mariadb'), mysqlParallel('mariadb', { pieceBytes: 20_000 })]) {
  server.describe(`the contract of connectors, with ${factory.name} and MariaDB`, () => {
    const database = () => new ScratchDatabase(server.server(), 'mariadb')
    const checks = connectorContract({
      engine: mariadb,
      factory,
      context: scratchContext,
      createDatabase: () => database().create(),
      missingDatabase: () => Promise.resolve(database()),
      fill: (filled) => (filled as ScratchDatabase).run(contractSample),
      sample: {
        lone: 'lonely',
        odd: oddTable,
        changeRows: `INSERT INTO author (name) VALUES ('new'); DELETE FROM lonely WHERE id > 200`,
        changeSchema: `ALTER TABLE lonely ADD COLUMN extra INT`,
      },
    })
    for (const { name, run } of checks) it(name, run)
  })
}
