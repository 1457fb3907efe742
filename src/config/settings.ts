import type { ConnectorFactory, ConnectorOptions, ToolSettings } from '../engine/connector.js'
import type { ConnectionSettings, Engine } from '../engine/engine.js'
import type { FingerprintLevel } from '../engine/fingerprinter.js'
import type { RestoreStrategy } from '../engine/swapper.js'
import type { Secret } from '../env/secret.js'
import type { NotifierSettings } from '../hooks/notifiers/settings.js'
import type { MaskConfig } from '../portable/masks/mask-config.js'
import type { ModelSource } from '../portable/models/model-source.js'
import type { SubsetConfig } from '../portable/subset/subset-config.js'
import type { RetentionPolicy } from '../retention/policy.js'
import type { Signing } from '../signing/signing.js'
import type { StageKind } from '../stages/stage.js'
import type { StorageDriver } from '../storages/storage.js'
import type { FilenameFacts, HoldfastConfig, PortableConfig } from './config.js'

/** What there is to choose from: the built-ins and the user's own. Made in `builtin.ts`. */
export interface Registry {
  readonly engines: readonly Engine[]
  readonly storageDrivers: readonly StorageDriver[]
  readonly stages: readonly StageKind[]
}

/** The configuration with every default filled in and every name resolved: what operations work with. */
export interface Settings {
  /** Path of the configuration file; absent where there is none. */
  readonly file?: string
  /** What relative paths are relative to. */
  readonly baseDirectory: string
  readonly databases: ReadonlyMap<string, DatabaseSettings>
  readonly storages: ReadonlyMap<string, StorageSettings>
  /** Sets of files, by name. */
  readonly files: ReadonlyMap<string, FilesSettings>
  /** The names that `--storage` or `HOLDFAST_STORAGE` gives; they win over those of a database. */
  readonly chosenStorages: readonly string[]
  /** Compression first, encryption after it; empty means the plain dump. */
  readonly stages: readonly StageSettings[]
  readonly signing: Signing
  /** Bytes of a dump a second; no limit where absent. */
  readonly maxRate?: number
  /** In bytes; no limit where absent. */
  readonly memoryLimit?: number
  readonly retention: RetentionPolicy
  /** What `HOLDFAST_FINGERPRINT` gives, which wins over that of a database. */
  readonly chosenFingerprint?: FingerprintLevel
  /** For databases that say nothing; the engine's own default where absent. */
  readonly fingerprint?: FingerprintLevel
  /** For databases that say nothing. */
  readonly alsoPortable: boolean
  readonly serverName: string
  readonly filename: string | ((facts: FilenameFacts) => string)
  readonly dateFormat: string
  readonly hooks: NonNullable<HoldfastConfig['hooks']>
  readonly notifiers: readonly NotifierSettings[]
  readonly mask?: MaskConfig
  readonly subset?: SubsetConfig
  readonly models: readonly ModelSource[]
  /** Absolute; absent where no metrics are wanted. */
  readonly metricsFile?: string
  readonly metadata?: HoldfastConfig['metadata']
  readonly validateRestore?: HoldfastConfig['validateRestore']
  readonly portable: PortableConfig
  /** Connectors by the name of an engine, for databases that are given by their URL. */
  readonly connectors?: NonNullable<HoldfastConfig['connectors']>
  /** As configured; what concerns one engine is looked at when a server of it is wanted. */
  readonly devServers: NonNullable<HoldfastConfig['devServers']>
  /** Where each effective value came from: `databases.default.url` → `environment DATABASE_URL`. */
  readonly origins: ReadonlyMap<string, string>
}

export interface DatabaseSettings {
  readonly alias: string
  readonly engine: Engine
  readonly connector: ConnectorFactory
  /** For restore, and for everything that is not a backup. */
  readonly connection: ConnectionSettings
  /** For backups: `connection` with the overrides of `backup`. */
  readonly backupConnection: ConnectionSettings
  readonly admin?: { readonly user: string; readonly password?: Secret }
  readonly tools: ToolSettings
  readonly options: ConnectorOptions
  readonly exclude: readonly string[]
  readonly excludeData: readonly string[]
  readonly schemas: readonly string[]
  /** Where its backups go; all configured storages where absent. */
  readonly storages?: readonly string[]
  readonly extension?: string
  readonly filename?: string | ((facts: FilenameFacts) => string)
  readonly retention?: RetentionPolicy
  readonly fingerprint?: FingerprintLevel
  readonly alsoPortable?: boolean
  readonly protected: boolean
  /** A restore that could not be undone makes a backup first. */
  readonly safetyBackup: boolean
  /** How restores get into it. */
  readonly strategy: RestoreStrategy
  /** Names of the settings that the configuration gives it, those with an empty value left out: `dumpCommand`, `backup.host`. */
  readonly given: readonly string[]
}

export interface StorageSettings {
  readonly name: string
  readonly driver: StorageDriver
  /** The driver's own settings, as configured. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly retention?: RetentionPolicy
  /** Holds files that are backed up: backups go to it, and are looked for in it, only where it is named. */
  readonly source?: true
}

/** Files that are backed up together. */
export interface FilesSettings {
  readonly alias: string
  /** A folder by its absolute path, or a storage by its name. */
  readonly source: { readonly folder: string } | { readonly storage: string }
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Where its backups go; all configured storages but those that are sources where absent. */
  readonly storages?: readonly string[]
  readonly filename?: string | ((facts: FilenameFacts) => string)
  readonly retention?: RetentionPolicy
}

export interface StageSettings {
  readonly kind: StageKind
  readonly settings: unknown
}
