import type { RestoreRequest } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { placeOf } from './database-error.js'
import { readGrants } from './grants.js'
import type { Inventory } from './inventory.js'
import { listNames, quoteName } from './quoting.js'
import type { ChosenPart } from './restore-part.js'
import type { ServerSession } from './session.js'

/**
 * Rows alone need the tables, and no trigger that would act on each of them.
 * @throws database.requirement-missing, usage.not-supported, database.denied
 */
export async function assertTakesRows(
  session: ServerSession,
  inventory: Inventory,
  { filled }: ChosenPart,
  { clean }: RestoreRequest,
): Promise<void> {
  const there = new Map(inventory.tables.map((table) => [table.name, table]))
  const absent = filled.filter((name) => !there.has(name))
  if (absent.length > 0)
    throw new HoldfastError(
      'database.requirement-missing',
      `the target has no table ${listNames(absent)}, and dataOnly restores rows alone`,
    )
  // Without it triggers are not seen.
  if (!(await readGrants(session)).onDatabase('TRIGGER'))
    throw new HoldfastError(
      'database.denied',
      `${placeOf(session.settings)}: the account lacks TRIGGER, without which nobody knows what rows would set off`,
    )
  const triggers = await session.query<{ name: string; tab: string; event: string }>(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tab, EVENT_MANIPULATION AS event FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ?`,
    [session.settings.name],
  )
  const acting = triggers.filter(
    ({ tab, event }) =>
      filled.includes(tab) &&
      (event === 'INSERT' || (event === 'DELETE' && clean !== 'none' && there.get(tab)?.versioned === true)),
  )
  if (acting.length === 0) return
  throw new HoldfastError(
    'usage.not-supported',
    `dataOnly: triggers of the target would act on each row, and MySQL and MariaDB cannot turn them off: ${listNames(acting.map(({ name, tab }) => `${name} of ${tab}`))}`,
    { hint: 'restore these tables with their definitions, or drop the triggers first and make them again' },
  )
}

/** Without setting off triggers, and without the history that a table may keep. */
export async function emptyTables(
  session: ServerSession,
  inventory: Inventory | undefined,
  { filled }: ChosenPart,
): Promise<void> {
  const versioned = new Set(inventory?.tables.filter((table) => table.versioned).map((table) => table.name))
  await session.query('SET SESSION foreign_key_checks = 0')
  for (const name of filled) {
    const table = quoteName(name)
    const statements = versioned.has(name)
      ? [`DELETE FROM ${table}`, `DELETE HISTORY FROM ${table}`]
      : [`TRUNCATE TABLE ${table}`]
    for (const statement of statements) await session.query(statement)
  }
}
