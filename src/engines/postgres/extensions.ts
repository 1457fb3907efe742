import type { RestoreRequest } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import type { EditEntry, EntryEdit } from './archive-edit.js'
import type { ArchiveEntry } from './archive-toc.js'
import { adminAccount, placeOf, type Connection } from './connection.js'
import { absentExtensions, checkMayMake, extensionTables, type ExtensionTable } from './extension-catalog.js'
import { identifier, qualifiedName } from './quoting.js'
import type { DumpContents, DumpedExtension } from './restore-contents.js'
import type { RestoreWork } from './restore.js'
import { withSession, type PostgresSession } from './session.js'

/*
 * Extensions apart from the restore: those that the target lacks are made before it, with the admin account, and none is ever
 * dropped. So a dump with an extension that only a superuser may make, such as PostGIS, is restored by an ordinary user.
 */

/**
 * Whether the extensions of a dump can be made, and filled, at a target. Changes nothing.
 * @param session to the target, or, where it is yet to be made, to the database from which it will be
 * @returns what is lost of the extensions' own tables
 * @throws database.denied, database.requirement-missing
 */
export async function checkExtensions(
  cx: Context,
  { settings, contents, request }: RestoreWork,
  session: PostgresSession,
  exists: boolean,
): Promise<readonly string[]> {
  const wanted = contents.allExtensions
  if (wanted.length === 0) return []
  const anew = !exists || request.clean === 'database'
  const absent = anew ? wanted : await absentExtensions(session, wanted)
  const account = adminAccount(session.connection, settings)
  if (absent.length > 0) await withSession(cx, account, (admin) => checkMayMake(admin, absent, anew))
  if (anew) return []
  const tables = await filledTables(session, contents, session.connection.user)
  const closed = tables.filter(({ lacking }) => lacking.length > 0)
  if (closed.length > 0 && settings.admin === undefined) throw closedTables(session.connection, closed)
  if (request.clean === 'none') return []
  return tables
    .filter(({ ownRows }) => ownRows)
    .map(({ schema, name, extension }) => `rows of ${schema}.${name} that are not ${extension}'s own`)
}

/**
 * Makes what is absent, gives the restore the privileges it needs, and takes these back when it has ended.
 * @returns what the restore has said, and what it could not do without saying so
 */
export async function withExtensions(
  cx: Context,
  work: RestoreWork,
  connection: Connection,
  restore: (edit: EditEntry) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const { settings, contents, request } = work
  if (contents.allExtensions.length === 0) return restore(() => ({}))
  const account = adminAccount(connection, settings)
  const undo: string[] = []
  const takeBack: string[] = []
  const cleanUp = { ...cx, signal: new AbortController().signal }
  try {
    const made = await withSession(cx, account, async (session) => {
      for (const extension of await absentExtensions(session, contents.allExtensions))
        await make(session, extension, work, connection.user, undo)
      const filled = await filledTables(session, contents, connection.user)
      for (const table of filled) await open(session, table, connection.user, takeBack)
      return { tables: filled, foreign: await foreignTo(connection.user, session, contents) }
    })
    const grants = new ForeignGrants(made.foreign)
    const edit = withoutExtensions(contents.allExtensions, made, request)
    const said = await restore((entry) => {
      grants.note(entry)
      return edit(entry)
    })
    return [...said, ...grants.warnings(connection, work)]
  } catch (error) {
    await inReverse(cleanUp, account, undo)
    throw error
  } finally {
    await inReverse(cleanUp, account, takeBack)
  }
}

