import { z } from 'zod'

/** Names a manifest by its id and the SHA-256 of its bytes. */
export interface ChainLink {
  readonly id: string
  readonly sha256: string
}

/** Where a signed backup stands among those of its database in its storage. */
export interface ChainPlace {
  /** Grows by one with each backup. */
  readonly sequence: number
  /** The newest backups before it: one, none for the first, or several where runs overlapped. */
  readonly previous: readonly ChainLink[]
}

export const linkSchema = z.object({
  id: z.string().max(200),
  sha256: z.string().regex(/^[0-9a-f]{64}$/u),
})

export const placeSchema = z.object({
  sequence: z.int().positive(),
  previous: z.array(linkSchema).max(100_000),
}) satisfies z.ZodType<ChainPlace>
