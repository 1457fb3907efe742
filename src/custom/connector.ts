import type { Readable } from 'node:stream'
import type {
  CleanMode,
  Connector,
  ConnectorCapabilities,
  ConnectorFacts,
  ConnectorFactory,
  ConnectorSettings,
  Dump,
  DumpPart,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../engine/connector.js'
import { selectTables } from '../engine/selection.js'
import type { UnusedSettings } from '../engine/unused-settings.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { ConnectorDescription, CustomDatabase, DatabaseToDump, DatabaseToRestore } from './definition.js'
import { customEngine } from './engine.js'
import { customFormat } from './format.js'
import { lookAt, placeOf, requireSupported, type FoundDatabase } from './looks.js'
import { restoreChecked } from './restore.js'
import { ofUser } from './user-error.js'

/** How the two kinds of definitions do their work. */
export interface CustomWork {
  /** Facts of the tools that will run. @throws tool.missing, tool.failed */
  tools(cx: Context, settings: ConnectorSettings): Promise<ConnectorFacts['tools']>
  /** Gives the bytes; what it was warned of is told when they have ended. */
  dump(
    cx: Context,
    settings: ConnectorSettings,
    database: DatabaseToDump,
    warn: (message: string) => void,
  ): AsyncGenerator<Readable>
  restore(
    cx: Context,
    settings: ConnectorSettings,
    database: DatabaseToRestore,
    dump: Readable,
  ): Promise<readonly string[]>
}

/** The factory of a connector of the user's own. */
export function customConnector(
  description: ConnectorDescription,
  work: CustomWork,
  unused: UnusedSettings = {},
): ConnectorFactory {
  const { name, engine, extension } = description
  const capabilities = { ...capabilitiesOf(description), unused }
  const factory: ConnectorFactory = {
    name,
    engine,
    extension: extension.replace(/^\./u, ''),
    capabilities,
    format: customFormat(description),
    ownEngine: customEngine(description, () => factory),
    create: (settings) => new CustomConnector(description, capabilities, factory, work, settings),
  }
  return factory
}

const everyMode: readonly CleanMode[] = ['none', 'objects', 'database']

function capabilitiesOf(description: ConnectorDescription): ConnectorCapabilities {
  const { exclude = false, excludeData = false, schemas = false, replacesFile = false } = description
  const cannotCreate = description.server === true && description.createDatabase === undefined
  return {
    exclude,
    excludeData,
    schemas,
    transactionalRestore: replacesFile || (description.transactional ?? false),
    clean: description.clean ?? (replacesFile ? everyMode : ['none']),
    ...(cannotCreate ? { create: false as const } : {}),
  }
}

class CustomConnector implements Connector {
  readonly name: string
  readonly engine: string
  readonly capabilities: ConnectorCapabilities
  readonly #description: ConnectorDescription
  readonly #factory: ConnectorFactory
  readonly #work: CustomWork
  readonly #settings: ConnectorSettings

  constructor(
    description: ConnectorDescription,
    capabilities: ConnectorCapabilities,
    factory: ConnectorFactory,
    work: CustomWork,
    settings: ConnectorSettings,
  ) {
    this.name = description.name
    this.engine = description.engine
    this.capabilities = capabilities
    this.#description = description
    this.#factory = factory
    this.#work = work
    this.#settings = settings
  }

  async inspect(cx: Context): Promise<ConnectorFacts> {
    const { tools = [], ...server } = await this.#present(cx)
    return { server, tools: [...tools, ...(await this.#work.tools(cx, this.#settings))] }
  }

  async dump(cx: Context, request: DumpRequest): Promise<Dump> {
    requireSupported(this.name, this.capabilities, request)
    const { tables } = await this.#present(cx)
    const names = (setting: 'exclude' | 'excludeData') =>
      selectTables(request[setting], tables, setting, request.allowMissing).map((table) => table.name)
    const database: DatabaseToDump = {
      ...this.#database(),
      exclude: names('exclude'),
      excludeData: names('excludeData'),
      schemas: request.schemas,
    }
    const warnings: string[] = []
    return {
      parts: this.#parts(cx, database, (message) => warnings.push(message)),
      facts: () => Promise.resolve({ warnings }),
    }
  }

  async *#parts(
    cx: Context,
    database: DatabaseToDump,
    warn: (message: string) => void,
  ): AsyncGenerator<DumpPart> {
    cx.signal.throwIfAborted()
    for await (const bytes of this.#work.dump(cx, this.#settings, database, warn)) {
      // Whatever the user's stream makes of an abort, its reason is what is thrown.
      const abort = () => bytes.destroy(cx.signal.reason as Error)
      cx.signal.addEventListener('abort', abort, { once: true })
      bytes.on('error', () => undefined)
      try {
        yield { name: 'dump', role: 'dump', bytes }
      } finally {
        cx.signal.removeEventListener('abort', abort)
        bytes.destroy()
      }
    }
  }

  async prepareRestore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreTarget> {
    const found = await this.#target(cx, source, request)
    const place = placeOf(this.#settings.connection)
    if (found === undefined) return { place, exists: false, tools: [], losses: [], warnings: [] }
    const { tools = [], ...server } = found
    const kept = this.capabilities.transactionalRestore
      ? []
      : [`a restore that fails midway cannot be undone by the connector ${this.name}`]
    return {
      place,
      exists: true,
      server,
      tools: [...tools, ...(await this.#work.tools(cx, this.#settings))],
      losses: server.objectCount === 0 ? [] : [`what is in ${place} is replaced`],
      warnings: kept,
    }
  }

  async restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts> {
    const found = await this.#target(cx, source, request)
    const database: DatabaseToRestore = {
      ...this.#database(),
      clean: request.clean,
      schemas: request.schemas,
    }
    if (found === undefined)
      await ofUser(this.name, cx, async () => this.#description.createDatabase?.(database, cx))
    const warnings = await restoreChecked(cx, {
      connector: this.#factory,
      replacesFile: this.#description.replacesFile ?? false,
      source,
      database,
      work: (target, bytes) => this.#work.restore(cx, this.#settings, target, bytes),
    })
    return { warnings }
  }

  /** The target, where everything is as the request has it; `undefined` for one that is to be made. */
  async #target(
    cx: Context,
    { parts }: RestoreSource,
    request: RestoreRequest,
  ): Promise<FoundDatabase | undefined> {
    requireSupported(this.name, this.capabilities, request)
    if (parts.length !== 1) {
      throw new HoldfastError(
        'integrity.format',
        `a backup of ${this.name} has one part, and this one ${parts.length}`,
      )
    }
    const found = await this.#look(cx)
    const place = placeOf(this.#settings.connection)
    if (found === undefined) {
      if (!request.create) throw new HoldfastError('database.not-found', `${place} does not exist`)
      const server = this.#settings.engine?.capabilities.server ?? this.#description.server ?? false
      if (!server || this.#description.createDatabase !== undefined) return undefined
      throw new HoldfastError('usage.not-supported', `the connector ${this.name} cannot make a database`, {
        hint: 'make it by hand, or give the connector createDatabase',
      })
    }
    if (found.objectCount > 0 && (request.create || request.clean === 'none'))
      throw new HoldfastError('refused.not-empty', `${place} is not empty`)
    return found
  }

  async #present(cx: Context): Promise<FoundDatabase> {
    const found = await this.#look(cx)
    if (found !== undefined) return found
    throw new HoldfastError('database.not-found', `${placeOf(this.#settings.connection)} does not exist`)
  }

  #look(cx: Context): Promise<FoundDatabase | undefined> {
    const own = this.#factory.ownEngine
    return lookAt(cx, this.#description, this.#settings.engine ?? own, this.#database())
  }

  #database(): CustomDatabase {
    const { connection, admin, options } = this.#settings
    return { connection, options, ...(admin === undefined ? {} : { admin }) }
  }
}
