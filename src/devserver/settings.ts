import type { Secret } from '../env/secret.js'

/** What the user has chosen for the servers of one engine, with defaults filled in. */
export interface DevServerSettings {
  /** The folder of the server's programs. Default: wherever packages put them. */
  readonly programs?: string
  /** Default: one that is free when the server is made, which it keeps. */
  readonly port?: number
  readonly user: string
  /** Default: a random one. */
  readonly password?: Secret
  readonly database: string
  readonly serverArgs: readonly string[]
  /** How long a server may take to answer. Default 60 000. */
  readonly readyTimeoutMs?: number
  /** Path of a template in place of the driver's guide. */
  readonly guide?: string
}
