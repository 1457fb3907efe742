import { createHash } from 'node:crypto'
import { notOfExtension, userSchema } from './catalog.js'
import { definitionQueries } from './definitions.js'
import type { PostgresSession } from './session.js'
import type { Version } from './version.js'

/**
 * A SHA-256 over the definitions of everything the user has made: the same for a database and its restored copy, whatever
 * their object ids, the order of their catalogs, dropped columns, owners, privileges and rows.
 */
export function schemaHash(definitions: readonly string[]): string {
  const hash = createHash('sha256')
  for (const line of definitions) hash.update(line).update('\n')
  return hash.digest('hex')
}

/**
 * A line of JSON for each definition, or for each piece of one, in an order of no server's. Called in a snapshot, whose settings
 * fix how definitions are written.
 */
export async function definitionLines(
  session: PostgresSession,
  version: Version,
): Promise<readonly string[]> {
  const kinds: (readonly string[])[] = []
  for (const query of definitionQueries(version, userSchema, notOfExtension)) {
    // As one value: a row for each of 40 000 lines costs more than to read the definitions. JSON has no line ends in it.
    const [found] = await session.rows<{ readonly lines: string | null }>(
      `SELECT pg_catalog.string_agg(line, E'\\n') AS lines FROM (${query}) AS kind`,
    )
    kinds.push(found?.lines?.split('\n') ?? [])
  }
  // By code units, in no collation of the server's.
  return kinds.flat().sort()
}
