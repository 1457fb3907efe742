import type { ServerFacts } from '../../engine/engine.js'
import { appliedMigrations } from './applied-migrations.js'
import { readGrants, type Grants } from './grants.js'
import { objectCount, readInventory, type Inventory } from './inventory.js'
import { listNames } from './quoting.js'
import { schemaHash } from './schema-hash.js'
import type { ServerSession } from './session.js'
import { missingDefiners } from './definers.js'

/** @throws database.not-found, database.denied, database.unreachable */
export async function serverFacts(session: ServerSession): Promise<ServerFacts> {
  const inventory = await readInventory(session)
  const grants = await readGrants(session)
  return {
    product: session.identity.product,
    version: session.identity.version,
    database: session.settings.name,
    sizeBytes: inventory.tables.reduce((sum, { bytes }) => sum + bytes, 0),
    encoding: inventory.charset,
    tables: inventory.tables.map(({ name, estimatedRows, bytes }) => ({ name, estimatedRows, bytes })),
    objectCount: objectCount(inventory),
    migrations: await appliedMigrations(session, inventory),
    schemaHash: await schemaHash(session, inventory),
    warnings: [
      ...unfinished(inventory),
      ...hidden(grants),
      ...(await outsideSnapshot(session, inventory)),
      ...(await shortened(session)),
      ...(await missingDefiners(session)),
    ],
  }
}

function unfinished({ unfinishedSince }: Inventory): readonly string[] {
  return unfinishedSince === undefined
    ? []
    : [
        `a restore into this database began at ${unfinishedSince} and did not finish: what is there is not whole`,
      ]
}

/** What is invisible to an account cannot be counted either, so nobody knows whether there is any. */
function hidden(grants: Grants): readonly string[] {
  const seesRoutines =
    ['EXECUTE', 'ALTER ROUTINE', 'CREATE ROUTINE'].some((each) => grants.onDatabase(each)) ||
    ['SELECT', 'SHOW_ROUTINE', 'SHOW CREATE ROUTINE'].some((each) => grants.onServer(each))
  const lost = [
    ...(grants.onDatabase('TRIGGER') ? [] : ['triggers (privilege TRIGGER)']),
    ...(grants.onDatabase('EVENT') ? [] : ['events (privilege EVENT)']),
    ...(seesRoutines ? [] : ['stored routines (privilege EXECUTE)']),
  ]
  return lost.length === 0
    ? []
    : [`the account cannot see ${lost.join(', ')}: if there are any, they are not dumped`]
}

/** Engines that keep their rows elsewhere: the tools write the table and leave its rows. */
const remoteEngines = ['MRG_MyISAM', 'MRG_ISAM', 'CONNECT', 'OQGRAPH', 'SPIDER', 'VP', 'FEDERATED']

async function outsideSnapshot(session: ServerSession, { tables }: Inventory): Promise<readonly string[]> {
  const engines = await session.query<{ engine: string; transactions: string | null }>(
    `SELECT ENGINE AS engine, TRANSACTIONS AS transactions FROM information_schema.ENGINES`,
  )
  const transactional = new Set(
    engines.filter(({ transactions }) => transactions === 'YES').map(({ engine }) => engine),
  )
  const broken = tables.filter(({ engine }) => engine === undefined)
  const remote = tables.filter(({ engine }) => engine !== undefined && remoteEngines.includes(engine))
  const loose = tables.filter(
    (table) => table.engine !== undefined && !transactional.has(table.engine) && !remote.includes(table),
  )
  const names = (entries: Inventory['tables']) =>
    listNames(entries.map(({ name, engine }) => `${name} (${engine ?? '?'})`))
  return [
    ...(broken.length === 0 ? [] : [`the server cannot open ${names(broken)}`]),
    ...(remote.length === 0 ? [] : [`the rows of ${names(remote)} lie elsewhere and are not dumped`]),
    ...(loose.length === 0
      ? []
      : [
          `not part of the consistent snapshot, since the storage engine has no transactions: ${names(loose)}`,
        ]),
  ]
}

/**
 * Both families give a FLOAT to a client with six significant digits, and so to their dump tools
 * (https://dev.mysql.com/doc/refman/8.4/en/problems-with-float.html).
 */
async function shortened(session: ServerSession): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT CONCAT(c.TABLE_NAME, '.', c.COLUMN_NAME) AS name FROM information_schema.COLUMNS c
      JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
      WHERE c.TABLE_SCHEMA = ? AND c.DATA_TYPE = 'float' AND t.TABLE_TYPE <> 'VIEW' ORDER BY name`,
    [session.settings.name],
  )
  return rows.length === 0
    ? []
    : [`FLOAT columns are dumped with six significant digits: ${listNames(rows.map(({ name }) => name))}`]
}
