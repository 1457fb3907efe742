import { z } from 'zod'
import type { Json, JsonObject } from '../env/json.js'
import { HoldfastError } from '../errors.js'
import { signatureSchema, type Signature } from '../signing/signing.js'
import { placeSchema, type ChainPlace } from './chain-link.js'

/** The newest manifest format that this version reads and the one it writes. */
export const manifestFormatVersion = 1

/** No manifest is larger; what claims to be is not read into memory. */
export const largestManifestBytes = 64 * 1024 * 1024

/**
 * What is known of a backup. The manifest is written last: what has no manifest is not a backup. `docs/format.md` describes
 * every field.
 */
export interface Manifest {
  readonly formatVersion: typeof manifestFormatVersion
  /** Sortable by time, unique: `20261120T130102345Z-k3f9q2`. */
  readonly id: string
  readonly kind: 'database' | 'files'
  /** RFC 3339 in UTC: when the backup began. */
  readonly created: string
  /** RFC 3339 in UTC: when its last byte was in the storage. */
  readonly finished: string
  /** The `serverName` of the machine that made it. */
  readonly server: string
  /** The version of Holdfast that wrote it. */
  readonly writer: string
  readonly database: { readonly alias: string; readonly name: string }
  /** Why it was made, where nobody asked for it: such a backup is never meant by `latest`. */
  readonly purpose?: 'before-restore' | undefined
  readonly engine: string
  readonly connector: string
  /** The format of the dump: `pg-custom`, `sql`, `sqlite-file`. */
  readonly format: string
  readonly source: {
    readonly product: string
    readonly version: string
    readonly encoding?: string | undefined
    readonly tables: number
  }
  /** Of kind `files`: what the archive holds, and what could not be taken as it was. */
  readonly files?:
    | {
        readonly entries: number
        /** Of all files together. */
        readonly bytes: number
        /** Files that changed while they were read. */
        readonly changed: number
        /** Files and folders that could not be read, and are not there. */
        readonly unreadable: number
      }
    | undefined
  readonly tools: readonly { readonly name: string; readonly version: string }[]
  /** The state of the working copy that made the backup; absent outside git. */
  readonly revision?:
    { readonly commit: string; readonly branch?: string | undefined; readonly dirty: boolean } | undefined
  readonly migrations: readonly {
    readonly tool: string
    readonly table: string
    readonly applied: readonly string[]
  }[]
  readonly schemaHash: string
  /** What was dumped, to compare a restored copy with; absent where none was wanted, and in older manifests. */
  readonly fingerprint?: ManifestFingerprint | undefined
  readonly options: {
    /** Of kind `files`: all but these are left out; empty means none are. */
    readonly include?: readonly string[] | undefined
    readonly exclude: readonly string[]
    readonly excludeData: readonly string[]
    readonly schemas: readonly string[]
  }
  readonly warnings: readonly string[]
  readonly parts: readonly ManifestPart[]
  readonly metadata: JsonObject
  /** Its place among the signed backups of its database; absent where it is not signed, as `signature`. */
  readonly chain?: ChainPlace | undefined
  readonly signature?: Signature | undefined
}

/** See docs/format.md, "Fingerprints". */
export interface ManifestFingerprint {
  readonly level: 'none' | 'counts' | 'content'
  readonly method: string
  readonly tables: readonly {
    readonly schema?: string | undefined
    readonly name: string
    readonly rows?: number | undefined
    readonly digest?: string | undefined
    readonly unproven?: string | undefined
  }[]
  readonly counters: readonly {
    readonly name: string
    readonly next: string
    readonly until?: string | undefined
  }[]
  /** By kind and name: `index public.film_title`. */
  readonly definitions: Readonly<Record<string, string>>
  readonly unproven?: string | undefined
}

export interface ManifestPart {
  readonly name: string
  readonly role: 'dump' | 'schema' | 'data' | 'post-data' | 'portable'
  readonly table?: string | undefined
  /** The dump itself, before any stage. Digests are lower-case hex. */
  readonly plain: { readonly bytes: number; readonly sha256: string }
  /** In the order of encoding; decode in reverse. */
  readonly stages: readonly { readonly id: string; readonly facts: Json }[]
  /** The artifact. `key` is relative to the storage's root. */
  readonly stored: { readonly key: string; readonly bytes: number; readonly sha256: string }
}

