import type { ConnectorSettings, DumpRequest } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { assertDumpable } from './dumpable.js'
import { databaseDefaults } from './dump-head.js'
import { readGrants, type Grants } from './grants.js'
import { compareVersions } from './identity.js'
import { readInventory, unfinishedMark, type Inventory } from './inventory.js'
import type { LineHeads } from './line-heads.js'
import { ownSequencesOf } from './own-sequences.js'
import { planProof, type ProofPlan } from './dump-proof.js'
import { selectForDump, type Selection } from './dump-selection.js'
import { listNames } from './quoting.js'
import type { ServerSession } from './session.js'
import { findTool, knownOptions, type Tool } from './tools.js'

/** What is dumped, and by what. */
export interface DumpBase {
  readonly inventory: Inventory
  readonly selection: Selection
  readonly tool: Tool
  /** Long options that the tool knows. */
  readonly known: ReadonlySet<string>
  /** Arguments of every run of the tool. */
  readonly common: readonly string[]
  /** A line that stands before the definitions. */
  readonly head: string
  /** Anew for each run that writes definitions. */
  readonly mend: () => LineHeads | undefined
  readonly warnings: readonly string[]
  readonly maxAllowedPacket: number
  readonly proof: ProofPlan
}

export interface DumpPlan extends DumpBase {
  /** Arguments of one run of the tool, or of two whose outputs are one dump; the option file comes before them. */
  readonly runs: readonly (readonly string[])[]
}

/** A row may be as long as the protocol allows, hexadecimal or not. */
const longestPacket = '--max-allowed-packet=1073741824'

/** @throws usage.not-supported, usage.pattern-unmatched, database.*, tool.* */
export async function planDump(
  cx: Context,
  session: ServerSession,
  settings: ConnectorSettings,
  request: DumpRequest,
): Promise<DumpPlan> {
  const base = await planBase(cx, session, settings, request)
  return { ...base, runs: runsOf(session.settings.name, base, settings.tools.dumpSuffix.length > 0) }
}

/** @throws as {@link planDump} */
export async function planBase(
  cx: Context,
  session: ServerSession,
  settings: ConnectorSettings,
  request: DumpRequest,
): Promise<DumpBase> {
  if (request.schemas.length > 0)
    throw new HoldfastError('usage.not-supported', 'databases of MySQL and MariaDB hold no schemas')
  const inventory = await readInventory(session)
  const grants = await readGrants(session)
  assertDumpable(session, inventory, grants)
  const selection = await selectForDump(session, inventory, request)
  const tool = await findTool(cx, 'dump', session.identity, settings.tools)
  await assertWritable(session, tool, selection)
  const known = await knownOptions(cx, tool, settings.tools)
  const history = await historyOf(session, inventory, selection, known)
  const { name } = session.settings
  return {
    ...{ inventory, selection, tool, known },
    common: [
      ...commonArguments(settings, inventory, grants, known),
      ...history.args,
      ...(settings.options.toolArgs ?? []),
    ],
    head: `${databaseDefaults(inventory.charset, inventory.collation)}\n`,
    mend: () => (inventory.sequences.length === 0 ? undefined : ownSequencesOf(name)),
    warnings: [...tool.warnings, ...selection.warnings, ...history.warnings],
    maxAllowedPacket: session.identity.maxAllowedPacket,
    proof: planProof(request, inventory, selection, settings, grants),
  }
}

export function commonArguments(
  { options: { singleTransaction = true, drop = true } }: ConnectorSettings,
  { sequences }: Inventory,
  grants: Grants,
  known: ReadonlySet<string>,
): readonly string[] {
  return [
    ...(singleTransaction ? ['--single-transaction'] : ['--skip-single-transaction', '--lock-tables']),
    ...[
      '--quick',
      '--hex-blob',
      '--default-character-set=utf8mb4',
      '--no-tablespaces',
      longestPacket,
      '--skip-dump-date',
    ],
    // Not --add-drop-trigger: MySQL's tool leaves the name unquoted, and a trigger goes with its table anyway.
    drop ? '--add-drop-table' : '--skip-add-drop-table',
    // The tool locks each table for its rows, without the sequences that its defaults take numbers from: error 1100.
    ...(sequences.length > 0 ? ['--skip-add-locks'] : []),
    ...['--triggers', '--routines'],
    // Without the privilege the tool fails; that events may be missing has been said then.
    ...(grants.onDatabase('EVENT') ? ['--events'] : []),
    ...(known.has('column-statistics') ? ['--column-statistics=0'] : []),
    ...(known.has('set-gtid-purged') ? ['--set-gtid-purged=OFF'] : []),
  ]
}

