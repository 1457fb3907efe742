import type { Manifest } from '../catalog/manifest.js'
import type { ProgressEvent } from '../env/context.js'
import type { ErrorCode } from '../errors.js'

/** A database as handlers see it: settings without passwords. */
export interface HookDatabase {
  readonly alias: string
  /** The database's own name, or the path of its file. */
  readonly name: string
  readonly engine: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
}

/** What an event comes from. */
export type Operation =
  | 'backup'
  | 'restore'
  | 'verify'
  | 'drill'
  | 'prune'
  | 'files-backup'
  | 'files-restore'
  | 'dump'
  | 'load'
  | 'copy'

/** How far an operation had come when it failed; `before` and `after` are the hooks themselves. */
export type Phase =
  | 'plan'
  | 'inspect'
  | 'find'
  | 'check'
  | 'confirm'
  | 'before'
  | 'dump'
  | 'restore'
  | 'compare'
  | 'verify'
  | 'after'
  | 'retention'

/** What each hook is told, by the event's name. */
export interface HookEvents {
  beforeBackup: { readonly database: HookDatabase; readonly connector: string; readonly server: string }
  afterBackup: {
    readonly database: HookDatabase
    readonly connector: string
    readonly server: string
    readonly filename: string
    /** The first storage that has it. */
    readonly storage: string
    readonly manifest: Manifest
  }
  beforeRestore: {
    readonly database: HookDatabase
    readonly databaseName: string
    readonly filename: string
    /** The server that made the backup. */
    readonly server: string
    readonly storage: string
  }
  afterRestore: {
    readonly database: HookDatabase
    readonly databaseName: string
    readonly filename: string
    readonly server: string
    readonly connector: string
    readonly storage: string
  }
  beforeFilesBackup: { readonly server: string; readonly storage: string }
  afterFilesBackup: { readonly server: string; readonly storage: string; readonly filename: string }
  beforeFilesRestore: { readonly filename: string; readonly server: string; readonly storage: string }
  afterFilesRestore: { readonly filename: string; readonly server: string; readonly storage: string }
  /** Before backups of one storage are removed, with all that is to go. */
  beforePrune: {
    readonly server: string
    readonly storage: string
    readonly remove: readonly { readonly id: string; readonly database: string; readonly created: string }[]
  }
  afterPrune: { readonly server: string; readonly storage: string; readonly removed: readonly string[] }
  /** One backup has been read to its end, or not. */
  afterVerify: {
    readonly id: string
    readonly server: string
    readonly ok: boolean
    readonly storage?: string
    readonly database?: string
    readonly code?: ErrorCode
    readonly message?: string
  }
  /** An operation has failed, for one database or altogether. */
  onFailure: {
    readonly operation: Operation
    readonly phase: Phase
    readonly server: string
    readonly database?: HookDatabase
    readonly code: ErrorCode
    readonly message: string
  }
  /** While bytes pass; what comes when the handlers are still busy is left out, but for the last of a phase. */
  onProgress: Omit<ProgressEvent, 'type'>
}

export type HookName = keyof HookEvents

/** The events whose handlers can stop what is about to happen. */
export type VetoName = Extract<HookName, `before${string}`>

export function canVeto(name: HookName): name is VetoName {
  return name.startsWith('before')
}
