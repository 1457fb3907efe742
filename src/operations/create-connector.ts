import type { DatabaseSettings } from '../config/settings.js'
import type { Connector, ConnectorFactory, ConnectorSettings } from '../engine/connector.js'
import type { ConnectionSettings } from '../engine/engine.js'

/**
 * A connector for one database.
 * @param connection the database's own, or that of its backups
 */
export function createConnector(
  factory: ConnectorFactory,
  database: DatabaseSettings,
  connection: ConnectionSettings,
): Connector {
  return factory.create(connectorSettings(database, connection))
}

export function connectorSettings(
  { engine, tools, options, admin }: DatabaseSettings,
  connection: ConnectionSettings,
): ConnectorSettings {
  return {
    connection,
    engine,
    tools,
    options,
    ...(admin === undefined ? {} : { admin }),
  }
}
