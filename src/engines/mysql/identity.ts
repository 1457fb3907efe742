/** Which of the two families a server or a program belongs to: they have grown apart, and each wants its own tools. */
export type Product = 'MySQL' | 'MariaDB'

export type Version = readonly [major: number, minor: number, patch: number]

/** What a server is, whatever the URL calls it. */
export interface ServerIdentity {
  readonly product: Product
  /** `10.11.19`, without what a distribution adds. */
  readonly version: string
  readonly numbers: Version
  /** In bytes: a statement that is longer is refused by the server. */
  readonly maxAllowedPacket: number
  /** Whether names of databases and tables that differ in case alone are the same (lower_case_table_names). */
  readonly foldsCase: boolean
}

/**
 * Reads the answer to `SELECT VERSION(), @@version_comment`. MariaDB names itself in at least one of the two; Percona Server
 * and the clouds' servers are MySQL to their tools.
 */
export function productOf(version: string, comment: string): Product {
  return /mariadb/iu.test(`${version} ${comment}`) ? 'MariaDB' : 'MySQL'
}

/** The numbers of a version text; MariaDB 10's replication prefix `5.5.5-` is left aside. */
export function versionNumbers(text: string): Version {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/u.exec(text.replace(/^5\.5\.5-(?=1\d\.)/u, ''))
  return found === null ? [0, 0, 0] : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
}

/** Below 0 where `a` is older than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

/** Whether `a` belongs to an older release series than `b`: 10.6 than 10.11, 8.0 than 8.4. */
export function olderSeries(a: Version, b: Version): boolean {
  return compareVersions([a[0], a[1], 0], [b[0], b[1], 0]) < 0
}
