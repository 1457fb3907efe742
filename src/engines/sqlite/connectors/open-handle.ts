import { join } from 'node:path'
import type { Connector, ConnectorFactory, ConnectorSettings, DumpedRows } from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { read } from '../tools.js'
import { quoteText } from '../quoting.js'
import { replaceContent, type SqliteHandle } from './handle-content.js'
import { sqliteBackup } from './sqlite-backup.js'
import { sqliteDump } from './sqlite-dump.js'

const factories = { [sqliteBackup.name]: sqliteBackup, [sqliteDump.name]: sqliteDump }

/**
 * A connector for a SQLite database that this process has open: the only way to one in memory. Backups are those of
 * `sqlite-backup` or `sqlite-dump`, and restore anywhere. The database's content is copied with `VACUUM INTO` to a private
 * temporary file, and back as SQL in one transaction; both take the thread for as long as they last, and the handle must not be
 * in a transaction. For databases that fit in memory twice.
 *
 * @param handle of `node:sqlite`, `better-sqlite3`, `@photostructure/sqlite` and their like
 * @throws usage.invalid for another connector; from its methods database.query-failed for what the handle refuses
 * @example
 * databases: { cache: { engine: 'sqlite', name: 'cache', connector: sqliteHandle(database) } }
 */
export function sqliteHandle(
  handle: SqliteHandle,
  { connector = sqliteBackup.name }: { readonly connector?: string } = {},
): ConnectorFactory {
  const factory = factories[connector]
  if (factory === undefined) {
    throw new HoldfastError('usage.invalid', `${connector} does not work through an open handle`, {
      hint: `use ${Object.keys(factories).join(' or ')}`,
    })
  }
  // What it restores into is the handle's database, whatever a connection names.
  const { restoresBeside: _, ...ofFiles } = factory.capabilities
  const capabilities = {
    ...ofFiles,
    temporaryFile: 'a copy of the database: an open handle gives its content only as a file',
  }
  return {
    ...factory,
    capabilities,
    create: (settings) => new HandleConnector(handle, { ...factory, capabilities }, settings),
  }
}

class HandleConnector implements Connector {
  readonly name
  readonly engine
  readonly capabilities
  readonly #handle: SqliteHandle
  readonly #factory: ConnectorFactory
  readonly #settings: ConnectorSettings

  constructor(handle: SqliteHandle, factory: ConnectorFactory, settings: ConnectorSettings) {
    this.name = factory.name
    this.engine = factory.engine
    this.capabilities = factory.capabilities
    this.#handle = handle
    this.#factory = factory
    this.#settings = settings
  }

  inspect: Connector['inspect'] = async (cx) => {
    const copy = await this.#copy(cx)
    try {
      const facts = await copy.connector.inspect(cx)
      return { ...facts, server: { ...facts.server, database: this.#place } }
    } finally {
      await copy.remove()
    }
  }

  dump: Connector['dump'] = async (cx, request) => {
    const copy = await this.#copy(cx)
    try {
      const dump = await copy.connector.dump(cx, request)
      const parts = async function* () {
        try {
          yield* dump.parts
        } finally {
          // Its rows may still be read.
          if (rows().source === undefined) await copy.remove()
        }
      }
      const rows = (): DumpedRows => {
        const { source, ...apart } = dump.rows?.() ?? {}
        if (source === undefined) return apart
        return { ...apart, source: { ...source, close: () => source.close().then(() => copy.remove()) } }
      }
      return { parts: parts(), facts: () => dump.facts(), rows }
    } catch (error) {
      await copy.remove()
      throw error
    }
  }

  prepareRestore: Connector['prepareRestore'] = async (cx, source, request) => {
    const copy = await this.#copy(cx)
    try {
      const target = await copy.connector.prepareRestore(cx, source, request)
      const named = (sentence: string) => sentence.replaceAll(copy.path, this.#place)
      return { ...target, place: `sqlite:${this.#place}`, losses: target.losses.map(named) }
    } finally {
      await copy.remove()
    }
  }

  /** Restores into a copy, and gives the handle what has come of it. */
  restore: Connector['restore'] = async (cx, source, request) => {
    const copy = await this.#copy(cx)
    try {
      const facts = await copy.connector.restore(cx, source, request)
      const sql = read(cx, 'dump', { path: copy.path, exclude: [], excludeData: [] })
      const chunks: Buffer[] = []
      for await (const chunk of sql.bytes) chunks.push(chunk as Buffer)
      replaceContent(this.#handle, Buffer.concat(chunks))
      return facts
    } finally {
      await copy.remove()
    }
  }

  /** What stands for a path: the database's name in the configuration. */
  get #place(): string {
    return this.#settings.connection.name
  }

  /** The content as it is now, in a file, with the connector for that file. */
  async #copy(cx: Context): Promise<{ path: string; connector: Connector; remove(): Promise<void> }> {
    const folder = await cx.env.temporaryDirectory()
    const path = join(folder.path, 'handle.sqlite3')
    const connection = { ...this.#settings.connection, name: path }
    try {
      this.#handle.exec(`VACUUM INTO ${quoteText(path)}`)
    } catch (thrown) {
      await folder.remove()
      throw new HoldfastError('database.query-failed', `the open database gave no copy: ${String(thrown)}`, {
        cause: thrown,
        hint: 'the handle must be open, and in no transaction',
      })
    }
    return {
      path,
      connector: this.#factory.create({ ...this.#settings, connection }),
      remove: () => folder.remove(),
    }
  }
}
