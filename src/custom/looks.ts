import type { ConnectorCapabilities, DumpRequest, RestoreRequest } from '../engine/connector.js'
import type { ConnectionSettings, Engine, ServerFacts } from '../engine/engine.js'
import type { ToolFacts } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { ConnectorDescription, CustomDatabase } from './definition.js'
import { ofUser } from './user-error.js'

export type FoundDatabase = ServerFacts & { readonly tools?: readonly ToolFacts[] }

/** What there is, by the definition's own `inspect` or as the engine tells it; `undefined` where there is no database. */
export async function lookAt(
  cx: Context,
  description: ConnectorDescription,
  engine: Engine | undefined,
  database: CustomDatabase,
): Promise<FoundDatabase | undefined> {
  cx.signal.throwIfAborted()
  const { connection } = database
  if (description.inspect !== undefined) {
    const found = await ofUser(description.name, cx, async () => description.inspect?.(database, cx))
    return found === undefined ? undefined : { ...nothingKnown(connection), ...found }
  }
  if (engine === undefined) throw new TypeError('a connector without inspect is told its engine')
  try {
    const session = await engine.open(cx, connection)
    return await session.facts().finally(() => session.close())
  } catch (thrown) {
    if (asHoldfastError(thrown).code === 'database.not-found') return undefined
    throw thrown
  }
}

function nothingKnown({ engine, name }: ConnectionSettings): Omit<ServerFacts, 'objectCount'> {
  return {
    product: engine,
    version: 'unknown',
    database: name,
    tables: [],
    migrations: [],
    schemaHash: 'unknown',
    warnings: [],
  }
}

/** The database for people: never with a user or password. */
export function placeOf({ engine, host, port, socket, name }: ConnectionSettings): string {
  const server = socket ?? (host === undefined ? '' : `//${host}${port === undefined ? '' : `:${port}`}/`)
  // A name may hold anything, also what would play tricks on a terminal.
  return `${engine}:${server}${name}`.replace(/\p{Cc}/gu, '?')
}

/** @throws usage.not-supported for a setting that the connector does not heed, before anything starts */
export function requireSupported(
  connector: string,
  capabilities: ConnectorCapabilities,
  request: Partial<DumpRequest & RestoreRequest>,
): void {
  for (const setting of ['exclude', 'excludeData', 'schemas'] as const) {
    if ((request[setting] ?? []).length === 0 || capabilities[setting]) continue
    throw new HoldfastError('usage.not-supported', `the connector ${connector} cannot do ${setting}`)
  }
  if ((request.tables ?? []).length > 0 || request.schemaOnly === true || request.dataOnly === true) {
    throw new HoldfastError('usage.not-supported', `the connector ${connector} restores a dump as a whole`)
  }
  if (request.clean === undefined || capabilities.clean.includes(request.clean)) return
  throw new HoldfastError(
    'usage.not-supported',
    `the connector ${connector} cannot do clean ${request.clean}; it can ${capabilities.clean.join(', ')}`,
  )
}
