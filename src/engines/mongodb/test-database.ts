/** Databases of the tests' own, and exact looks into them. Used by the tests of this room alone. */
import { createHash, randomBytes } from 'node:crypto'
import { MongoClient, type Db, type Document } from 'mongodb'
import type { ServerAddress } from '../../../test/servers/server.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { listCollections } from './collections.js'
import { scratchContext } from './test-connector.js'
import { MongoSession } from './session.js'

export type ScratchAddress = Pick<
  ServerAddress,
  'host' | 'port' | 'user' | 'password' | 'version' | 'binDirectory'
>

export class ScratchDatabase {
  readonly name: string
  readonly connection: ConnectionSettings
  readonly address: ScratchAddress

  constructor(address: ScratchAddress, name = `hf_${randomBytes(6).toString('hex')}`) {
    this.name = name
    this.address = address
    this.connection = {
      engine: 'mongodb',
      name,
      host: address.host,
      port: address.port,
      user: address.user,
      password: new Secret(address.password),
      parameters: { authSource: 'admin' },
    }
  }

  /** FerretDB 1.x has no views, validators, collations, time series, and no TTL and partial indexes. */
  get isFerretdb(): boolean {
    return this.address.version.startsWith('FerretDB')
  }

  /** A database that is there and empty: MongoDB forgets one with nothing in it, but keeps where its views were. */
  async create(): Promise<this> {
    await this.on(async (database) => {
      await database.createCollection('soon_gone')
      if (!this.isFerretdb) {
        await database.createCollection('soon_gone_view', { viewOn: 'soon_gone', pipeline: [] })
        await database.dropCollection('soon_gone_view')
      }
      await database.dropCollection('soon_gone')
    })
    return this
  }

  async drop(): Promise<void> {
    await this.on((database) => database.dropDatabase())
  }

  /** A JSON array of commands. */
  async execute(commands: string): Promise<void> {
    await this.on(async (database) => {
      for (const command of JSON.parse(commands) as Document[]) await database.command(command)
    })
  }

  async tables(): Promise<readonly string[]> {
    const found = await this.on((database) => database.listCollections().toArray())
    return found
      .filter(({ name, type }) => type !== 'view' && !name.startsWith('system.'))
      .map(({ name }) => name)
      .sort()
  }

  rowCount(name: string): Promise<number> {
    return this.on((database) => database.collection(name).countDocuments())
  }

  /** The documents of a collection as the server sends them, in the order of their bytes. */
  async rawDocuments(name: string): Promise<readonly Buffer[]> {
    const documents = await this.on((database) => database.collection(name).find({}, { raw: true }).toArray())
    return documents
      .map((document) => Buffer.from(document as unknown as Uint8Array))
      .sort((a, b) => Buffer.compare(a, b))
  }

  /** Per collection a digest of the bytes of all documents. */
  async digest(): Promise<Readonly<Record<string, string>>> {
    const digests: Record<string, string> = {}
    for (const name of await this.tables()) {
      const hash = createHash('sha256')
      for (const document of await this.rawDocuments(name)) hash.update(document)
      digests[name] = hash.digest('hex')
    }
    return digests
  }

  /** Collections, views, options and indexes, without what the server chooses by itself. */
  async schemaText(): Promise<string> {
    const session = await MongoSession.open(scratchContext(), this.connection)
    try {
      const { collections } = await listCollections(session)
      return collections
        .map(({ name, type, options, indexes }) =>
          JSON.stringify([name, type, options, indexes.map(({ definition }) => definition).sort()]),
        )
        .join('\n')
    } finally {
      await session.close()
    }
  }

  async on<Result>(work: (database: Db) => Promise<Result>): Promise<Result> {
    const { host, port, user, password } = this.address
    const client = new MongoClient(`mongodb://${host}:${port}`, {
      directConnection: true,
      auth: { username: user, password },
      authSource: 'admin',
      // FerretDB ends the connection on a document that it does not understand; it is back at once.
      minHeartbeatFrequencyMS: 20,
    })
    try {
      return await work(client.db(this.name))
    } finally {
      await client.close()
    }
  }
}
