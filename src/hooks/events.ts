import type { Manifest } from '../catalog/manifest.js'

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

/** What each hook is told, by the event's name. */
export interface HookEvents {
  beforeBackup: { readonly database: HookDatabase; readonly connector: string; readonly server: string }
  afterBackup: {
    readonly database: HookDatabase
    readonly connector: string
    readonly server: string
    readonly filename: string
    readonly storage: string
    readonly manifest: Manifest
  }
  beforeRestore: {
    readonly database: HookDatabase
    readonly databaseName: string
    readonly filename: string
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
}

export type HookName = keyof HookEvents
export type HookHandler<Name extends HookName> = (event: HookEvents[Name]) => void | Promise<void>

/** Handlers in the configuration: one, or several that run in order. */
export type HookConfig = {
  readonly [Name in HookName]?: HookHandler<Name> | readonly HookHandler<Name>[]
}
