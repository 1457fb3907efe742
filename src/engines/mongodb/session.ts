import type { Db, MongoClient } from 'mongodb'
import type { ConnectionSettings, ServerFacts, Session } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { serverFacts } from './catalog.js'
import { connectionString } from './connection.js'
import { databaseError } from './database-error.js'
import { identityOf, type ServerIdentity } from './identity.js'

const connectTimeoutMs = 15_000

/** A client of the official driver, for questions and for the connector that needs no tools. */
export class MongoSession implements Session {
  readonly identity: ServerIdentity
  readonly settings: ConnectionSettings
  readonly #client: MongoClient
  readonly #signal: AbortSignal

  private constructor(
    client: MongoClient,
    identity: ServerIdentity,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ) {
    this.#client = client
    this.identity = identity
    this.settings = settings
    this.#signal = signal
  }

  /** The database need not exist. @throws database.unreachable, database.login-refused, config.invalid */
  static async open({ signal }: Context, settings: ConnectionSettings): Promise<MongoSession> {
    signal.throwIfAborted()
    const url = connectionString(settings)
    // Only when used: an unused driver costs nothing at start-up.
    const { MongoClient } = await import('mongodb')
    let client: MongoClient | undefined
    try {
      client = new MongoClient(url, {
        appName: 'holdfast',
        // What the URL says of it stands; options would go before it.
        ...(/serverSelectionTimeoutMS=/iu.test(url) ? {} : { serverSelectionTimeoutMS: connectTimeoutMs }),
        ...(settings.user === undefined
          ? {}
          : { auth: { username: settings.user, password: settings.password?.reveal() ?? '' } }),
      })
      const connected = client
      const info = await orAborted(signal, connected, () => connected.db('admin').command({ buildInfo: 1 }))
      return new MongoSession(client, identityOf(info), settings, signal)
    } catch (error) {
      await client?.close().catch(() => undefined)
      signal.throwIfAborted()
      throw databaseError(error, settings)
    }
  }

  get database(): Db {
    return this.#client.db(this.settings.name)
  }

  /** Does some work with the driver. @throws database.*; the signal's reason when aborted */
  ask<Result>(work: (database: Db) => Promise<Result>): Promise<Result> {
    return this.askOf(this.settings.name, work)
  }

  /** The same with another database of the server. */
  async askOf<Result>(name: string, work: (database: Db) => Promise<Result>): Promise<Result> {
    try {
      return await orAborted(this.#signal, this.#client, () => work(this.#client.db(name)))
    } catch (error) {
      this.#signal.throwIfAborted()
      throw databaseError(error, this.settings)
    }
  }

  /** MongoDB has a database as long as something is in it. */
  async exists(): Promise<boolean> {
    const { name } = this.settings
    return this.ask(async (database) => {
      const { databases } = (await this.#client
        .db('admin')
        .command({ listDatabases: 1, nameOnly: true, filter: { name } })
        // An account of one database may not list all.
        .catch(() => ({ databases: [] }))) as { databases: readonly { readonly name: string }[] }
      if (databases.some((each) => each.name === name)) return true
      return (await database.listCollections({}, { nameOnly: true }).toArray()).length > 0
    })
  }

  facts(): Promise<ServerFacts> {
    return serverFacts(this)
  }

  async close(): Promise<void> {
    // A client whose server is gone is closed.
    await this.#client.close().catch(() => undefined)
  }
}

/** The work's result, unless the signal aborts before: then the client is closed, and what was asked ends with it. */
async function orAborted<Result>(
  signal: AbortSignal,
  client: MongoClient,
  work: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted()
  let stop = () => undefined as void
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => {
      reject(signal.reason as Error)
      client.close().catch(() => undefined)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
  const working = work()
  working.catch(() => undefined)
  try {
    return await Promise.race([working, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
