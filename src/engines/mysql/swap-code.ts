import type { ConnectorSettings } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import type { Context } from '../../env/context.js'
import { feedTool } from '../../process/run.js'
import { connect } from '../../streams/connect.js'
import { Readable } from 'node:stream'
import { commonArguments } from './dump-plan.js'
import { dumpStream } from './dump-stream.js'
import { mysqlSql } from './format-sql.js'
import { readGrants } from './grants.js'
import { readInventory } from './inventory.js'
import { withOwnSequences } from './own-sequences.js'
import { quoteName } from './quoting.js'
import { guarding, RestoreGuard } from './restore-guard.js'
import { ServerSession } from './session.js'
import { clientCall, dumpCall, withOptionFile } from './tool-calls.js'
import { findTool, knownOptions } from './tools.js'

/**
 * What a database holds beside tables: views, triggers, routines and events, which no server moves to another database. So they are
 * taken as SQL, by the tool that knows how, and made anew.
 */
export async function codeOf(
  cx: Context,
  settings: ConnectorSettings,
  connection: ConnectionSettings,
): Promise<Buffer> {
  const own = { ...settings, connection }
  const session = await ServerSession.open(cx, connection)
  try {
    const inventory = await readInventory(session)
    const { views, routines, events, triggers } = inventory
    if (views.length + routines.length + events.length + triggers === 0) return Buffer.alloc(0)
    const grants = await readGrants(session)
    const tool = await findTool(cx, 'dump', session.identity, settings.tools)
    const known = await knownOptions(cx, tool, settings.tools)
    const common = commonArguments(own, inventory, grants, known)
    const definitions = common.filter((each) => !['--triggers', '--routines', '--events'].includes(each))
    const runs = [
      [...common, '--no-create-info', '--no-data', '--', connection.name],
      // Views last: they may call the routines.
      ...(views.length === 0
        ? []
        : [[...definitions, '--skip-triggers', '--no-data', '--', connection.name, ...views]]),
    ]
    return await withOptionFile(cx, own, tool, async (optionFile) => {
      const calls = runs.map((args) => dumpCall(own, tool, optionFile, args))
      const chunks: Buffer[] = []
      for await (const chunk of dumpStream(cx, '\n', calls).bytes) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    })
  } finally {
    await session.close()
  }
}

/** Makes them anew in place of those that are there. Safe to be done again. @throws tool.failed, database.* */
export async function replaceCode(cx: Context, settings: ConnectorSettings, code: Buffer): Promise<void> {
  const { connection } = settings
  const session = await ServerSession.open(cx, connection)
  try {
    await dropTriggers(session, connection.name)
    const { views, events, routines } = await readInventory(session)
    for (const name of views) await session.query(`DROP VIEW IF EXISTS ${quoteName(name)}`)
    for (const name of events) await session.query(`DROP EVENT IF EXISTS ${quoteName(name)}`)
    // A body goes with its package.
    for (const { name, type } of routines.filter((each) => each.type !== 'PACKAGE BODY'))
      await session.query(`DROP ${type} IF EXISTS ${quoteName(name)}`)
    if (code.length === 0) return
    const client = await findTool(cx, 'client', session.identity, settings.tools)
    const target = {
      target: connection.name,
      server: session.identity,
      setsDefaults: true,
      ownsDatabase: true,
    } as const
    await withOptionFile(cx, settings, client, async (optionFile) => {
      const checker = mysqlSql.checker()
      const watch = guarding(
        new RestoreGuard(target),
        (chunk) => (chunk === undefined ? checker.end() : checker.push(chunk)),
        () => undefined,
      )
      const input = feedTool(cx, clientCall(settings, client, optionFile, connection.name))
      await connect([Readable.from([code]), watch, input.stdin], cx.signal)
      await input.finished
    })
  } finally {
    await session.close()
  }
}

/** Defaults that take numbers from a sequence of `from` take them from the one that has come with their table. */
export async function adoptSequences(
  cx: Context,
  { connection }: ConnectorSettings,
  from: string,
): Promise<void> {
  const session = await ServerSession.open(cx, connection)
  try {
    const columns = await session.query<{ tab: string; name: string; value: string }>(
      `SELECT TABLE_NAME AS tab, COLUMN_NAME AS name, COLUMN_DEFAULT AS value FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = ? AND COLUMN_DEFAULT LIKE '%val(%'`,
      [connection.name],
    )
    for (const { tab, name, value } of columns) {
      const own = withOwnSequences(value, from)
      if (own === value) continue
      await session.query(
        `ALTER TABLE ${quoteName(tab)} ALTER COLUMN ${quoteName(name)} SET DEFAULT (${own})`,
      )
    }
  } finally {
    await session.close()
  }
}

/** A table with triggers cannot be renamed into another database (error 1435). */
export async function dropTriggers(session: ServerSession, database: string): Promise<void> {
  const found = await session.query<{ name: string }>(
    'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?',
    [database],
  )
  for (const { name } of found)
    await session.query(`DROP TRIGGER IF EXISTS ${quoteName(database)}.${quoteName(name)}`)
}
