import { afterAll, describe, it } from 'vitest'
import type { ConnectorFactory } from '../../engine/connector.js'
import { connectorContract, type ConnectorFixture } from '../../testing/connector-contract.js'
import { sqliteEngine } from './engine.js'
import { fillSample, removeTestFolders, sampleTables, TestDatabase, testContext } from './test-database.js'

afterAll(removeTestFolders)

function fixture(factory: ConnectorFactory): ConnectorFixture {
  return {
    engine: sqliteEngine,
    factory,
    context: (signal) => testContext(signal),
    createDatabase: () => Promise.resolve(TestDatabase.empty()),
    missingDatabase: () => Promise.resolve(new TestDatabase()),
    fill: (database) => Promise.resolve(fillSample(new TestDatabase(database.connection.name))),
    sample: {
      ...sampleTables,
      changeRows: `UPDATE author SET name = 'Nobody' WHERE id = 2; DELETE FROM book WHERE id > 5990; INSERT INTO edge VALUES (1, 2)`,
      changeSchema: 'CREATE INDEX edge_v ON edge(v)',
    },
  }
}

for (const factory of Object.values(sqliteEngine.connectors)) {
  describe(factory.name, () => {
    for (const { name, run } of connectorContract(fixture(factory))) it(name, run)
  })
}
