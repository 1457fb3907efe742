import type { RestoreRequest } from '../../engine/connector.js'
import { ArchiveHeadReader } from './archive-toc.js'
import { filledTables } from './partial-restore.js'
import { identifier, literal, qualifiedName } from './quoting.js'
import type { DumpContents } from './restore-contents.js'
import type { PostgresSession } from './session.js'

/** What is said to the server around a restore of rows alone, in the same transaction. */
export interface AroundRows {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export const nothingAround: AroundRows = { before: [], after: [] }

/** The tables of a dump, and those they are partitions of, whose triggers and keys work on their rows, too. */
const family = `WITH RECURSIVE family(oid) AS (
    SELECT c.oid FROM unnest($1::text[], $2::text[]) AS w(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    UNION
    SELECT p.oid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhrelid = f.oid
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p')`

/**
 * Rows come in the order of the dump, which is not that of foreign keys; and triggers would change them. So the keys of the
 * target are dropped and made again, which checks them, and its triggers are put to rest: an owner may do so, where to disable
 * the triggers of keys, as pg_restore's --disable-triggers does, needs a superuser and checks nothing.
 */
export async function aroundRows(
  session: PostgresSession,
  contents: DumpContents,
  head: Buffer,
  { clean }: RestoreRequest,
): Promise<AroundRows> {
  const tables = filledTables(contents)
  const names = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]
  const keys = await session.rows<Key>(
    `${family}
     SELECT n.nspname::text AS schema, c.relname::text AS table, k.conname::text AS name,
            pg_catalog.pg_get_constraintdef(k.oid) AS definition, pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
     FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'f'
       -- Since 11: the part of a partition goes with that of its table.
       AND coalesce((pg_catalog.to_jsonb(k) ->> 'conparentid')::oid, 0) = 0
       AND (k.conrelid IN (SELECT oid FROM family) OR k.confrelid IN (SELECT oid FROM family)) ORDER BY k.oid`,
    names,
  )
  const triggers = await session.rows<Trigger>(
    `${family}
     SELECT n.nspname::text AS schema, c.relname::text AS table, t.tgname::text AS name, t.tgenabled::text AS state
     FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid IN (SELECT oid FROM family) ORDER BY t.oid`,
    names,
  )
  const emptied = tables.map(({ schema, name }) => qualifiedName(schema, name)).join(', ')
  const empty =
    clean === 'none'
      ? []
      : [...(emptied === '' ? [] : [`TRUNCATE TABLE ONLY ${emptied}`]), ...unlinked(largeObjects(head))]
  return {
    before: [...triggers.map(rest), ...keys.map(drop), ...empty],
    after: [...keys.flatMap(make), ...triggers.map(wake)],
  }
}

interface OfTable {
  readonly schema: string
  readonly table: string
  readonly name: string
}

interface Key extends OfTable {
  readonly definition: string
  readonly comment: string | null
}

interface Trigger extends OfTable {
  /** `O` for origin, `R` for replica, `A` for always. */
  readonly state: string
}

const alter = ({ schema, table }: OfTable) => `ALTER TABLE ${qualifiedName(schema, table)}`

const drop = (key: Key) => `${alter(key)} DROP CONSTRAINT ${identifier(key.name)}`

function make(key: Key): readonly string[] {
  const { schema, table, name, definition, comment } = key
  const whose = `CONSTRAINT ${identifier(name)} ON ${qualifiedName(schema, table)}`
  return [
    `${alter(key)} ADD CONSTRAINT ${identifier(name)} ${definition}`,
    ...(comment === null ? [] : [`COMMENT ON ${whose} IS ${literal(comment)}`]),
  ]
}

const rest = (trigger: Trigger) => `${alter(trigger)} DISABLE TRIGGER ${identifier(trigger.name)}`

function wake(trigger: Trigger): string {
  const how = { R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' }[trigger.state] ?? 'ENABLE'
  return `${alter(trigger)} ${how} TRIGGER ${identifier(trigger.name)}`
}

/** The ids of the large objects that an archive makes: an entry each, since 17 one for many. */
function largeObjects(head: Buffer): readonly string[] {
  const ids: string[] = []
  const reader = new ArchiveHeadReader(
    () => undefined,
    ({ kind, name, definition = '' }) => {
      if (kind === 'BLOB') ids.push(name)
      else if (kind === 'BLOB METADATA') ids.push(...definition.split('\n'))
    },
  )
  reader.push(head)
  return ids.filter((id) => /^\d+$/u.test(id))
}

function unlinked(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return []
  return [
    `SELECT pg_catalog.count(pg_catalog.lo_unlink(oid)) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN (${ids.join(', ')})`,
  ]
}
