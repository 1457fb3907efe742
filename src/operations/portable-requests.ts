import type { Readable, Writable } from 'node:stream'
import type { LoadMode } from '../engine/row-sink.js'
import type { LoadReport } from './portable-reports.js'
import type { Cancellable, DevSelection } from './requests.js'

/** Which tables: by name or pattern with `*`, with their schema or without, or the name of a group. All where absent. */
export interface TableChoice {
  readonly tables?: readonly string[]
  /** Names of groups, where a table may have the same name. */
  readonly groups?: readonly string[]
  readonly exclude?: readonly string[]
  /** A pattern that matches nothing is no error. */
  readonly allowMissing?: boolean
  /** The tables in which migration tools keep their state, which are left out otherwise. */
  readonly withMigrations?: boolean
}

/** What becomes of rows on their way out of a database. */
export interface SourceChanges {
  /** Only rows for which this holds, in the engine's own SQL, by table. */
  readonly where?: Readonly<Record<string, string>>
  /** Only the rows of the configured `subset`. */
  readonly subset?: boolean
  /** `false` leaves values as they are, whatever the configured `mask` says. */
  readonly mask?: false
}

export interface DumpRequestOptions extends Cancellable, TableChoice, SourceChanges {
  /** Alias or URL; the only configured database where absent. */
  readonly database?: string
  /** A folder (made if it is not there), a file `….ndjson`, `….ndjson.zst`, `….ndjson.gz` or `….tar`, or a stream. Default: the folder `datadir`. */
  readonly output?: string | Writable
  /** `zstd:3`, `gzip` or `none`. Default: what the name of a file says, else `none`, so that the files can be edited. */
  readonly compress?: string
}

/** The portable dump of a backup. */
export interface BackupChoice {
  /**
   * A backup with a portable dump, in place of `input`: an id or unique prefix, a file name in the storage, or `latest`, which is that
   * of the target unless `fromDatabase` names another.
   */
  readonly fromBackup?: string
  /** With `fromBackup`: the storage to look in. Default: all. */
  readonly storage?: string
  readonly fromDatabase?: string
}

export interface LoadRequest extends Cancellable, TableChoice, BackupChoice {
  /** A folder, a file, or a stream. Default: the folder `datadir`. */
  readonly input?: string | Readable
  /** What another tool has written: `dumpdb` for a folder of the Django script's files, `django` for a fixture of dumpdata. */
  readonly from?: string
  /** The database to load into: alias or URL; the only configured database where absent. */
  readonly database?: string
  /** Default `replace`. */
  readonly mode?: LoadMode
  /** Stop at the first cell that does not fit, rather than name all of them. Either way nothing is loaded. */
  readonly errorQuit?: boolean
  /** Look at everything, change nothing. */
  readonly dryRun?: boolean
  /** Leave out tables and columns that the target does not have, and say which. */
  readonly ignoreUnknown?: boolean
  /** Make tables that the target does not have. */
  readonly create?: boolean
  /** `false` keeps what was loaded without reading it back and comparing it. Rows are counted all the same. */
  readonly check?: boolean
  /** Load although the target cannot hold all that the dump says. */
  readonly acceptLossy?: boolean
  /** Take files that were edited after they were written. */
  readonly acceptEdits?: boolean
  /** Load although the migrations of the target are behind, or differ. */
  readonly force?: boolean
  /** `{ 'users.email': 'mail' }`: the column at the target, and the one in the dump. */
  readonly rename?: Readonly<Record<string, string>>
  /** Asked once, with the plan, where rows would be deleted. Absent or false: `refused.not-confirmed`. */
  readonly confirm?: boolean | ((plan: LoadReport) => boolean | Promise<boolean>)
  /** The name of a protected database. */
  readonly confirmName?: string
}

/** Out of a development server. */
export interface DevDumpRequest extends DevSelection, Omit<DumpRequestOptions, 'database'> {}

/** Into a development server. */
export interface DevLoadRequest
  extends DevSelection, Omit<LoadRequest, 'database' | 'confirmName' | keyof BackupChoice> {}

export interface CopyRequest
  extends Omit<LoadRequest, 'input' | 'database' | 'acceptEdits' | keyof BackupChoice>, SourceChanges {
  /** Aliases or URLs. */
  readonly from: string
  readonly to: string
}

export interface ResealRequest extends Cancellable {
  /** Folders or files of a portable dump. Default: the folder `datadir`. */
  readonly paths?: readonly string[]
}
