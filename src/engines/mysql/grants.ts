import type { ServerSession } from './session.js'

/** What an account may do with a database as a whole. Rights on single tables or routines do not count. */
export interface Grants {
  /** @param privilege `SHOW VIEW`, as SHOW GRANTS spells it */
  onDatabase(privilege: string): boolean
  /** On every database of the server. */
  onServer(privilege: string): boolean
}

/** Asks what the connected account may do, its active roles included. */
export async function readGrants(session: ServerSession): Promise<Grants> {
  const lines = await grantLines(session)
  return parseGrants(lines, session.settings.name)
}

async function grantLines(session: ServerSession): Promise<readonly string[]> {
  const ask = async (sql: string) =>
    (await session.query<Record<string, string>>(sql)).flatMap((row) => Object.values(row))
  try {
    // MariaDB answers for the current role, too; MySQL has to be told.
    const [role] =
      session.identity.product === 'MySQL' ? await ask('SELECT CURRENT_ROLE()').catch(() => []) : []
    const withRoles = role === undefined || role === 'NONE' ? '' : ` FOR CURRENT_USER() USING ${role}`
    return await ask(`SHOW GRANTS${withRoles}`)
  } catch {
    // A server without privilege tables (--skip-grant-tables) refuses the question and nothing else.
    return ['GRANT ALL PRIVILEGES ON *.* TO ``@``']
  }
}

/** @param lines of SHOW GRANTS; where none of them names a scope (some proxies), the server itself has to refuse */
export function parseGrants(lines: readonly string[], database: string): Grants {
  let understood = false
  const server = new Set<string>()
  const whole = new Set<string>()
  for (const line of lines) {
    const found =
      /^(GRANT|REVOKE) (.+?) ON (\*|`(?:[^`]|``)*`|'(?:[^']|'')*'|[^\s.]+)\.\* (?:TO|FROM) /su.exec(line)
    if (found === null) continue
    understood = true
    const [, verb, list = '', scope = ''] = found
    const privileges = list.split(',').map((each) => each.trim().toUpperCase())
    const sets = scope === '*' ? [server, whole] : matchesScope(scope, database) ? [whole] : []
    for (const set of sets) {
      for (const privilege of privileges) {
        if (verb === 'GRANT') set.add(privilege)
        else set.delete(privilege)
      }
    }
  }
  const has = (set: ReadonlySet<string>) => (privilege: string) =>
    !understood || set.has('ALL PRIVILEGES') || set.has(privilege)
  return { onServer: has(server), onDatabase: has(whole) }
}

/** A scope is a pattern: `_` and `%` as in LIKE, with a backslash before those that are meant themselves. */
function matchesScope(scope: string, database: string): boolean {
  const quote = scope[0]
  const pattern = quote === '`' || quote === "'" ? scope.slice(1, -1).replaceAll(quote + quote, quote) : scope
  const source = pattern.replace(
    /\\([_%])|([_%])|([^_%\\]|\\)/gsu,
    (_all, escaped?: string, wild?: string, other?: string) =>
      wild === undefined ? escapeRegExp(escaped ?? other ?? '') : wild === '_' ? '.' : '.*',
  )
  return new RegExp(`^${source}$`, 'su').test(database)
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')
}
