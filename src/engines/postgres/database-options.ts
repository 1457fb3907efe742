import { HoldfastError } from '../../errors.js'
import type { DatabaseOptions } from './restore-contents.js'
import { identifier, literal } from './quoting.js'
import type { PostgresSession } from './session.js'

/** What a database has beside its contents, and a new one in its place should have, too. */
export interface DatabaseProperties {
  readonly owner: string
  readonly options: DatabaseOptions
  /** Statements that give a database of another name the same settings, privileges, limit and comment. */
  dress(name: string): readonly string[]
}

/** Makes an empty database, from template0: a dump has everything else. @throws database.* */
export async function createDatabase(
  session: PostgresSession,
  name: string,
  owner: string,
  { major, options: asked }: { readonly major: number; readonly options: DatabaseOptions },
): Promise<readonly string[]> {
  const options = understoodBy(major, asked)
  const make = (chosen: DatabaseOptions) =>
    session.rows(
      `CREATE DATABASE ${identifier(name)} OWNER ${identifier(owner)} TEMPLATE template0 ${written(chosen)}`,
    )
  const encoding = options['ENCODING'] === undefined ? {} : { ENCODING: options['ENCODING'] }
  // The locale of the dump, else the server's own, else none: not every server has every locale, nor fits it every encoding.
  const attempts: readonly (readonly [DatabaseOptions, string])[] = [
    [options, ''],
    [encoding, `has the server's own collation: it has no ${localeOf(options)}`],
    [
      { ...encoding, LC_COLLATE: 'C', LC_CTYPE: 'C' },
      `has collation C: no other of the server fits ${encoding.ENCODING}`,
    ],
  ]
  let refused: unknown
  for (const [chosen, warning] of attempts) {
    try {
      await make(chosen)
      return warning === '' ? [] : [`the new database ${name} ${warning}`]
    } catch (error) {
      if (!isAboutLocale(error)) throw error
      refused ??= error
    }
  }
  throw refused
}

/** The options of a newer version in the words of this one, where it has any for them. */
function understoodBy(major: number, { LOCALE_PROVIDER, LOCALE, ...rest }: DatabaseOptions): DatabaseOptions {
  const provider =
    LOCALE_PROVIDER === undefined || (major < 15 && LOCALE_PROVIDER === 'libc') ? {} : { LOCALE_PROVIDER }
  if (LOCALE === undefined) return { ...rest, ...provider }
  return major < 13
    ? { ...rest, ...provider, LC_COLLATE: LOCALE, LC_CTYPE: LOCALE }
    : { ...rest, ...provider, LOCALE }
}

/** Invalid locale name, wrong encoding for a locale, a provider that the server lacks. */
function isAboutLocale(error: unknown): boolean {
  const state = error instanceof HoldfastError ? error.details['state'] : undefined
  return typeof state === 'string' && ['22023', '42809', '42601', '0A000', '42704'].includes(state)
}

function localeOf(options: DatabaseOptions): string {
  return options['LOCALE'] ?? options['ICU_LOCALE'] ?? options['LC_COLLATE'] ?? 'such locale'
}

