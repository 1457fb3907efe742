import type { EditEntry } from './archive-edit.js'
import type { PostgresSession } from './session.js'

/**
 * pg_dump drops the primary key of a partition by itself, which PostgreSQL refuses while its parent has one ("cannot drop
 * inherited constraint"): no dump of such tables restores with --clean. Their drop statements are not needed, since the
 * partitions themselves are dropped right after: they are left out on the way.
 */
export interface InheritedConstraint {
  readonly schema: string
  /** The table and the constraint, as an archive names them: `film_2024 film_2024_pkey`. */
  readonly tag: string
  /** The two statements that pg_dump can have written, with and without IF EXISTS. */
  readonly drops: readonly string[]
}

/** The constraints at the target that only their parents can drop. */
export async function inheritedConstraints(
  session: PostgresSession,
  major: number,
): Promise<readonly InheritedConstraint[]> {
  // Before 11 partitioned tables had no keys.
  if (major < 11) return []
  const found = await session.rows<{ schema: string; tag: string; table: string; name: string }>(`
    SELECT n.nspname::text AS schema, c.relname || ' ' || k.conname AS tag,
           quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS table, quote_ident(k.conname) AS name
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('p', 'u', 'x') AND k.conparentid <> 0`)
  return found.map(({ schema, tag, table, name }) => ({
    schema,
    tag,
    drops: [
      `ALTER TABLE IF EXISTS ONLY ${table} DROP CONSTRAINT IF EXISTS ${name}`,
      `ALTER TABLE ONLY ${table} DROP CONSTRAINT ${name}`,
    ],
  }))
}

/** Leaves the statements that drop these constraints out of an archive. */
export function withoutDrops(constraints: readonly InheritedConstraint[]): EditEntry {
  const named = new Set(constraints.map(({ schema, tag }) => `${schema}\0${tag}`))
  return ({ kind, schema, name }) =>
    kind === 'CONSTRAINT' && named.has(`${schema}\0${name}`) ? { drop: '' } : {}
}