/**
 * MariaDB's tool can leave out the rows of a table. MySQL's cannot: it runs twice, first for the bare definitions of those
 * tables (views of the second run may read them), then for all the rest in one snapshot.
 */
function runsOf(
  database: string,
  { inventory, selection: { excluded, withoutRows }, known, common }: DumpBase,
  hasSuffix: boolean,
): readonly (readonly string[])[] {
  const out = leftOut(inventory, excluded)
  const named = namedWords(database, hasSuffix)
  if (withoutRows.length === 0 || known.has('ignore-table-data')) {
    const rows = withoutRows.map((name) => `--ignore-table-data=${database}.${name}`)
    return [[...common, ...ignoring(database, out), ...rows, ...named]]
  }
  const structure = common.filter((argument) => !['--routines', '--events'].includes(argument))
  return [
    [...structure, '--no-data', ...named, ...withoutRows],
    [...common, ...ignoring(database, [...out, ...withoutRows]), ...named],
  ]
}

/** With the mark of a restore that has not finished. */
export function leftOut({ unfinishedSince }: Inventory, excluded: readonly string[]): readonly string[] {
  return [...excluded, ...(unfinishedSince === undefined ? [] : [unfinishedMark])]
}

export function ignoring(database: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `--ignore-table=${database}.${name}`)
}

/** The database, behind which tables may be named. After `--` a suffix of options would be taken for tables. */
export function namedWords(database: string, hasSuffix: boolean): readonly string[] {
  return hasSuffix && !database.startsWith('-') ? [database] : ['--', database]
}

/**
 * MariaDB's tool writes values for MySQL's generated columns, which no server takes back, and overlooks its hidden ones.
 * @throws tool.missing
 */
async function assertWritable(
  session: ServerSession,
  tool: Tool,
  { excluded, withoutRows }: Selection,
): Promise<void> {
  if (session.identity.product !== 'MySQL' || tool.family === 'MySQL') return
  const rows = await session.query<{ tab: string; name: string }>(
    `SELECT TABLE_NAME AS tab, COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?
      AND (EXTRA LIKE '%VIRTUAL GENERATED%' OR EXTRA LIKE '%STORED GENERATED%' OR EXTRA LIKE '%INVISIBLE%')`,
    [session.settings.name],
  )
  const columns = rows.filter(({ tab }) => !excluded.includes(tab) && !withoutRows.includes(tab))
  if (columns.length === 0) return
  const names = listNames(columns.map(({ tab, name }) => `${tab}.${name}`))
  throw new HoldfastError(
    'tool.missing',
    `${tool.facts.path} is MariaDB's and cannot dump generated or hidden columns of MySQL: ${names}`,
    { hint: `install MySQL's own mysqldump, or set dumpCommand to its path` },
  )
}

/** MariaDB's history of rows, which its newer tools and servers can carry over. */
async function historyOf(
  session: ServerSession,
  { tables }: Inventory,
  { excluded, withoutRows }: Selection,
  known: ReadonlySet<string>,
): Promise<{ readonly args: readonly string[]; readonly warnings: readonly string[] }> {
  const versioned = tables
    .filter(({ name, versioned }) => versioned && !excluded.includes(name) && !withoutRows.includes(name))
    .map(({ name }) => name)
  if (versioned.length === 0) return { args: [], warnings: [] }
  const lost = (why: string) => ({
    args: [],
    warnings: [`the history of rows of ${listNames(versioned)} is not dumped: ${why}`],
  })
  if (!known.has('dump-history') || compareVersions(session.identity.numbers, [10, 11, 0]) < 0) {
    return lost('it takes MariaDB 10.11 and its mariadb-dump')
  }
  const byTransaction = await session.query<{ name: string }>(
    `SELECT DISTINCT TABLE_NAME AS name FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ? AND GENERATION_EXPRESSION = 'ROW START' AND DATA_TYPE = 'bigint'`,
    [session.settings.name],
  )
  const precise = byTransaction.map(({ name }) => name).filter((name) => versioned.includes(name))
  return precise.length === 0
    ? { args: ['--dump-history'], warnings: [] }
    : lost(`${listNames(precise)} keeps it by transaction, which mariadb-dump cannot write`)
}
