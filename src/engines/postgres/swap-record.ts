import { literal, identifier } from './quoting.js'

/**
 * What is known of a swap, as the comment of the database that it has made: comments are in the catalog that all databases of a server
 * share, go with a database when it is renamed, and change in one transaction with its name.
 */
export interface SwapRecord {
  readonly role: 'restoring' | 'before'
  /** The name of the database that it is to replace, or has been. */
  readonly of: string
  /** RFC 3339 in UTC. */
  readonly at: string
  /** What the comment was. */
  readonly comment: string | null
}

const beginning = 'holdfast swap '

export function commentOf(database: string, record: SwapRecord): string {
  return setComment(database, beginning + JSON.stringify(record))
}

export function setComment(database: string, comment: string | null): string {
  return `COMMENT ON DATABASE ${identifier(database)} IS ${comment === null ? 'NULL' : literal(comment)}`
}

/** Absent where the comment is somebody else's. */
export function parseRecord(comment: string | null): SwapRecord | undefined {
  if (comment?.startsWith(beginning) !== true) return undefined
  try {
    const { role, of, at, comment: was } = JSON.parse(comment.slice(beginning.length)) as Partial<SwapRecord>
    if ((role !== 'restoring' && role !== 'before') || typeof of !== 'string' || typeof at !== 'string')
      return undefined
    return { role, of, at, comment: typeof was === 'string' ? was : null }
  } catch {
    return undefined
  }
}
