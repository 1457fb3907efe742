import { z } from 'zod'
import type { MigrationState } from '../engine/migrations.js'
import { HoldfastError } from '../errors.js'

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

const shape = z.object({
  holdfast: z.literal(1),
  kind: z.literal('portable'),
  created: z.string(),
  engine: z.string(),
  server: z.string(),
  database: z.string(),
  migrations: z.array(z.object({ tool: z.string(), table: z.string(), applied: z.array(z.string()) })),
  tables: z.array(z.object({ table: z.string(), file: z.string(), rows: z.number(), sum64: z.string() })),
  masked: z.literal(true).optional(),
  subset: z.literal(true).optional(),
  warnings: z.array(z.string()),
})

/** @throws integrity.manifest, integrity.newer-format */
export function parsePortableManifest(value: unknown, name: string): PortableManifest {
  const { holdfast, kind } = (value ?? {}) as { readonly holdfast?: unknown; readonly kind?: unknown }
  if (kind === 'portable' && typeof holdfast === 'number' && holdfast > 1)
    throw new HoldfastError(
      'integrity.newer-format',
      `${name}: format ${holdfast} was written by a newer version of Holdfast`,
    )
  const parsed = shape.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new HoldfastError(
      'integrity.manifest',
      `${name} is no manifest of a portable dump: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    )
  }
  return parsed.data as PortableManifest
}
