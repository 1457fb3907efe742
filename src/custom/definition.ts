import type { Readable } from 'node:stream'
import type {
  CleanMode,
  ConnectorOptions,
  ConnectorSettings,
  FormatChecker,
  ToolFacts,
} from '../engine/connector.js'
import type { ConnectionSettings, ServerFacts } from '../engine/engine.js'
import type { Context } from '../env/context.js'
import type { Secret } from '../env/secret.js'

/** What a connector of the user's own is, however it does its work. */
export interface ConnectorDescription {
  /** As it stands in manifests and configurations; to be kept for ever. */
  readonly name: string
  /** An engine of Holdfast's (`sqlite`, `postgresql`), or a new one: then the connector brings it along. */
  readonly engine: string
  /** The ending of its file names, without a dot. */
  readonly extension: string
  /** For a new engine: whether its databases are reached over a network, as against files. Default: files. */
  readonly server?: boolean
  /** What a dump looks like. Without it only digests, and that a dump is not empty, are known; doctor and verify say so. */
  readonly format?: FormatDescription
  /** That `dump` heeds {@link DatabaseToDump.exclude}. Default: the setting is refused before anything starts. */
  readonly exclude?: boolean
  readonly excludeData?: boolean
  readonly schemas?: boolean
  /**
   * Which ways of replacing what is there `restore` heeds in {@link DatabaseToRestore.clean}. Default `none`: the target has
   * to be empty or new.
   */
  readonly clean?: readonly CleanMode[]
  /** That a `restore` which fails leaves the target as it was. Default: it does not, and the error says so. */
  readonly transactional?: boolean
  /**
   * For databases that are one file each: `restore` writes a new file, which takes the old one's place in one step when it is
   * whole. Then every `clean` is heeded and a failed restore changes nothing. Not for files that have others beside them.
   */
  readonly replacesFile?: boolean
  /**
   * What there is, or `undefined` where the database does not exist. Default: for files and for Holdfast's engines Holdfast
   * looks itself. It must change nothing.
   */
  inspect?(database: CustomDatabase, cx: Context): Promise<InspectedDatabase | undefined>
  /** Makes an empty database. Default: only files are made, by `restore` itself. */
  createDatabase?(database: CustomDatabase, cx: Context): Promise<void>
}

/** A connector that does its work in code. */
export interface ConnectorDefinition extends ConnectorDescription {
  /** The bytes of a dump. Their clean end means success: what fails must end the stream with an error. */
  dump(
    database: DatabaseToDump,
    cx: Context,
  ): Readable | AsyncIterable<Uint8Array | string> | Promise<Readable | AsyncIterable<Uint8Array | string>>
  /** Reads the dump to its end. What resolves has restored everything. */
  restore(database: DatabaseToRestore, dump: Readable, cx: Context): Promise<void>
}

/** A connector that runs a tool, which writes the dump to stdout and reads it from stdin. */
export interface CommandConnectorDefinition extends ConnectorDescription {
  dump(database: DatabaseToDump): Command
  restore(database: DatabaseToRestore): Command
  /** Asks the tool for its version, so that a tool that is missing is found before a backup: `['sqlite3', '--version']`. */
  readonly version?: Words
  /**
   * The content of a private file for the tool, such as an option file with the password. It has mode 0600, is there while
   * the tool runs, and its path is `privateFile` of the database.
   */
  privateFile?(database: CustomDatabase): string
}

/** A program and its arguments, never a line for a shell. */
export type Words = readonly [program: string, ...args: string[]]

/** What to run. A password is handed over in `env` or in the private file: arguments can be seen by every user of the machine. */
export type Command =
  Words | { readonly command: Words; readonly env?: Readonly<Record<string, string | Secret | undefined>> }

/** What a dump looks like. */
export interface FormatDescription {
  /** As it stands in manifests. Default: the connector's name. */
  readonly name?: string
  /** What every dump begins with: so it is recognised where it was made elsewhere. */
  readonly startsWith?: string
  /** What every whole dump ends with, blank space aside; or else `checker`. */
  readonly endsWith?: string
  checker?(): FormatChecker
}

/** A database as a connector of the user's own sees it. */
export interface CustomDatabase {
  readonly connection: ConnectionSettings
  /** The account for privileged statements, where one is configured. */
  readonly admin?: ConnectorSettings['admin']
  readonly options: ConnectorOptions
  /** The path of the private file, where the definition has one. */
  readonly privateFile?: string
}

export interface DatabaseToDump extends CustomDatabase {
  /** Names of tables, the patterns of the setting resolved. */
  readonly exclude: readonly string[]
  readonly excludeData: readonly string[]
  readonly schemas: readonly string[]
}

export interface DatabaseToRestore extends CustomDatabase {
  readonly clean: CleanMode
  readonly schemas: readonly string[]
}

/** What `inspect` of a definition tells; Holdfast fills in the rest. */
export type InspectedDatabase = Partial<ServerFacts> & {
  /** Every object of the user's: 0 means that the database is empty. */
  readonly objectCount: number
  readonly tools?: readonly ToolFacts[]
}
