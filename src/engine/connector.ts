import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import type { Secret } from '../env/secret.js'
import type { ConnectionSettings, Engine, ServerFacts } from './engine.js'
import type { Fingerprint, FingerprintLevel } from './fingerprinter.js'
import type { RowSource } from './row-source.js'
import type { UnusedSettings } from './unused-settings.js'

/** One way to dump and restore an engine's databases: `pg-dump-custom`, `sqlite-backup`. */
export interface ConnectorFactory {
  /** As it stands in manifests and configurations; never renamed. */
  readonly name: string
  readonly engine: string
  /** The ending of its file names, without a dot: `dump`, `sql`, `sqlite3`. */
  readonly extension: string
  readonly capabilities: ConnectorCapabilities
  readonly format: DumpFormat
  /** Where `engine` is none of Holdfast's own: the engine that comes with the connector. */
  readonly ownEngine?: Engine
  create(settings: ConnectorSettings): Connector
}

/** Data, so that an impossible combination is refused before anything starts. */
export interface ConnectorCapabilities {
  readonly exclude: boolean
  readonly excludeData: boolean
  readonly schemas: boolean
  /** Restores in one transaction: a failed restore leaves what was there. */
  readonly transactionalRestore: boolean
  /** Can restore a part of a dump: `tables`, `schemaOnly` and `dataOnly` of a {@link RestoreRequest}. Default false. */
  readonly partialRestore?: boolean
  /** `false` where `schemas` picks what is dumped, and a restore takes a dump as a whole. */
  readonly restoreSchemas?: false
  /** Works with several connections at once, as many as `jobs` says. Default: with one. */
  readonly parallel?: true
  /** Takes fingerprints in the dump's own snapshot. Default: it does not, and manifests say so. */
  readonly fingerprint?: true
  /** Restores into any database that its connection names, so also beside another. Default: nobody knows, and it does not. */
  readonly restoresBeside?: true
  /** Its dumps have several parts, each an artifact of its own: they need a storage, and do not go into one file or stream. */
  readonly severalParts?: true
  /** Which `clean` modes restore can do. */
  readonly clean: readonly CleanMode[]
  /** `false` where restore cannot make a database that does not exist. */
  readonly create?: false
  /** Settings that are refused, with the reason: `{ psqlCommand: 'it runs no psql' }`. Absent: it heeds them all. */
  readonly unused?: UnusedSettings
  /** Needs a temporary file on the machine that runs Holdfast, and why; absent where all streams. */
  readonly temporaryFile?: string
}

/** What the bytes of a dump look like: shared by backup (is it complete?), verify, and restore of files made elsewhere. */
export interface DumpFormat {
  /** `pg-custom`, `sql`, `sqlite-file`. */
  readonly name: string
  /** Whether data that begin so are of this format; at least 512 bytes are given where there are as many. */
  recognises(head: Uint8Array): boolean
  /**
   * `false` where nothing in the bytes tells a whole dump from one that is cut: then only its digests, and that it is not
   * empty, are known. Doctor and verify say so.
   */
  readonly checked?: false
  /**
   * A new reader of one whole part.
   * @param role of the part; formats whose parts are all alike, as those of one part are, need not look at it
   */
  checker(role?: DumpPart['role']): FormatChecker
}

/** Reads a dump as it passes by and knows at the end whether it is whole. Costs little: it looks, it does not copy. */
export interface FormatChecker {
  /** The chunk's bytes are there during the call only, since its memory is used again: what is kept is copied. */
  push(chunk: Uint8Array): void
  /** @throws integrity.truncated, integrity.format */
  end(): void
}

/** Everything a connector is told about one database. */
export interface ConnectorSettings {
  readonly connection: ConnectionSettings
  /** The engine of the database; connectors of the user's own ask it what their definition does not tell. */
  readonly engine?: Engine
  /** The account for privileged statements, where one is configured. */
  readonly admin?: { readonly user: string; readonly password?: Secret }
  readonly tools: ToolSettings
  readonly options: ConnectorOptions
}

/** Command settings (words already split; never run by a shell). */
export interface ToolSettings {
  readonly dumpCommand?: readonly string[]
  readonly restoreCommand?: readonly string[]
  readonly psqlCommand?: readonly string[]
  readonly dumpPrefix: readonly string[]
  readonly dumpSuffix: readonly string[]
  readonly restorePrefix: readonly string[]
  readonly restoreSuffix: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly dumpEnv: Readonly<Record<string, string>>
  readonly restoreEnv: Readonly<Record<string, string>>
  readonly inheritEnv: boolean
}

/** Settings of a dump or restore that connectors share; each connector's default stands where one is absent. */
export interface ConnectorOptions {
  readonly singleTransaction?: boolean
  readonly drop?: boolean
  readonly ifExists?: boolean
  readonly noOwner?: boolean
  readonly noPrivileges?: boolean
  readonly toolArgs?: readonly string[]
  /** Connections at once. Default 1. */
  readonly jobs?: number
}