const jsonSchema: z.ZodType<Json> = z.json()
const bytes = z.int().nonnegative()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/u)
const text = z.string().max(10_000)
const names = z.array(text).max(100_000)
const measure = { bytes, sha256 }

const partSchema = z.object({
  name: text.min(1),
  role: z.enum(['dump', 'schema', 'data', 'post-data', 'portable']),
  table: text.optional(),
  plain: z.object(measure),
  stages: z.array(z.object({ id: text.min(1), facts: jsonSchema })).max(16),
  stored: z.object({ key: z.string().min(1).max(4_096), ...measure }),
})

const digits = z.string().regex(/^-?\d{1,80}$/u)
const fingerprintSchema = z.object({
  level: z.enum(['none', 'counts', 'content']),
  method: text,
  tables: z
    .array(
      z.object({
        schema: text.optional(),
        name: text,
        rows: bytes.optional(),
        digest: z.string().max(100).optional(),
        unproven: text.optional(),
      }),
    )
    .max(1_000_000),
  counters: z.array(z.object({ name: text, next: digits, until: digits.optional() })).max(1_000_000),
  definitions: z.record(text, z.string().max(100)),
  unproven: text.optional(),
}) satisfies z.ZodType<ManifestFingerprint>

const manifestSchema = z.object({
  formatVersion: z.literal(manifestFormatVersion),
  id: z.string().regex(/^\d{8}T\d{9}Z-[0-9a-z]{6,}$/u),
  kind: z.enum(['database', 'files']),
  created: z.iso.datetime(),
  finished: z.iso.datetime(),
  server: text,
  writer: text,
  database: z.object({ alias: text, name: text }),
  purpose: z.literal('before-restore').optional(),
  engine: text,
  connector: text,
  format: text,
  source: z.object({ product: text, version: text, encoding: text.optional(), tables: bytes }),
  files: z.object({ entries: bytes, bytes, changed: bytes, unreadable: bytes }).optional(),
  tools: z.array(z.object({ name: text, version: text })).max(100),
  revision: z.object({ commit: text, branch: text.optional(), dirty: z.boolean() }).optional(),
  migrations: z.array(z.object({ tool: text, table: text, applied: names })).max(100),
  schemaHash: text,
  fingerprint: fingerprintSchema.optional(),
  options: z.object({ include: names.optional(), exclude: names, excludeData: names, schemas: names }),
  warnings: z.array(text).max(10_000),
  parts: z.array(partSchema).min(1).max(100_000),
  metadata: z.record(z.string(), jsonSchema),
  chain: placeSchema.optional(),
  signature: signatureSchema.optional(),
}) satisfies z.ZodType<Manifest>

/** The JSON text of a manifest: indented, for people who read it without Holdfast. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

/**
 * @param name the object's key, for errors
 * @throws integrity.newer-format, integrity.manifest
 */
export function parseManifest(source: string, name: string): Manifest {
  return parseManifestDocument(source, name).manifest
}

/** The same, with all that the text says: `document` has fields that a newer version added. @throws as parseManifest */
export function parseManifestDocument(
  source: string,
  name: string,
): { readonly manifest: Manifest; readonly document: unknown } {
  const value = parseJson(source, name)
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion
  if (typeof version === 'number' && version > manifestFormatVersion) {
    throw new HoldfastError(
      'integrity.newer-format',
      `${name} has format version ${version}; this Holdfast reads up to ${manifestFormatVersion}`,
      { details: { key: name } },
    )
  }
  const parsed = manifestSchema.safeParse(value)
  if (parsed.success) return { manifest: parsed.data, document: value }
  const issue = parsed.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`
  throw new HoldfastError(
    'integrity.manifest',
    `${name} is not a manifest${where}: ${issue?.message ?? 'unknown shape'}`,
    {
      details: { key: name },
    },
  )
}

function parseJson(source: string, name: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new HoldfastError('integrity.manifest', `${name} is not JSON`, {
      cause: error,
      details: { key: name },
    })
  }
}
