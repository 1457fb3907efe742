import { nativeParts, portablePart } from '../../../catalog/parts.js'
import type { StoredBackup } from '../../../operations/reports.js'

/** A backup in short, as it stands in several documents; `holdfast show --json` has the whole manifest. */
export type StoredBackupDocument = {
  readonly id: string
  readonly storage: string
  readonly kind: 'database' | 'files'
  /** Made before a restore; never meant by `latest`. */
  readonly purpose?: 'before-restore'
  /** RFC 3339 in UTC: when the backup began. */
  readonly created: string
  /** The database's name in the configuration. */
  readonly database: string
  /** Its own name, or the path of its file. */
  readonly databaseName: string
  readonly server: string
  readonly engine: string
  readonly connector: string
  /** Keys of the artifacts in the storage. */
  readonly keys: readonly string[]
  /** Of the dump that a restore is made of. */
  readonly plainBytes: number
  /** Of the portable dump beside it; absent where there is none. */
  readonly portableBytes?: number
  readonly storedBytes: number
  /** What the dump went through: `["zstd", "age"]`. */
  readonly stages: readonly string[]
  readonly warnings: number
  /** How far a restored copy can be compared with it. */
  readonly fingerprint: 'none' | 'counts' | 'content'
  /** `unchecked` where no key of `sign` is configured; `foreign` where the key is not among them. */
  readonly signature: 'none' | 'unchecked' | 'valid' | 'invalid' | 'foreign'
  /** The last time that it was restored to prove it; `key` is that of the report. Absent where it never was. */
  readonly lastDrill?: LastDrillDocument
}

export type LastDrillDocument = {
  readonly time: string
  readonly result: 'passed' | 'failed'
  readonly key: string
}

export function storedBackupDocument({
  storage,
  manifest,
  signature = 'none',
  lastDrill,
}: StoredBackup): StoredBackupDocument {
  const { id, kind, purpose, created, database, server, engine, connector, parts, warnings, fingerprint } =
    manifest
  const portable = portablePart(manifest)
  return {
    id,
    storage,
    kind,
    ...(purpose === undefined ? {} : { purpose }),
    created,
    database: database.alias,
    databaseName: database.name,
    server,
    engine,
    connector,
    keys: parts.map((part) => part.stored.key),
    plainBytes: nativeParts(manifest).reduce((sum, part) => sum + part.plain.bytes, 0),
    ...(portable === undefined ? {} : { portableBytes: portable.plain.bytes }),
    storedBytes: parts.reduce((sum, part) => sum + part.stored.bytes, 0),
    stages: [...new Set(parts.flatMap((part) => part.stages.map((stage) => stage.id)))],
    warnings: warnings.length,
    fingerprint: fingerprint?.level ?? 'none',
    signature,
    ...lastDrillField(lastDrill),
  }
}

export function lastDrillField(drill: StoredBackup['lastDrill']): Pick<StoredBackupDocument, 'lastDrill'> {
  if (drill === undefined) return {}
  const { time, result, key } = drill
  return { lastDrill: { time: time.toISOString(), result, key } }
}