export interface Connector {
  readonly name: string
  readonly engine: string
  readonly capabilities: ConnectorCapabilities
  /** Read-only: what there is to dump, and whether the tools for it are here. @throws database.*, tool.missing, tool.too-old */
  inspect(cx: Context, request?: InspectRequest): Promise<ConnectorFacts>
  /**
   * One or more named byte streams. A clean end of a part MUST mean success: a tool that fails destroys its stream.
   * @throws usage.pattern-unmatched, tool.*, database.*
   */
  dump(cx: Context, request: DumpRequest): Promise<Dump>
  /** Everything that can be checked without changing the target. @throws database.*, tool.*, refused.not-empty */
  prepareRestore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreTarget>
  /** Writes the backup into the target. @throws tool.failed (the target is as it was), restore.incomplete (it is not) */
  restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts>
}

export interface InspectRequest {
  /** `false` where a dump follows: a connector that tells {@link DumpFacts.schemaHash} then need not read all definitions twice. */
  readonly schemaHash?: boolean
}

export interface ConnectorFacts {
  readonly server: Omit<ServerFacts, 'schemaHash'> & Partial<Pick<ServerFacts, 'schemaHash'>>
  /** The programs that dump will run, with their versions; empty where a driver does the work. */
  readonly tools: readonly ToolFacts[]
}

export interface ToolFacts {
  /** `pg_dump` */
  readonly name: string
  readonly version: string
  readonly path: string
  /** Why this one, where several are installed. */
  readonly reason?: string
}

export interface DumpRequest {
  /** Patterns of tables to leave out, with `*`; a name without a schema matches in every schema. */
  readonly exclude: readonly string[]
  /** Patterns of tables whose rows to leave out. */
  readonly excludeData: readonly string[]
  /** Only these schemas; empty means all. */
  readonly schemas: readonly string[]
  /** A pattern that matches nothing is an error unless this is set. */
  readonly allowMissing: boolean
  /** What to take of every table at the dump's own moment. Absent: nothing. */
  readonly fingerprint?: FingerprintLevel
  /** The rows of the dump's own moment are wanted as well, for a portable dump beside it. */
  readonly rows?: true
}

export interface Dump {
  /** One after the other: the next part is asked for when the one before has been read to its end, unless `concurrency` says more. */
  readonly parts: AsyncIterable<DumpPart>
  /** So many parts may be read at once: the next one may be asked for while all but one of them are. Default 1. */
  readonly concurrency?: number
  /** Asked for after the last part has ended. */
  facts(): Promise<DumpFacts>
  /**
   * What `rows` of the request has opened: there from the first part on, until whoever asked for it closes it. Absent where the
   * connector has none to give.
   */
  rows?(): DumpedRows
}

export interface DumpedRows {
  /** Absent where it could not be opened. */
  readonly source?: RowSource
  /** Why the rows may be of another moment than the dump; what is known after the last part counts. */
  readonly apart?: string
}

export interface DumpPart {
  readonly name: string
  readonly role: 'dump' | 'schema' | 'data' | 'post-data' | 'portable'
  readonly table?: string
  readonly bytes: Readable
  /** No bytes are no rows. Otherwise they are a fault, since every other dump begins with something. */
  readonly mayBeEmpty?: boolean
}

export interface DumpFacts {
  /** What the tool said on stderr, and what the dump does not hold: recorded in the manifest and shown. */
  readonly warnings: readonly string[]
  /** As `inspect` tells it, of the state that was dumped. Absent: as `inspect` has told it. */
  readonly schemaHash?: string
  /** Of the state that was dumped, and of no other. Where it could not be taken, it says why. */
  readonly fingerprint?: Fingerprint
}

export type CleanMode = 'none' | 'objects' | 'database'

export interface RestoreRequest {
  readonly clean: CleanMode
  /** Make the database where it does not exist; it is an error where it exists and is not empty. */
  readonly create: boolean
  /** End other sessions of the target where `clean: 'database'` needs it. */
  readonly disconnect: boolean
  /** Only these schemas; empty means all. */
  readonly schemas: readonly string[]
  /** Patterns of tables to restore, with all that belongs to them; absent or empty means all. */
  readonly tables?: readonly string[]
  /** Definitions without rows. */
  readonly schemaOnly?: boolean
  /** Rows, into tables that are there: in place of theirs, or, with `clean: 'none'`, beside them. */
  readonly dataOnly?: boolean
}

/** A backup as a connector sees it: decoded, checked streams. */
export interface RestoreSource {
  /** In the manifest's order; one part named `dump` for a file that was made elsewhere. */
  readonly parts: readonly RestorePart[]
  /** The stream is destroyed with an error where a checksum does not hold; its clean end means all bytes were right. */
  open(part: RestorePart): Promise<Readable>
}

export interface RestorePart {
  readonly name: string
  readonly role: DumpPart['role']
  readonly table?: string
  /** Absent for a file that was made elsewhere; else a clean end means, by its digest, that these are the bytes of the dump. */
  readonly plainBytes?: number
}

/** What a restore would meet; shown to the user before anything is touched. */
export interface RestoreTarget {
  /** The place for people: `postgresql://host:5432/shop`, never with a password. */
  readonly place: string
  readonly exists: boolean
  /** Absent where the target does not exist. */
  readonly server?: ServerFacts
  readonly tools: readonly ToolFacts[]
  /** What is dropped first, where that is less than was asked for: `none` for a dump that drops nothing. */
  readonly clean?: CleanMode
  /** What will be lost or changed, each a sentence. Empty where nothing is. */
  readonly losses: readonly string[]
  readonly warnings: readonly string[]
}

export interface RestoreFacts {
  readonly warnings: readonly string[]
}
