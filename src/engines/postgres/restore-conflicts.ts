import { counted } from '../../env/counted.js'
import { HoldfastError } from '../../errors.js'
import { listed, type Relation } from './catalog.js'
import type { PostgresSession } from './session.js'

/** What needs a table that is dropped, and is not made anew with it. */
export async function refuseDependents(
  session: PostgresSession,
  place: string,
  met: readonly Relation[],
): Promise<void> {
  const found = await session.rows<{ readonly what: string; readonly needs: string }>(
    `SELECT DISTINCT what, needs FROM (
       SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0) AS what,
              d.refobjid, d.refobjid::pg_catalog.regclass::text AS needs, r.ev_class AS holder
       FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
       WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       UNION ALL
       SELECT pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, 0), k.confrelid,
              k.confrelid::pg_catalog.regclass::text, k.conrelid
       FROM pg_catalog.pg_constraint k WHERE k.contype = 'f') AS dependents
     WHERE refobjid = ANY ($1::oid[]) AND holder <> ALL ($1::oid[]) ORDER BY 1, 2`,
    [met.map(({ oid }) => oid)],
  )
  const [first] = found
  if (first === undefined) return
  const others = found.length === 1 ? '' : `, and ${counted(found.length - 1, 'more dependent')}`
  throw new HoldfastError(
    'refused.not-empty',
    `${place}: ${first.needs} cannot be dropped and made anew: ${first.what} needs it and is not restored with it${others}`,
    {
      hint: 'restore what needs it as well, or the rows alone with --data-only',
      details: { dependents: found.map(({ what }) => what) },
    },
  )
}

/** What a dump that drops nothing makes may be there: only the restore itself can tell. */
export function collisionWarnings(place: string, relations: readonly Relation[]): readonly string[] {
  if (relations.length === 0) return []
  return [
    `the dump drops nothing: if it makes something of a name that ${place} has already, the restore fails, and changes nothing (there are ${listed(relations)})`,
  ]
}

/** What the dump does not have, and a restore in place does not touch. */
export function stayingWarnings(
  place: string,
  met: readonly Relation[] | undefined,
  relations: readonly Relation[],
): readonly string[] {
  if (met === undefined || met.length === 0) return []
  const staying = relations.filter((each) => !met.includes(each))
  if (staying.length === 0) return []
  return [
    `the backup does not have ${listed(staying)} of ${place}: left as ${staying.length === 1 ? 'it is' : 'they are'}`,
  ]
}
