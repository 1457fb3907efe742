import type { MigrationState } from '../engine/migrations.js'

/** `manifest.json` of a portable dump. */
export interface PortableManifest {
  readonly holdfast: 1
  readonly kind: 'portable'
  /** RFC 3339 in UTC. */
  readonly created: string
  readonly engine: string
  readonly server: string
  readonly database: string
  readonly migrations: readonly MigrationState[]
  /** In the order to load them, parents first. */
  readonly tables: readonly PortableTable[]
  /** Some values were replaced. A restore that needs all of a database refuses it. */
  readonly masked?: true
  /** Some rows were left out. */
  readonly subset?: true
  readonly warnings: readonly string[]
}

export interface PortableTable {
  /** `public.users` */
  readonly table: string
  /** Below the dump's folder: `tables/public.users.ndjson.zst`. */
  readonly file: string
  readonly rows: number
  readonly sum64: string
}
