import { createHash } from 'node:crypto'
import { HoldfastError } from '../../errors.js'
import type { Inventory, RoutineEntry } from './inventory.js'
import { withOwnSequences } from './own-sequences.js'
import { quoteName } from './quoting.js'
import type { ServerSession } from './session.js'

/**
 * A digest of all definitions, as the server itself writes them: the same for the same schema, also in a database of another
 * name. Rows do not change it, nor do the counters that rows move.
 */
export async function schemaHash(session: ServerSession, inventory: Inventory): Promise<string> {
  const hash = createHash('sha256')
  for (const [kind, name, definition] of await definitionsOf(session, inventory)) {
    hash.update(`${JSON.stringify([kind, kind === 'event' ? '' : name, definition])}\n`)
  }
  return hash.digest('hex')
}

export type Definition = readonly [kind: string, name: string, definition: unknown]

/** Every definition of the database, in an order of its own. */
export async function definitionsOf(
  session: ServerSession,
  inventory: Inventory,
): Promise<readonly Definition[]> {
  const found: Definition[] = []
  const add = (kind: string, name: string, definition: unknown) => found.push([kind, name, definition])
  for (const [name, definition] of await tableDefinitions(session, inventory)) add('table', name, definition)
  for (const name of inventory.sequences) {
    add('sequence', name, await showCreate(session, 'SEQUENCE', name, 'Create Table'))
  }
  for (const name of inventory.views)
    add('view', name, unqualified(await showCreate(session, 'VIEW', name, 'Create View'), session))
  for (const { name, type } of inventory.routines) {
    add('routine', name, await showCreate(session, type, name, createColumn(type)))
  }
  for (const trigger of await triggers(session))
    add('trigger', trigger.name, { ...trigger, body: withoutSemicolon(trigger.body) })
  for (const event of await events(session)) add('event', event.name, event)
  return found
}

/** Those of tables alone, by name. */
export async function tableDefinitions(
  session: ServerSession,
  { tables }: Pick<Inventory, 'tables'>,
): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const { name } of tables) {
    const definition = withoutCounter(await showCreate(session, 'TABLE', name, 'Create Table'))
    found.set(name, ownSequences(definition, session))
  }
  return found
}

async function showCreate(
  session: ServerSession,
  kind: string,
  name: string,
  column: string,
): Promise<unknown> {
  try {
    const [row] = await session.query<Record<string, unknown>>(`SHOW CREATE ${kind} ${quoteName(name)}`)
    return row?.[column] ?? null
  } catch (error) {
    // A view whose tables are gone, an object this account may not read: the dump says what it thinks of it.
    if (error instanceof HoldfastError && ['database.query-failed', 'database.denied'].includes(error.code))
      return null
    throw error
  }
}

/**
 * The table's own options stand in the line that closes the list of columns. MySQL names a column's character set or leaves
 * it to its collation, depending on how the table was once written.
 */
function withoutCounter(definition: unknown): unknown {
  if (typeof definition !== 'string') return definition
  return definition
    .replace(/^(\) .*?) AUTO_INCREMENT=\d+/mu, '$1')
    .replace(/ CHARACTER SET \w+(?= COLLATE )/gu, '')
}

function ownSequences(definition: unknown, { settings }: ServerSession): unknown {
  return typeof definition === 'string' ? withOwnSequences(definition, settings.name) : definition
}

/** A view whose definer the server does not know is written with the name of its own database before each column. */
function unqualified(definition: unknown, { settings }: ServerSession): unknown {
  if (typeof definition !== 'string') return definition
  return definition.replaceAll(`${quoteName(settings.name)}.`, '')
}

function createColumn(type: RoutineEntry['type']): string {
  const words = {
    FUNCTION: 'Function',
    PROCEDURE: 'Procedure',
    PACKAGE: 'Package',
    'PACKAGE BODY': 'Package body',
  }
  return `Create ${words[type]}`
}

/** MySQL keeps it where the trigger was made in one message with other statements; a restore does not. */
function withoutSemicolon(body: string): string {
  return body.replace(/;?\s*$/u, '')
}

async function triggers(
  session: ServerSession,
): Promise<readonly { readonly name: string; readonly body: string }[]> {
  return session.query(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tab, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event,
        ACTION_ORDER AS ord, ACTION_STATEMENT AS body, SQL_MODE AS mode, DEFINER AS definer,
        CHARACTER_SET_CLIENT AS charset, COLLATION_CONNECTION AS collation
      FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY TRIGGER_NAME`,
    [session.settings.name],
  )
}

async function events(session: ServerSession): Promise<readonly { readonly name: string }[]> {
  return session.query(
    `SELECT EVENT_NAME AS name, EVENT_DEFINITION AS body, EVENT_TYPE AS type, EXECUTE_AT AS at, INTERVAL_VALUE AS every,
        INTERVAL_FIELD AS unit, SQL_MODE AS mode, STARTS AS starts, ENDS AS ends, STATUS AS state, TIME_ZONE AS zone,
        ON_COMPLETION AS completion, EVENT_COMMENT AS comment, DEFINER AS definer,
        CHARACTER_SET_CLIENT AS charset, COLLATION_CONNECTION AS collation
      FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? ORDER BY EVENT_NAME`,
    [session.settings.name],
  )
}
