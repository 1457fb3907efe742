import type { ConnectorFactory, ConnectorOptions } from '../engine/connector.js'
import type { DevServerDriver } from '../engine/dev-server.js'
import type { Engine } from '../engine/engine.js'
import type { FingerprintLevel } from '../engine/fingerprinter.js'
import type { RestoreStrategy } from '../engine/swapper.js'
import type { JsonObject } from '../env/json.js'
import type { Secret } from '../env/secret.js'
import type { HookConfig } from '../hooks/handlers.js'
import type { NotifierConfig } from '../hooks/notifiers/settings.js'
import type { Manifest } from '../catalog/manifest.js'
import type { MaskConfig } from '../portable/masks/mask-config.js'
import type { ModelSource } from '../portable/models/model-source.js'
import type { SubsetConfig } from '../portable/subset/subset-config.js'
import type { RetentionPolicy } from '../retention/policy.js'
import type { RuleHooks, TableRules } from '../portable/table-rules.js'
import type { StorageDriver } from '../storages/storage.js'

/**
 * What `holdfast.config.ts` holds, and what `createHoldfast` takes. Every key is optional; without databases, `DATABASE_URL`
 * is the database `default`.
 *
 * @example
 * export default defineConfig({
 *   databases: { default: { url: env('DATABASE_URL') } },
 *   storages: { main: { driver: 'local', path: './backups' } },
 *   compress: 'zstd',
 *   retention: { daily: 14, weekly: 8 },
 * })
 */
export interface HoldfastConfig {
  readonly databases?: Readonly<Record<string, DatabaseConfig | string>>
  /** By name. A backup goes to all of them at once, unless `storages` of its database names some. Default: `{ main: { driver: 'local', path: './backups' } }`. */
  readonly storages?: Readonly<Record<string, StorageConfig | string>>
  /** Sets of files to back up, by name: a folder, or more of it. */
  readonly files?: Readonly<Record<string, FilesConfig | string>>
  /** `zstd`, `zstd:LEVEL`, `gzip`, `gzip:LEVEL` or `none`. Default `zstd`. */
  readonly compress?: string
  readonly encrypt?: EncryptConfig | false
  /** Signs what Holdfast writes about backups, so that `verify` and `restore` tell what was changed, removed or put there by others. */
  readonly sign?: SignConfig
  /**
   * The most bytes a second of a dump, before compression, that an operation takes from a database or gives to one: `20MB/s`. What
   * is only read, to check it, counts as well. A storage has a limit of its own, `bandwidth`. Default: no limit.
   */
  readonly maxRate?: string
  /**
   * The most memory that a backup or a dump is to take: `256MB`. High levels of compression then work on fewer pieces at once; a
   * backup in which not even one fits is refused (the default settings need `200MB`), a dump works on one all the same. It is
   * Holdfast's own process that counts, not the tools and servers it runs. Default: what the cores can use, below 200 MB with the
   * default settings.
   */
  readonly memoryLimit?: string
  readonly retention?: RetentionPolicy
  /**
   * What a manifest holds of every table, to compare a restored copy with: the exact number of rows (`counts`), that and a digest
   * of all values (`content`), or nothing. Default: what adds little to a backup's time, by engine.
   */
  readonly fingerprint?: FingerprintLevel
  /** Every backup holds a portable dump beside the native one, as `holdfast dump` makes it: {@link DatabaseConfig.alsoPortable}. */
  readonly alsoPortable?: boolean
  /** Stands in manifests and file names. Default: the host's name. */
  readonly serverName?: string
  /** Template with `{database} {server} {datetime} {engine} {extension}`, or a function of the same facts. */
  readonly filename?: string | ((facts: FilenameFacts) => string)
  /** `YYYY MM DD HH mm ss SSS`, in UTC. Default `YYYY-MM-DD-HHmmss`. */
  readonly dateFormat?: string
  readonly hooks?: HookConfig
  /** Who is told what became of a run, by a name of one's own: by e-mail, webhook, Slack or ping. */
  readonly notify?: Readonly<Record<string, NotifierConfig>>
  /** A text file for the node exporter of Prometheus, relative to the configuration file. It has to end in `.prom` there. */
  readonly metricsFile?: string
  /** What becomes of values in portable dumps and copies; see {@link mask}. Masked dumps are not loaded into a protected database. */
  readonly mask?: MaskConfig
  /** Which rows a portable dump or copy holds where `--subset` is given. */
  readonly subset?: SubsetConfig
  /** The application's models, whose defaults, names and groups portable loads heed. */
  readonly models?: readonly ModelSource[]
  /** Fields of the user's own, kept in the manifest. */
  readonly metadata?: (backup: MetadataFacts) => JsonObject | Promise<JsonObject>
  /** Throws to refuse a restore, before anything is changed. */
  readonly validateRestore?: (manifest: Manifest) => void | Promise<void>
  /** Connectors by the engine they are for, in place of the built-in default. */
  readonly connectors?: Readonly<Record<string, string | ConnectorFactory>>
  /** Portable dumps and loads: groups of tables, and what becomes of their columns and rows. */
  readonly portable?: PortableConfig
  /** Development servers by engine: settings for those of Holdfast's, or a driver of one's own, also in place of a built-in one. */
  readonly devServers?: Readonly<Record<string, DevServerConfig | DevServerDriver>>
  readonly engines?: readonly Engine[]
  readonly storageDrivers?: readonly StorageDriver[]
}

/** What `holdfast dump`, `load` and `copy` heed. */
export interface PortableConfig {
  /** Named groups of tables, as names or patterns with `*`: `{ shop: ['orders*', 'customers'] }`. */
  readonly groups?: Readonly<Record<string, readonly string[]>>
  /** By the table's name, with its schema or without. */
  readonly tables?: Readonly<Record<string, TableRules>>
  /** Functions that rules of the kind `hook` name. */
  readonly hooks?: RuleHooks
}

