import { z } from 'zod'
import { HoldfastError } from '../errors.js'

/**
 * Written before the first artifact of a backup and removed after its manifest: it names what an interrupted run leaves
 * behind, so that sweeping removes exactly that and never a file of somebody else's. Removing a backup writes one too.
 */
export interface PendingRecord {
  readonly formatVersion: 1
  /** What the record is kept under: the file name that a new backup has reserved, or the id of one that is being removed. */
  readonly name: string
  readonly id: string
  readonly alias: string
  /** RFC 3339 in UTC. */
  readonly started: string
  readonly keys: readonly string[]
}

const pendingSchema = z.object({
  formatVersion: z.literal(1),
  name: z.string().min(1).max(4_096),
  id: z.string().min(1).max(200),
  alias: z.string().max(10_000),
  started: z.iso.datetime(),
  keys: z.array(z.string().max(4_096)).max(100_000),
}) satisfies z.ZodType<PendingRecord>

export function formatPending(record: PendingRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`
}

/** @throws integrity.manifest */
export function parsePending(source: string, name: string): PendingRecord {
  try {
    return pendingSchema.parse(JSON.parse(source))
  } catch (error) {
    throw new HoldfastError('integrity.manifest', `${name} is not a record of a running backup`, {
      cause: error,
      details: { key: name },
    })
  }
}