function written(options: DatabaseOptions): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} = ${literal(value)}`)
    .join(' ')
}

/** Drops a database that this run has made, with whatever session of a killed tool still holds it. */
export async function dropDatabase(session: PostgresSession, name: string, major: number): Promise<void> {
  const drop = `DROP DATABASE IF EXISTS ${identifier(name)}`
  try {
    // The server sends an autovacuum worker away by itself; with FORCE it asks whether this role may, which an owner may not.
    await session.rows(drop)
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'database.busy') throw error
    if (major < 13) await endSessions(session, name)
    await session.rows(major < 13 ? drop : `${drop} WITH (FORCE)`)
  }
}

/** A database with subscriptions cannot be dropped; those of a half restored one have never been connected. */
export async function dropSubscriptions(session: PostgresSession): Promise<void> {
  for (const name of await subscriptions(session)) {
    const subscription = `SUBSCRIPTION ${identifier(name)}`
    await session.rows(`ALTER ${subscription} DISABLE`)
    await session.rows(`ALTER ${subscription} SET (slot_name = NONE)`)
    await session.rows(`DROP ${subscription}`)
  }
}

/** Publications of other databases that this one receives. */
export async function subscriptions(session: PostgresSession): Promise<readonly string[]> {
  const found = await session.rows<{ readonly name: string }>(
    `SELECT s.subname::text AS name FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
     WHERE d.datname = pg_catalog.current_database() ORDER BY 1`,
  )
  return found.map(({ name }) => name)
}

export async function endSessions(session: PostgresSession, name: string): Promise<void> {
  await session.rows(
    'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()',
    [name],
  )
}

/** Who else uses a database: `psql (holdfast)`, a name each. */
export async function otherSessions(session: PostgresSession, name: string): Promise<readonly string[]> {
  const found = await session.rows<{ readonly who: string }>(
    `SELECT coalesce(nullif(application_name, ''), 'a session') || ' (' || coalesce(usename, '?') || ')' AS who
     FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
     ORDER BY 1`,
    [name],
  )
  return found.map(({ who }) => who)
}

interface PropertiesRow {
  readonly owner: string
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  readonly provider: string
  readonly locale: string | null
  readonly rules: string | null
  readonly tablespace: string
  readonly limit: number
  readonly comment: string | null
  readonly acl:
    | readonly { readonly role: string | null; readonly privilege: string; readonly grantable: boolean }[]
    | null
  readonly settings: readonly { readonly role: string | null; readonly settings: readonly string[] }[]
}

/** @throws database.not-found */
export async function databaseProperties(
  session: PostgresSession,
  name: string,
  major: number,
): Promise<DatabaseProperties> {
  const provider = major >= 15 ? 'd.datlocprovider' : "'c'"
  const locale = major >= 17 ? 'd.datlocale' : major >= 15 ? 'd.daticulocale' : 'NULL'
  const rules = major >= 16 ? 'd.daticurules' : 'NULL'
  const [row] = await session.rows<PropertiesRow>(
    `SELECT pg_get_userbyid(d.datdba)::text AS owner, pg_encoding_to_char(d.encoding)::text AS encoding,
            d.datcollate::text AS collate, d.datctype::text AS ctype, ${provider}::text AS provider, ${locale}::text AS locale,
            ${rules}::text AS rules, t.spcname::text AS tablespace, d.datconnlimit AS limit,
            shobj_description(d.oid, 'pg_database') AS comment,
            (SELECT json_agg(json_build_object('role', r.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable))
             FROM aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee) AS acl,
            (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'settings', s.setconfig)), '[]')
             FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid) AS settings
     FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [name],
  )
  if (row === undefined) throw new HoldfastError('database.not-found', `there is no database ${name}`)
  return { owner: row.owner, options: optionsOf(row, major), dress: (other) => statementsOf(row, other) }
}

function optionsOf(
  { encoding, collate, ctype, provider, locale, rules, tablespace }: PropertiesRow,
  major: number,
): DatabaseOptions {
  const providers: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' }
  const named = major >= 15 ? providers[provider] : undefined
  return {
    ENCODING: encoding,
    LC_COLLATE: collate,
    LC_CTYPE: ctype,
    ...(named === undefined ? {} : { LOCALE_PROVIDER: named }),
    ...(locale === null || named === undefined
      ? {}
      : { [named === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE']: locale }),
    ...(rules === null || major < 16 ? {} : { ICU_RULES: rules }),
    ...(tablespace === 'pg_default' ? {} : { TABLESPACE: tablespace }),
  }
}

function statementsOf({ limit, comment, acl, settings }: PropertiesRow, other: string): readonly string[] {
  const database = `DATABASE ${identifier(other)}`
  return [
    ...(limit === -1 ? [] : [`ALTER ${database} CONNECTION LIMIT ${limit}`]),
    ...(comment === null ? [] : [`COMMENT ON ${database} IS ${literal(comment)}`]),
    ...(acl === null ? [] : [`REVOKE ALL ON ${database} FROM PUBLIC`]),
    ...(acl ?? []).map(
      ({ role, privilege, grantable }) =>
        `GRANT ${privilege} ON ${database} TO ${role === null ? 'PUBLIC' : identifier(role)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    ),
    ...settings.flatMap(({ role, settings: values }) =>
      values.map((setting) => {
        const at = setting.indexOf('=')
        const whose = role === null ? `ALTER ${database}` : `ALTER ROLE ${identifier(role)} IN ${database}`
        return settingStatement(whose, setting.slice(0, at), setting.slice(at + 1))
      }),
    ),
  ]
}

/** Settings that are lists of names (GUC_LIST_QUOTE): one string constant would be one name. */
const listSettings = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]

function settingStatement(whose: string, name: string, value: string): string {
  const items = value.match(/"(?:[^"]|"")*"|[^,\s]+/gu) ?? []
  const list = items
    .map((item) => literal(item.startsWith('"') ? item.slice(1, -1).replaceAll('""', '"') : item))
    .join(', ')
  const quoted = name.split('.').map(identifier).join('.')
  return `${whose} SET ${quoted} TO ${listSettings.includes(name) && list !== '' ? list : literal(value)}`
}