async function make(
  session: PostgresSession,
  { name, schema }: DumpedExtension,
  { settings, contents }: RestoreWork,
  user: string,
  undo: string[],
): Promise<void> {
  if (schema !== undefined) {
    const [there] = await session.rows('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
    if (there === undefined) {
      const owner = (settings.options.noOwner === true ? undefined : contents.schemas?.get(schema)) ?? user
      await session.rows(`CREATE SCHEMA ${identifier(schema)} AUTHORIZATION ${identifier(owner)}`)
      undo.push(`DROP SCHEMA ${identifier(schema)}`)
    }
  }
  const place = schema === undefined ? '' : ` WITH SCHEMA ${identifier(schema)}`
  await session.rows(`CREATE EXTENSION ${identifier(name)}${place}`)
  undo.push(`DROP EXTENSION ${identifier(name)}`)
}

async function open(
  session: PostgresSession,
  { kind, schema, name, lacking }: ExtensionTable,
  user: string,
  takeBack: string[],
): Promise<void> {
  if (lacking.length === 0) return
  const what = `${lacking.join(', ')} ON ${kind === 'sequence' ? 'SEQUENCE ' : ''}${qualifiedName(schema, name)}`
  takeBack.push(`REVOKE ${what} FROM ${identifier(user)}`)
  await session.rows(`GRANT ${what} TO ${identifier(user)}`)
}

interface MadeExtensions {
  readonly tables: readonly ExtensionTable[]
  readonly foreign: Foreign
}

/** What does not belong to the user, who can neither comment on it nor grant privileges on it. */
interface Foreign {
  readonly extensions: readonly string[]
  /** Schemas of extensions. */
  readonly schemas: readonly string[]
}

async function foreignTo(
  user: string,
  session: PostgresSession,
  { allExtensions }: DumpContents,
): Promise<Foreign> {
  const schemas = await session.rows<{ readonly name: string }>(
    `SELECT nspname::text AS name FROM pg_catalog.pg_namespace
     WHERE nspname = ANY ($1::text[]) AND nspname <> 'public' AND NOT pg_catalog.pg_has_role($2, nspowner, 'USAGE')`,
    [allExtensions.map(({ schema }) => schema ?? ''), user],
  )
  const extensions = await session.rows<{ readonly name: string }>(
    `SELECT extname::text AS name FROM pg_catalog.pg_extension
     WHERE extname = ANY ($1::text[]) AND NOT pg_catalog.pg_has_role($2, extowner, 'USAGE')`,
    [allExtensions.map(({ name }) => name), user],
  )
  return { extensions: extensions.map(({ name }) => name), schemas: schemas.map(({ name }) => name) }
}

/** pg_restore does not say that the server has ignored a GRANT of somebody who may not grant. */
class ForeignGrants {
  readonly #foreign: Foreign
  readonly #ids = new Set<number>()
  readonly #grants: ArchiveEntry[] = []

  constructor(foreign: Foreign) {
    this.#foreign = foreign
  }

  note(entry: ArchiveEntry): void {
    this.#ids.add(entry.dumpId)
    if (entry.kind === 'ACL') this.#grants.push(entry)
  }

  warnings({ user }: Connection, { settings }: RestoreWork): readonly string[] {
    if (settings.options.noPrivileges === true) return []
    const schemas = this.#foreign.schemas.flatMap((name) => [`SCHEMA ${name}`, `SCHEMA ${identifier(name)}`])
    const ignored = this.#grants.filter(
      ({ name, needs }) =>
        schemas.includes(name) ||
        (this.#foreign.extensions.length > 0 && !needs.some((id) => this.#ids.has(id))),
    )
    if (ignored.length === 0) return []
    const names = ignored.map(({ name, schema }) =>
      schema === undefined || schema === '' ? name : `${name} (${schema})`,
    )
    return [
      `privileges on what belongs to extensions were not restored, since ${user} does not own it: ${names.join(', ')}`,
    ]
  }
}

/** What cannot be taken back is said, and the restore's own outcome stands. */
async function inReverse(cx: Context, account: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return
  try {
    await withSession(cx, account, async (session) => {
      for (const statement of statements.toReversed()) await session.rows(statement)
    })
  } catch (error) {
    const message = `${placeOf(account)}: could not ${statements.toReversed().join('; ')}: ${asHoldfastError(error).message}`
    cx.emit({ type: 'notice', level: 'warning', message })
  }
}

/** The tables of extensions that the dump has rows for. */
async function filledTables(
  session: PostgresSession,
  { allExtensions, filled }: DumpContents,
  user: string,
): Promise<readonly ExtensionTable[]> {
  if (filled.length === 0) return []
  const named = new Set(filled.map(({ schema, name }) => `${schema}\0${name}`))
  const tables = await extensionTables(
    session,
    allExtensions.map(({ name }) => name),
    user,
  )
  return tables.filter(({ schema, name }) => named.has(`${schema}\0${name}`))
}

/**
 * The archive without what makes and drops the extensions and the schemas they lie in. Rows of their tables that came from
 * users go before those of the dump come, in the transaction of the restore.
 */
function withoutExtensions(
  extensions: readonly DumpedExtension[],
  { tables, foreign }: MadeExtensions,
  { clean }: RestoreRequest,
): EditEntry {
  const names = new Set(extensions.map(({ name }) => name))
  const comments = new Set([
    ...foreign.extensions.flatMap((name) => [`EXTENSION ${name}`, `EXTENSION ${identifier(name)}`]),
    ...foreign.schemas.flatMap((name) => [`SCHEMA ${name}`, `SCHEMA ${identifier(name)}`]),
  ])
  const schemas = new Set(extensions.map(({ schema }) => schema))
  const rows = new Map(tables.map((table) => [`${table.schema}\0${table.name}`, table]))
  const nothing: EntryEdit = { definition: '', drop: '' }
  return (entry: ArchiveEntry) => {
    const { kind, name, schema, copy, definition } = entry
    if (kind === 'EXTENSION' && names.has(name)) return nothing
    if (kind === 'COMMENT' && comments.has(name)) return nothing
    // The schema public has a comment in place of its statement, and perhaps an owner of its own.
    if (kind === 'SCHEMA' && schemas.has(name) && definition?.startsWith('--') !== true) return nothing
    const table = kind === 'TABLE DATA' ? rows.get(`${schema}\0${name}`) : undefined
    if (table?.kind !== 'table' || copy === undefined || clean === 'none') return {}
    return {
      copy: `DELETE FROM ONLY ${qualifiedName(table.schema, table.name)} ${table.condition};\n${copy}`,
    }
  }
}

function closedTables({ user }: Connection, tables: readonly ExtensionTable[]): HoldfastError {
  const names = tables.map(({ schema, name }) => qualifiedName(schema, name))
  const grants = tables.map(
    ({ schema, name, lacking }) =>
      `GRANT ${lacking.join(', ')} ON ${qualifiedName(schema, name)} TO ${identifier(user)}`,
  )
  return new HoldfastError(
    'database.denied',
    `${user} may not write ${names.join(', ')}, which the dump has rows for`,
    { hint: `configure adminUser and adminPassword, or have an administrator run ${grants.join('; ')}` },
  )
}
