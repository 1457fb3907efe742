import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { needsServer } from '../servers/needs.js'

/** For tests that put a program of their own in the place of `pg_dump` or `pg_restore`. */
export const postgresql = needsServer('postgresql')

export async function ask(database: string, sql: string): Promise<unknown[]> {
  const { host, port, user, password } = postgresql.server()
  const client = new pg.Client({ host, port, user, password, database })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** A database of 20 000 rows in the table `t`. */
export async function makeDatabase(name: string): Promise<void> {
  await ask('postgres', `CREATE DATABASE ${name}`)
  await ask(name, `CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i`)
}

export async function dropDatabase(name: string): Promise<void> {
  await ask('postgres', `DROP DATABASE ${name} WITH (FORCE)`)
}

/** How to reach a database, as it stands in a configuration. */
export function reach(name: string) {
  const { host, port, user, password } = postgresql.server()
  return { engine: 'postgresql', host, port, user, password, name }
}

let scripts = 0

/** A program that stands in for a PostgreSQL one; it may call the real one as `$TOOL`. */
export function standIn(folder: string, tool: 'pg_dump' | 'pg_restore', script: string): string {
  const path = join(folder, `${tool}-${scripts++}`)
  const real = join(postgresql.server().binDirectory, tool)
  writeFileSync(path, `#!/bin/sh\nTOOL=${real}\n[ "$1" = --version ] && exec "$TOOL" --version\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
