import { selectTables } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import type { EditEntry } from './archive-edit.js'
import { ArchiveHeadReader, type ArchiveEntry } from './archive-toc.js'

/** What is asked of an entry to know whether it belongs to a table. */
export type SelectableEntry = Pick<ArchiveEntry, 'dumpId' | 'kind' | 'name' | 'schema' | 'needs'>

/** What can be named; pg_restore's own --table takes the same, but leaves keys, indexes and all else of a table out. */
const named = ['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE', 'SEQUENCE']
/** Named in the archive by their table and themselves: `film film_pkey`. They may need other tables, too. */
const ofOneTable = ['CONSTRAINT', 'FK CONSTRAINT', 'CHECK CONSTRAINT', 'TRIGGER', 'RULE', 'POLICY', 'DEFAULT']
const belonging = [
  ...['TABLE DATA', 'MATERIALIZED VIEW DATA', 'SEQUENCE', 'SEQUENCE OWNED BY', 'SEQUENCE SET', 'INDEX'],
  ...['INDEX ATTACH', 'TABLE ATTACH', 'STATISTICS', 'ROW SECURITY', 'COMMENT', 'ACL', 'SECURITY LABEL'],
]
/** What the archive says of itself; pg_restore reads it always. */
export const archiveSettings = ['ENCODING', 'STDSTRINGS', 'SEARCHPATH', 'DATABASE', 'DATABASE PROPERTIES']

/**
 * The entries of some tables with all that belongs to them: rows, partitions, keys, indexes, triggers, sequences of serial
 * columns, comments, privileges.
 * @param patterns as `exclude` takes them
 * @returns dump ids
 * @throws usage.pattern-unmatched
 */
export function selectedEntries(
  entries: readonly SelectableEntry[],
  patterns: readonly string[],
): ReadonlySet<number> {
  const chosen = chooseNamed(entries, patterns)
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]))
  // Partitions come with their table, and theirs with them.
  for (let before = -1; before < chosen.size;) {
    before = chosen.size
    for (const { kind, name, schema, needs } of entries) {
      if (kind !== 'TABLE ATTACH' || !needs.some((id) => chosen.has(id))) continue
      const partition = needs.find((id) => byId.get(id)?.name === name && byId.get(id)?.schema === schema)
      if (partition !== undefined) chosen.add(partition)
    }
  }
  for (const { kind, needs } of entries) {
    if (kind !== 'SEQUENCE OWNED BY' || !needs.some((id) => chosen.has(id))) continue
    for (const id of needs) if (byId.get(id)?.kind === 'SEQUENCE') chosen.add(id)
  }
  // An entry comes after those it needs.
  for (const entry of entries) if (belongs(entry, chosen, byId)) chosen.add(entry.dumpId)
  return chosen
}

function chooseNamed(entries: readonly SelectableEntry[], patterns: readonly string[]): Set<number> {
  const candidates = entries.filter(({ kind }) => named.includes(kind))
  const tables = candidates.map(({ schema = '', ...rest }) => ({ ...rest, schema }))
  const chosen = new Set<number>()
  const unmatched = patterns.filter((pattern) => {
    const found = new Set<unknown>(selectTables([pattern], tables, 'exclude', true))
    for (const table of tables) if (found.has(table)) chosen.add(table.dumpId)
    return found.size === 0
  })
  if (unmatched.length === 0) return chosen
  throw new HoldfastError('usage.pattern-unmatched', `the dump has no table ${unmatched.join(', ')}`, {
    details: { setting: 'tables', patterns: unmatched },
  })
}

function belongs(
  { kind, name, schema, needs }: SelectableEntry,
  chosen: ReadonlySet<number>,
  byId: ReadonlyMap<number, SelectableEntry>,
): boolean {
  const needed = needs.filter((id) => chosen.has(id))
  if (belonging.includes(kind)) return needed.length > 0
  if (!ofOneTable.includes(kind)) return false
  return needed.some((id) => {
    const table = byId.get(id)
    return table?.schema === schema && table !== undefined && name.startsWith(`${table.name} `)
  })
}

/** Of what an entry needs, these come with a table or are made where they are missing. */
const impliedNeeds = ['SCHEMA', 'CONSTRAINT', 'INDEX']

/** What chosen entries need and what is not chosen with them, in the archive's order: `function public.touch()`. */
export function neededBeside(
  entries: readonly SelectableEntry[],
  chosen: ReadonlySet<number>,
): readonly string[] {
  const needed = new Set(entries.flatMap(({ dumpId, needs }) => (chosen.has(dumpId) ? needs : [])))
  return entries
    .filter(({ dumpId, kind }) => needed.has(dumpId) && !chosen.has(dumpId) && !impliedNeeds.includes(kind))
    .map(
      ({ kind, schema, name }) => `${kind.toLowerCase()} ${schema === undefined ? '' : `${schema}.`}${name}`,
    )
}

/** Leaves everything else out of an archive. */
export function onlyEntries(head: Buffer, patterns: readonly string[]): EditEntry {
  const entries: SelectableEntry[] = []
  const reader = new ArchiveHeadReader(
    () => undefined,
    ({ dumpId, kind, name, schema, needs }) => entries.push({ dumpId, kind, name, schema, needs }),
  )
  reader.push(head)
  const chosen = selectedEntries(entries, patterns)
  return ({ dumpId, kind }) =>
    chosen.has(dumpId) || archiveSettings.includes(kind) ? {} : { definition: '', drop: '', data: false }
}
