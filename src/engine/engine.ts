import type { Context } from '../env/context.js'
import type { Secret } from '../env/secret.js'
import type { ConnectorFactory } from './connector.js'
import type { DrillDatabases } from './drill-databases.js'
import type { DevServerDriver } from './dev-server.js'
import type { Fingerprinter } from './fingerprinter.js'
import type { MigrationState } from './migrations.js'
import type { RowEngine } from './row-source.js'
import type { StandIns } from './stand-ins.js'
import type { Swapper } from './swapper.js'

/** A kind of database. Everything that knows it lives in its home under `engines/`. */
export interface Engine {
  /** As it stands in manifests and configurations: `postgresql`. */
  readonly name: string
  /** Other names and URL schemes that mean this engine: `pg`, `postgres`. */
  readonly aliases: readonly string[]
  readonly capabilities: EngineCapabilities
  /**
   * @param url such as `postgres://user@host:5432/shop?sslmode=require` or `sqlite:./app.db`
   * @param baseDirectory what relative paths in it are relative to
   * @throws config.invalid, naming what is wrong, never with the password
   */
  parse(url: string, baseDirectory: string): ConnectionSettings
  /** @throws database.unreachable, database.login-refused, database.not-found */
  open(cx: Context, settings: ConnectionSettings): Promise<Session>
  /** Databases of drills on a server of somebody's; absent where a database is a file. */
  readonly drillDatabases?: DrillDatabases
  /** Absent where backups name no accounts. */
  readonly standIns?: StandIns
  /** What data that begin so are, where they are of this engine and no connector restores them; for the error. */
  readonly otherDump?: (head: Uint8Array) => { readonly what: string; readonly hint: string } | undefined
  readonly connectors: Readonly<Record<string, ConnectorFactory>>
  readonly defaultConnector: string
  /** Portable rows; absent where the engine has none. */
  readonly rows?: RowEngine
  /** Restoring beside and swapping; absent where the engine cannot. */
  readonly swap?: Swapper
  /** The default connector of databases that name the engine by an alias: `{ postgis: 'pg-dump-gis' }`. */
  readonly aliasConnectors?: Readonly<Record<string, string>>
  /** How to run servers of it for development; those that are asked for by an alias may be others. */
  readonly devServer?: DevServerDriver
  readonly aliasDevServers?: Readonly<Record<string, DevServerDriver>>
  /** Absent where restored copies cannot be compared with their backups. */
  readonly fingerprint?: Fingerprinter
}

export interface EngineCapabilities {
  /** Reached over a network or socket (with host, port, user), as against a file. */
  readonly server: boolean
  /** Databases hold schemas, so `schemas` means something. */
  readonly schemas: boolean
  /** A failed restore can be rolled back as a whole. */
  readonly transactionalRestore: boolean
}

/** How to reach one database. Passwords are {@link Secret}s. */
export interface ConnectionSettings {
  /** The engine's own name, aliases resolved. */
  readonly engine: string
  /** The database's name; for a file engine the absolute path of the file. */
  readonly name: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: Secret
  /** Folder or path of a Unix socket. */
  readonly socket?: string
  /** What else the URL or configuration says, by the engine's own names: `sslmode`, `authSource`, `schema`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** One connection, for questions. Read-only by habit: nothing here changes the database. */
export interface Session {
  facts(): Promise<ServerFacts>
  /** Those of the facts, where they alone take less time than all of them. */
  migrations?(): Promise<readonly MigrationState[]>
  close(): Promise<void>
}

/** What is known of a server and a database, before a backup or a restore. */
export interface ServerFacts {
  /** What the server calls itself: `PostgreSQL`, `MariaDB`, `MySQL`, `SQLite`. */
  readonly product: string
  /** As the server says it: `15.18`, `10.11.19`. */
  readonly version: string
  readonly database: string
  readonly sizeBytes?: number
  readonly encoding?: string
  /** In the engine's own order; views are not tables. */
  readonly tables: readonly TableFacts[]
  /** Every object of the user's, tables and others: 0 means the database is empty. */
  readonly objectCount: number
  readonly migrations: readonly MigrationState[]
  /** A digest of the definitions of all tables, indexes, constraints, views, triggers and routines. */
  readonly schemaHash: string
  /** What this account cannot see or the dump cannot keep: each a sentence for the user. */
  readonly warnings: readonly string[]
}

export interface TableFacts {
  readonly schema?: string
  readonly name: string
  /** The server's estimate: for progress, never for proof. */
  readonly estimatedRows?: number
  readonly bytes?: number
}
