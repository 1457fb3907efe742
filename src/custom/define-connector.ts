import { Readable } from 'node:stream'
import type { ConnectorFactory } from '../engine/connector.js'
import { commandSettings, unused } from '../engine/unused-settings.js'
import { customConnector, type CustomWork } from './connector.js'
import type { ConnectorDefinition } from './definition.js'
import { namedError, ofUser } from './user-error.js'

/**
 * A connector of your own, done in code. It goes where the name of a connector goes: `databases.x.connector`, or `connectors`
 * under the name of its engine.
 *
 * @example
 * const lines = defineConnector({
 *   name: 'json-lines',
 *   engine: 'jsonl',
 *   extension: 'jsonl',
 *   replacesFile: true,
 *   dump: ({ connection }) => createReadStream(connection.name),
 *   restore: ({ connection }, dump) => pipeline(dump, createWriteStream(connection.name)),
 * })
 */
export function defineConnector(definition: ConnectorDefinition): ConnectorFactory {
  const { name } = definition
  const work: CustomWork = {
    tools: () => Promise.resolve([]),
    async *dump(cx, _settings, database) {
      const made = await ofUser(name, cx, async () => definition.dump(database, cx))
      const bytes = Readable.from(named(name, made), { objectMode: false })
      // A generator that waits for its source does not see that its reader is gone.
      if (made instanceof Readable) bytes.once('close', () => made.destroy())
      yield bytes
    },
    async restore(cx, _settings, database, dump) {
      await definition.restore(database, dump, cx)
      return []
    },
  }
  return customConnector(definition, work, unused(commandSettings, 'it is code, and not given them'))
}

/** The same bytes, with errors that say whose they are. A stream that is closed before its end is an error, too. */
async function* named(
  connector: string,
  bytes: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string> {
  try {
    yield* bytes
  } catch (error) {
    throw namedError(connector, error)
  }
}
