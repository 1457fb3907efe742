import { z } from 'zod'
import type { RestorePart, RestoreSource } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'

/** The name of the part that lists the pieces. */
export const listPart = 'pieces'
/** The name of the part with everything else: an archive of pg_dump. */
export const archivePart = 'schema'

/** Some of the rows of a table, as a line of the list says it. */
export interface ListedPiece {
  /** The name of its part. */
  readonly piece: string
  readonly schema: string
  readonly table: string
  /** The statement that loads it: `COPY public.film (title) FROM STDIN`. */
  readonly copy: string
}

const line = z.object({
  piece: z.string().min(1),
  schema: z.string().min(1),
  table: z.string().min(1),
  copy: z.string().regex(/^COPY "/u),
}) satisfies z.ZodType<ListedPiece>

/** A JSON document in each line, for people who read it without Holdfast. */
export function formatPieces(pieces: readonly ListedPiece[]): string {
  return pieces
    .map(({ piece, schema, table, copy }) => `${JSON.stringify({ piece, schema, table, copy })}\n`)
    .join('')
}

/** A piece with the part that it lies in. */
export interface StoredPiece extends ListedPiece {
  readonly part: RestorePart
}

/** What the list of a dump names. @throws integrity.format, integrity.missing-artifact */
export async function readPieces(source: RestoreSource): Promise<readonly StoredPiece[]> {
  const rows = source.parts.filter(({ role }) => role === 'data')
  const list = source.parts.find(({ name }) => name === listPart)
  if (list === undefined) {
    if (rows.length === 0) return []
    throw new HoldfastError('integrity.missing-artifact', 'the backup has rows and no list of them')
  }
  const chunks: Buffer[] = []
  for await (const chunk of await source.open(list)) chunks.push(Buffer.from(chunk as Buffer))
  const text = Buffer.concat(chunks).toString('utf8')
  if (!text.endsWith('\n'))
    throw new HoldfastError('integrity.truncated', 'the list of pieces ends within a line')
  const pieces = text.trimEnd().split('\n').map(parseLine)
  const byName = new Map(rows.map((part) => [part.name, part]))
  return pieces.map((piece) => {
    const part = byName.get(piece.piece)
    if (part !== undefined) return { ...piece, part }
    throw new HoldfastError('integrity.missing-artifact', `the backup has no part ${piece.piece}`)
  })
}

function parseLine(text: string): ListedPiece {
  try {
    return line.parse(JSON.parse(text))
  } catch (error) {
    throw new HoldfastError('integrity.format', 'the list of pieces has a line that is not one', {
      cause: error,
    })
  }
}
