import { ArchiveHeadReader, type ArchiveEntry, type ArchiveHeader } from './archive-toc.js'
import { neededBeside, selectedEntries } from './archive-selection.js'
import type { RelationKind } from './catalog.js'
import { parseVersion } from './version.js'

/** What is known of a dump from its first bytes, before anything is changed. */
export interface DumpContents {
  /** The version of the server it was taken from, where it says so. */
  readonly serverVersion?: string
  /** The version of pg_dump. */
  readonly dumpVersion?: string
  /** Options of CREATE DATABASE that make one like the dump's: `ENCODING`, `LOCALE`. */
  readonly databaseOptions: DatabaseOptions
  /** Tables and the like that it makes; absent where only the whole dump would tell. */
  readonly relations?: readonly NamedRelation[]
  /** The schemas it has something for, with their owners where it makes them; absent where only the whole dump would tell. */
  readonly schemas?: ReadonlyMap<string, string | undefined>
  /** Those that a restore makes. */
  readonly extensions: readonly string[]
  /** Every extension in it, in an order that they can be made in; also where only a part of it is restored. */
  readonly allExtensions: readonly DumpedExtension[]
  /** Where only a part is restored: what that needs, and what the target has to have already. */
  readonly neededBeside?: readonly string[]
  /** Tables and sequences that it brings rows or a position for. */
  readonly filled: readonly QualifiedName[]
  /** Roles that own what it makes. */
  readonly owners: ReadonlySet<string>
  /** Roles that it grants privileges to. */
  readonly grantees: ReadonlySet<string>
  /** Roles that its policies and user mappings name, which are needed whatever is left out. */
  readonly named: ReadonlySet<string>
  /** The oldest major version of its tool that reads it. */
  readonly readableFrom: number
  /** It has statements of its own that drop what it makes. */
  readonly drops: boolean
}

/** As CREATE DATABASE takes them: https://www.postgresql.org/docs/current/sql-createdatabase.html */
export type DatabaseOptions = Readonly<Record<string, string>>

export interface QualifiedName {
  readonly schema: string
  readonly name: string
}

export interface NamedRelation extends QualifiedName {
  readonly kind: RelationKind
}

export interface DumpedExtension {
  readonly name: string
  readonly schema: string | undefined
}

const relationKinds: ReadonlyMap<string, RelationKind> = new Map([
  ['TABLE', 'table'],
  ['VIEW', 'view'],
  ['MATERIALIZED VIEW', 'materialized view'],
  ['SEQUENCE', 'sequence'],
  ['FOREIGN TABLE', 'foreign table'],
])

/** The first pg_restore that reads a version of the archive format. */
function readerOf(version: number): number {
  if (version >= 16) return 17
  if (version === 15) return 16
  return version === 14 ? 12 : 9
}

/** Collects what an archive's table of contents says, without keeping all of it. */
export class ArchiveContents {
  readonly #reader: ArchiveHeadReader
  #header: ArchiveHeader | undefined
  #complete = false
  readonly #only: readonly string[]
  readonly #relations: NamedRelation[] = []
  readonly #schemas = new Map<string, string | undefined>()
  readonly #extensions: string[] = []
  readonly #allExtensions: DumpedExtension[] = []
  readonly #filled: QualifiedName[] = []
  readonly #owners = new Set<string>()
  readonly #grantees = new Set<string>()
  readonly #named = new Set<string>()
  #options: DatabaseOptions = {}

  readonly #tables: readonly string[]
  /** Where a part is chosen: an entry may need one that comes before it. */
  readonly #entries: ArchiveEntry[] = []

