/** A version as PostgreSQL's programs and servers say it. */
export interface Version {
  /** 15; 9.6 for the versions before 10, whose first two numbers made the major version. */
  readonly major: number
  readonly minor: number
  /** Without what a distributor has added: `15.18`, `18beta1`. */
  readonly text: string
}

/** Reads `15.18 (Debian 15.18-0+deb12u1)`, `pg_dump (PostgreSQL) 9.6.24`, `18beta1`; all 0 where there is no number. */
export function parseVersion(text: string): Version {
  const found = /(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(?:alpha|beta|rc)\d+|devel)?/u.exec(
    text.replace(/^.*\(PostgreSQL\)/u, ''),
  )
  if (found === null) return { major: 0, minor: 0, text: 'unknown' }
  const [whole, first = '0', second = '0', third = '0'] = found
  return Number(first) >= 10
    ? { major: Number(first), minor: Number(second), text: whole }
    : { major: Number(`${first}.${second}`), minor: Number(third), text: whole }
}

/** The minor versions with the fix of CVE-2025-8714 and -8715, and with psql's \restrict. */
const fixedMinors: ReadonlyMap<number, number> = new Map([
  [13, 22],
  [14, 19],
  [15, 14],
  [16, 10],
  [17, 6],
])

/** Whether psql knows \restrict: https://www.postgresql.org/docs/current/app-psql.html */
export function hasRestrict({ major, minor }: Version): boolean {
  const fixed = fixedMinors.get(major)
  return fixed === undefined ? major >= 18 : minor >= fixed
}

/**
 * What is known to be wrong with a client of this version, for `doctor`; `undefined` where nothing is. In plain SQL dumps made
 * or restored by such a client, a hostile origin server can have psql run commands on the machine that restores:
 * https://www.postgresql.org/support/security/CVE-2025-8714/ and …-8715/
 */
export function knownBadClient(version: string): string | undefined {
  const parsed = parseVersion(version)
  if (parsed.major === 0 || hasRestrict(parsed)) return undefined
  const fixed = fixedMinors.get(parsed.major)
  const remedy = fixed === undefined ? 'use version 13.22 or later' : `update to ${parsed.major}.${fixed}`
  return `client ${parsed.text} has CVE-2025-8714 and CVE-2025-8715: ${remedy}`
}
