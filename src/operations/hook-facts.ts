import type { ConnectionSettings } from '../engine/engine.js'
import type { HookDatabase } from '../hooks/events.js'

/** What handlers are told of a database: never its password. */
export function describeForHooks(alias: string, connection: ConnectionSettings): HookDatabase {
  const { name, engine, host, port, user } = connection
  return {
    alias,
    name,
    engine,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
  }
}
