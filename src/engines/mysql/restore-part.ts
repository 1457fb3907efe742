import { Transform } from 'node:stream'
import type { RestorePart, RestoreRequest, RestoreSource } from '../../engine/connector.js'
import { tableMatcher } from '../../engine/selection.js'
import { HoldfastError } from '../../errors.js'
import { dumpHeadOf } from './dump-head.js'
import { DumpSections, type Section } from './dump-sections.js'

/** What a restore of a part takes out of a dump. */
export interface ChosenPart {
  readonly keeps: (section: Section) => boolean
  /** Whether an artifact of rows holds any of it. */
  readonly keepsRowsOf: (part: RestorePart) => boolean
  /** Tables, views and sequences whose definitions it makes. */
  readonly made: readonly string[]
  /** Tables whose rows it brings. */
  readonly filled: readonly string[]
  /** What it refers to and does not have: `table author`. */
  readonly needs: readonly string[]
}

/**
 * Reads the dump for what it holds, and chooses.
 * @throws usage.not-supported where it is no dump of the tools; usage.pattern-unmatched
 */
export async function choosePart(
  source: RestoreSource,
  request: RestoreRequest,
  head: Buffer,
): Promise<ChosenPart> {
  const { tables = [], schemaOnly = false, dataOnly = false } = request
  const contents = await readContents(source, head, request)
  const wanted = namesFor(tables, contents)
  const has = (name: string) => tables.length === 0 || wanted.has(name)
  const keeps = (section: Section): boolean => {
    switch (section.kind) {
      case 'rows':
      case 'sequence-value':
        return !schemaOnly && has(section.name)
      case 'table':
      case 'view':
      case 'sequence':
        return !dataOnly && has(section.name)
      case 'trigger':
        return !dataOnly && (tables.length === 0 || (section.table !== undefined && has(section.table)))
      case 'routines':
      case 'events':
        return !dataOnly && tables.length === 0
    }
  }
  return {
    keeps,
    keepsRowsOf: ({ table }) => !schemaOnly && (table === undefined || has(table)),
    made: dataOnly ? [] : [...contents.kinds.keys()].filter(has),
    filled: schemaOnly ? [] : [...contents.filled].filter(has),
    needs: dataOnly || tables.length === 0 ? [] : needsOf(contents, wanted),
  }
}

/** Lets through what belongs to the part, and what is about the dump as a whole. */
export function pickingOut({ keeps }: ChosenPart): Transform {
  const sections = new DumpSections((bytes, section) => {
    if (section === undefined || keeps(section)) picked.push(bytes)
  })
  const picked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sections.push(chunk)
      done()
    },
    flush(done) {
      sections.end()
      done()
    },
  })
  return picked
}

interface Contents {
  readonly kinds: ReadonlyMap<string, 'table' | 'view' | 'sequence'>
  readonly filled: ReadonlySet<string>
  /** The statements of each, its triggers' too. */
  readonly definitions: ReadonlyMap<string, string>
}

async function readContents(
  source: RestoreSource,
  head: Buffer,
  { tables = [], dataOnly }: RestoreRequest,
): Promise<Contents> {
  if (dumpHeadOf(head.toString('utf8', 0, 4_096)) === undefined)
    throw new HoldfastError(
      'usage.not-supported',
      'only a dump of mysqldump or mariadb-dump, with its comments, is restored in part: nothing else tells where a table begins',
      { hint: 'restore it as a whole into a database of its own with --to NAME --create' },
    )
  const kinds = new Map<string, 'table' | 'view' | 'sequence'>()
  const filled = new Set<string>()
  const definitions = new Map<string, string>()
  const define = (name: string, bytes: Buffer) =>
    definitions.set(name, (definitions.get(name) ?? '') + bytes.toString('utf8'))
  const take = (bytes: Buffer, section: Section | undefined) => {
    switch (section?.kind) {
      case 'rows':
        filled.add(section.name)
        break
      case 'table':
      case 'view':
      case 'sequence':
        kinds.set(section.name, section.kind)
        define(section.name, bytes)
        break
      case 'trigger':
        if (section.table !== undefined) define(section.table, bytes)
        else if (tables.length > 0)
          throw new HoldfastError(
            'usage.not-supported',
            'the dump has a trigger that does not say clearly which table it is of',
          )
    }
  }
  for (const part of source.parts) {
    if (part.role === 'data' && part.table !== undefined) filled.add(part.table)
    else if (part.role !== 'data' || dataOnly === true) {
      const sections = new DumpSections(take)
      for await (const chunk of await source.open(part)) sections.push(chunk as Buffer)
      sections.end()
    }
  }
  return { kinds, filled, definitions }
}

/** @throws usage.pattern-unmatched */
function namesFor(patterns: readonly string[], { kinds, filled }: Contents): ReadonlySet<string> {
  const names = [...new Set([...kinds.keys(), ...filled])]
  const matchers = patterns.map((pattern) => ({ pattern, matches: tableMatcher(pattern) }))
  const unmatched = matchers.filter(({ matches }) => !names.some((name) => matches({ name })))
  if (unmatched.length > 0) {
    const named = unmatched.map(({ pattern }) => pattern)
    throw new HoldfastError('usage.pattern-unmatched', `the dump has no table ${named.join(', ')}`, {
      details: { setting: 'tables', patterns: named },
    })
  }
  return new Set(names.filter((name) => matchers.some(({ matches }) => matches({ name }))))
}

const referring =
  /\b(?:REFERENCES|nextval\(|next value for|from|join)\s*\(*\s*(?:`(?:[^`]|``)+`\.)?`((?:[^`]|``)+)`/giu

/** Tables of foreign keys, sequences of defaults, and what views read. */
function needsOf({ kinds, definitions }: Contents, wanted: ReadonlySet<string>): readonly string[] {
  const texts = [...wanted].map((name) => definitions.get(name) ?? '')
  const named = texts.flatMap((text) =>
    [...text.matchAll(referring)].map(([, name = '']) => name.replaceAll('``', '`')),
  )
  return [...new Set(named)]
    .filter((name) => kinds.has(name) && !wanted.has(name))
    .map((name) => `${kinds.get(name) ?? ''} ${name}`)
    .toSorted()
}