  /**
   * @param only what is in these schemas; empty means all
   * @param tables what belongs to these tables, as patterns; empty means all
   */
  constructor(only: readonly string[] = [], tables: readonly string[] = []) {
    this.#only = only
    this.#tables = tables
    this.#reader = new ArchiveHeadReader(
      (header) => {
        this.#header = header
      },
      (entry) => {
        if (tables.length + only.length === 0 || entry.kind === 'DATABASE' || entry.kind === 'EXTENSION')
          this.#note(entry)
        else this.#entries.push(entry)
      },
    )
  }

  /** Takes the next bytes; `true` once the whole table of contents has been read. @throws integrity.* */
  push(chunk: Uint8Array): boolean {
    this.#complete ||= this.#reader.push(chunk) !== undefined
    return this.#complete
  }

  /** `undefined` where the archive has ended before its table of contents has. @throws usage.pattern-unmatched */
  result(): DumpContents | undefined {
    if (!this.#complete || this.#header === undefined) return undefined
    const chosen = this.#chosen()
    const beside = neededBeside(this.#entries, new Set(chosen.map(({ dumpId }) => dumpId)))
    for (const entry of chosen) this.#note(entry)
    this.#entries.length = 0
    return {
      serverVersion: parseVersion(this.#header.serverVersion).text,
      dumpVersion: parseVersion(this.#header.dumpVersion).text,
      databaseOptions: this.#options,
      relations: this.#relations,
      schemas: this.#schemas,
      extensions: this.#extensions,
      allExtensions: this.#allExtensions,
      neededBeside: beside,
      filled: this.#filled,
      owners: this.#owners,
      grantees: this.#grantees,
      named: this.#named,
      readableFrom: readerOf(this.#header.version),
      drops: false,
    }
  }

  #chosen(): readonly ArchiveEntry[] {
    const inSchemas = this.#entries.filter((entry) => this.#isWanted(entry))
    if (this.#tables.length === 0) return inSchemas
    const chosen = selectedEntries(this.#entries, this.#tables)
    return inSchemas.filter(({ dumpId }) => chosen.has(dumpId))
  }

  #isWanted({ kind, name, schema }: Pick<ArchiveEntry, 'kind' | 'name' | 'schema'>): boolean {
    const place = kind === 'SCHEMA' ? name : schema
    return this.#only.length === 0 || (place !== undefined && this.#only.includes(place))
  }

  #note({ kind, name, schema, owner, definition }: ArchiveEntry): void {
    if (kind === 'DATABASE') {
      this.#options = databaseOptions(definition ?? '')
      return
    }
    if (kind === 'EXTENSION') this.#allExtensions.push({ name, schema: schemaOf(definition ?? '') })
    if (!this.#isWanted({ kind, name, schema })) return
    if (kind === 'SCHEMA') this.#schemas.set(name, owner)
    else if (schema !== undefined && schema !== '' && !this.#schemas.has(schema))
      this.#schemas.set(schema, undefined)
    if (kind === 'TABLE DATA' || kind === 'SEQUENCE SET') {
      // Rows have no owner; whose table it is, the table's own entry says.
      if (schema !== undefined) this.#filled.push({ schema, name })
      return
    }
    if (owner !== undefined && owner !== '') this.#owners.add(owner)
    const relation = relationKinds.get(kind)
    if (relation !== undefined && schema !== undefined) this.#relations.push({ kind: relation, schema, name })
    else if (kind === 'EXTENSION' && this.#tables.length === 0) this.#extensions.push(name)
    else if (kind === 'ACL' || kind === 'DEFAULT ACL') {
      for (const role of granteesOf(definition ?? '')) this.#grantees.add(role)
    } else if (kind === 'POLICY' || kind === 'USER MAPPING') {
      for (const role of rolesNamedBy(definition ?? '')) this.#named.add(role)
    }
  }
}

/** What CREATE DATABASE says after its template; the name before it may hold anything. */
function databaseOptions(statement: string): DatabaseOptions {
  const after = statement.slice(statement.lastIndexOf('WITH TEMPLATE = template0'))
  const options: Record<string, string> = {}
  const option =
    /\b(ENCODING|LOCALE_PROVIDER|LOCALE|LC_COLLATE|LC_CTYPE|ICU_LOCALE|ICU_RULES|BUILTIN_LOCALE) = (?:'((?:[^']|'')*)'|(\w+))/gu
  for (const [, name = '', quoted, word] of after.matchAll(option))
    options[name] = quoted?.replaceAll("''", "'") ?? word ?? ''
  return options
}

/** What `CREATE EXTENSION … WITH SCHEMA gis;` says. */
function schemaOf(definition: string): string | undefined {
  const found = / WITH SCHEMA (?:"((?:[^"]|"")+)"|([^\s";]+));/u.exec(definition)
  return found?.[1]?.replaceAll('""', '"') ?? found?.[2]
}

/** A name as pg_dump writes it. */
const written = String.raw`(?:"(?:[^"]|"")+"|[^\s"';:,.()]+)`

/** The roles of `GRANT … TO role;` lines as pg_dump writes them. */
function granteesOf(statements: string): readonly string[] {
  const roles = [...statements.matchAll(/ TO ("(?:[^"]|"")+"|[^\s";,]+)(?: WITH GRANT OPTION)?;$/gmu)]
  return roles.map(([, role = '']) => unquoted(role)).filter((role) => role !== 'PUBLIC')
}

const policy = new RegExp(
  `^CREATE POLICY ${written} ON (?:${written}\\.)?${written}(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO (${written}(?:, ${written})*)`,
  'u',
)
const userMapping = new RegExp(`^CREATE USER MAPPING FOR (${written}) SERVER `, 'u')

/** `CREATE POLICY p ON t TO role, other USING (…);`, `CREATE USER MAPPING FOR role SERVER s;` */
function rolesNamedBy(statement: string): readonly string[] {
  const list = (policy.exec(statement) ?? userMapping.exec(statement))?.[1] ?? ''
  const roles = [...list.matchAll(new RegExp(written, 'gu'))].map(([role]) => unquoted(role))
  return roles.filter((role) => role.toUpperCase() !== 'PUBLIC')
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/** What the first bytes of a plain dump say. */
export function sqlContents(head: Buffer): DumpContents {
  const text = head.toString('latin1')
  const serverVersion = /^-- Dumped from database version (.+?)\r?$/mu.exec(text)?.[1]
  const encoding = /^SET client_encoding = '([^']+)';\r?$/mu.exec(text)?.[1]
  return {
    ...(serverVersion === undefined ? {} : { serverVersion: parseVersion(serverVersion).text }),
    databaseOptions: encoding === undefined ? {} : { ENCODING: encoding },
    extensions: [],
    allExtensions: [],
    filled: [],
    owners: new Set(),
    grantees: new Set(),
    named: new Set(),
    readableFrom: 0,
    drops: /^DROP /mu.test(text) || /^ALTER .* DROP /mu.test(text),
  }
}