export interface FilenameFacts {
  readonly database: string
  readonly server: string
  readonly datetime: string
  readonly engine: string
  readonly extension: string
}

export interface MetadataFacts {
  readonly database: string
  readonly engine: string
  readonly connector: string
  readonly server: string
}

/** How to reach a database; `url` and single fields may be mixed, the fields win. */
export interface ConnectionConfig {
  readonly url?: string
  readonly engine?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string | Secret
  /** The database's name, or the path of a SQLite file (relative to the configuration file). */
  readonly name?: string
  readonly socket?: string
  /** The engine's own connection parameters: `{ sslmode: 'verify-full' }`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** MongoDB: the database that knows the user. Default `admin`. */
  readonly authSource?: string
}

export interface DatabaseConfig extends ConnectionConfig, Omit<ConnectorOptions, 'toolArgs'> {
  /** Overrides for backups only, such as a replica's host; restore never uses them. */
  readonly backup?: ConnectionConfig
  readonly connector?: string | ConnectorFactory
  readonly exclude?: readonly string[]
  readonly excludeData?: readonly string[]
  readonly schemas?: readonly string[]
  /** Names of the storages that its backups go to, all at once. Default: every configured storage. */
  readonly storages?: readonly string[]
  /** In place of the connector's own file ending. */
  readonly extension?: string
  readonly filename?: string | ((facts: FilenameFacts) => string)
  readonly retention?: RetentionPolicy
  readonly fingerprint?: FingerprintLevel
  /** MongoDB: whether a restore looks into every document before it inserts it. Default true. */
  readonly objcheck?: boolean
  /**
   * A portable dump of the same moment beside the native one, in the same backup: `holdfast load --from-backup` reads it, and a
   * restore does not. It holds values as they are, whatever `mask` says.
   */
  readonly alsoPortable?: boolean
  /** A restore over it wants its name typed. */
  readonly protected?: boolean
  /**
   * `false`: no backup is made before a restore in place on an engine that cannot undo one (MySQL, MariaDB, MongoDB). Default true.
   */
  readonly safetyBackup?: boolean
  /** How restores get into it: `swap` restores beside it, and keeps the old database. Default `in-place`. */
  readonly strategy?: RestoreStrategy
  readonly adminUser?: string
  readonly adminPassword?: string | Secret
  /**
   * Command settings: a text is split as a shell would, an array is taken as it is, and no shell runs either. They are for
   * connectors that run a tool.
   */
  readonly dumpCommand?: string | readonly string[]
  readonly restoreCommand?: string | readonly string[]
  readonly psqlCommand?: string | readonly string[]
  readonly dumpPrefix?: string | readonly string[]
  readonly dumpSuffix?: string | readonly string[]
  readonly restorePrefix?: string | readonly string[]
  readonly restoreSuffix?: string | readonly string[]
  /** What else the tool is to be told, among the arguments. */
  readonly toolArgs?: string | readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly dumpEnv?: Readonly<Record<string, string>>
  readonly restoreEnv?: Readonly<Record<string, string>>
  readonly inheritEnv?: boolean
}

/** Files that are backed up together, such as the uploads of an application. */
export interface FilesConfig {
  /** A folder (relative to the configuration file), or a configured storage, whose objects are the files. */
  readonly source: string | { readonly storage: string }
  /** Patterns with `*` and `**`; without a slash they mean a name at any depth. Default: everything. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Names of the storages that its backups go to. Default: every configured storage that is no source itself. */
  readonly storages?: readonly string[]
  readonly filename?: string | ((facts: FilenameFacts) => string)
  readonly retention?: RetentionPolicy
}

/** How development servers of one engine are made and started. */
export interface DevServerConfig {
  /** Made by `defineDevServer`, in place of Holdfast's own. */
  readonly driver?: DevServerDriver
  /** The folder of the server's programs, relative to the configuration file. Default: wherever packages put them. */
  readonly programs?: string
  /** Default: one that is free when the server is made, which it keeps. */
  readonly port?: number
  /** Default `dev`. */
  readonly user?: string
  /** Default: a random one. */
  readonly password?: string | Secret
  /** The database it begins with. Default `dev`. */
  readonly database?: string
  /** More arguments for the server: `['-c', 'log_statement=all']`. */
  readonly serverArgs?: readonly string[]
  /** How long it may take to answer. Default 60 000. */
  readonly readyTimeoutMs?: number
  /** A template in place of the engine's own guide, relative to the configuration file. */
  readonly guide?: string
}

/** Keys of Ed25519. Each is a text in PEM, as `env('SIGN_KEY')` gives it, or the path of a file, relative to the configuration file. */
export interface SignConfig {
  /** The private key. Without it this machine only checks. */
  readonly key?: string | Secret
  /** Of a private key that is encrypted. */
  readonly passphrase?: string | Secret
  /** Public keys to check by, beside that of `key`: of other machines, or from before a change of keys. */
  readonly publicKeys?: readonly string[]
}

/** A storage: its driver's name, and the driver's own settings beside it. */
export interface StorageConfig {
  readonly driver: string
  /** Which backups to keep here, of what has no `retention` of its own. */
  readonly retention?: RetentionPolicy
  readonly [setting: string]: unknown
}

export interface EncryptConfig {
  readonly age?: { readonly recipients?: readonly string[]; readonly passphrase?: string | Secret }
  readonly openpgp?: { readonly recipients: readonly string[]; readonly alwaysTrust?: boolean }
}

/** Gives a configuration its types; returns it as it is. */
export function defineConfig(config: HoldfastConfig): HoldfastConfig {
  return config
}
