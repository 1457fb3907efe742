import { HoldfastError } from '../../errors.js'
import { listNames } from './quoting.js'
import type { ServerSession } from './session.js'

const definerQueries = [
  `SELECT TABLE_NAME AS name, DEFINER AS definer FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`,
  `SELECT TRIGGER_NAME AS name, DEFINER AS definer FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
  `SELECT ROUTINE_NAME AS name, DEFINER AS definer FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`,
  `SELECT EVENT_NAME AS name, DEFINER AS definer FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
]

/** Objects that belong to accounts which are gone: they are dumped, and cannot be used. */
export async function missingDefiners(session: ServerSession): Promise<readonly string[]> {
  const accounts = await knownAccounts(session)
  if (accounts === undefined) return []
  const orphans = (await definedObjects(session)).filter(({ definer }) => !accounts.has(definer))
  if (orphans.length === 0) return []
  const definers = [...new Set(orphans.map(({ definer }) => definer))]
  return [
    `${listNames(orphans.map(({ name }) => name))}: the definer ${listNames(definers)} is not an account of this server`,
  ]
}

/** Of every view, trigger, routine and event of the database: `user@host`. */
export async function definersOf(session: ServerSession): Promise<ReadonlySet<string>> {
  return new Set((await definedObjects(session)).map(({ definer }) => definer))
}

async function definedObjects(
  session: ServerSession,
): Promise<readonly { readonly name: string; readonly definer: string }[]> {
  const rows: { name: string; definer: string }[] = []
  for (const sql of definerQueries)
    rows.push(...(await session.query<{ name: string; definer: string }>(sql, [session.settings.name])))
  return rows
}

/** Those of some definers who are no accounts of the server; none where the account may not know. */
export async function unknownDefiners(
  session: ServerSession,
  definers: Iterable<string>,
): Promise<readonly string[]> {
  const accounts = await knownAccounts(session)
  return accounts === undefined ? [] : [...definers].filter((definer) => !accounts.has(definer))
}

/** `user@host`; undefined where this account may not read them. */
async function knownAccounts(session: ServerSession): Promise<ReadonlySet<string> | undefined> {
  try {
    const rows = await session.query<{ account: string }>(
      `SELECT CONCAT(User, '@', Host) AS account FROM mysql.user`,
    )
    return new Set(rows.map(({ account }) => account))
  } catch (error) {
    if (
      error instanceof HoldfastError &&
      error.code.startsWith('database.') &&
      error.code !== 'database.unreachable'
    )
      return undefined
    throw error
  }
}
