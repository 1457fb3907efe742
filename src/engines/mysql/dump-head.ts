import { versionNumbers, type Product, type Version } from './identity.js'

/** What a dump says of itself in its first lines. */
export interface DumpHead {
  /** Whose tool wrote it. */
  readonly family: Product
  /** Of the server it was taken from. */
  readonly serverVersion?: Version
}

/**
 * The comments that mysqldump and mariadb-dump begin with. Before them may stand the line with which MariaDB's tool turns off
 * shell commands in its client, and a statement of ours.
 */
export function dumpHeadOf(text: string): DumpHead | undefined {
  const family = /^-- (MariaDB|MySQL) dump /mu.exec(text)?.[1]
  if (family === undefined) return undefined
  const version = /^-- Server version\s+(\S+)/mu.exec(text)?.[1]
  return {
    // Older MariaDB tools call their output a MySQL dump and tell the truth in the rest of the line.
    family: family === 'MariaDB' || /^-- MySQL dump .*MariaDB/mu.test(text) ? 'MariaDB' : 'MySQL',
    ...(version === undefined ? {} : { serverVersion: versionNumbers(version) }),
  }
}

/**
 * Sets what new tables and the text of routines take from their database, which neither tool writes unless it writes the
 * database's name, too. Plain SQL, first in a dump: the clients heed it, with Holdfast or without.
 */
export function databaseDefaults(charset: string, collation: string): string {
  return `/*!40101 ALTER DATABASE CHARACTER SET ${charset} COLLATE ${collation} */;`
}

export const databaseDefaultsLine = /^\/\*!40101 ALTER DATABASE CHARACTER SET \w+ COLLATE \w+ \*\/;$/u
/** Turns off shell commands in MariaDB's client, which `--binary-mode` does in both; older clients of MySQL choke on it. */
export const sandboxLine = /^\/\*M?!999999\\- enable the sandbox mode \*\/\s*$/u

/** Whether a text begins as the tools' dumps do, which all end with `-- Dump completed`. */
export function isToolDump(text: string): boolean {
  const [first = ''] = text.split('\n', 1)
  return dumpHeadOf(text) !== undefined || databaseDefaultsLine.test(first) || sandboxLine.test(first)
}
