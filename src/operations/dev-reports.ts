import type { Secret } from '../env/secret.js'

/** How to reach a development server. */
export interface DevConnection {
  readonly engine: string
  readonly name: string
  readonly folder: string
  readonly product: string
  readonly version: string
  readonly host: string
  /** 0 for a database that is a file. */
  readonly port: number
  readonly user: string
  readonly password: Secret
  readonly database: string
  /** `DATABASE_URL`. */
  readonly url: Secret
  /** What the engine's own programs read: `PGHOST`. */
  readonly variables: readonly (readonly [name: string, value: Secret])[]
}

/** A backup of a development server, in its folder. */
export interface DevBackup {
  /** Empty where it has no name but its time. */
  readonly name: string
  /** Absent for backups that a driver of the user's own has made. */
  readonly id?: string
  readonly created: Date
  readonly directory: string
  readonly sizeBytes: number
}

/** A server that is there for a while, with its folder. */
export interface DisposableServer extends DevConnection {
  /** Absent on Windows, and where the path of the temporary folder is long. */
  readonly socketDirectory?: string
  /** Paths by the driver's names: `{ postgres: '/usr/lib/postgresql/15/bin/postgres' }`. */
  readonly programs: Readonly<Record<string, string>>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
