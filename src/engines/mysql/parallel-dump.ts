import type {
  ConnectorSettings,
  Dump,
  DumpedRows,
  DumpFacts,
  DumpPart,
  DumpRequest,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { gatheredChunks } from '../../process/gathered-output.js'
import type { ChunkPool } from '../../streams/chunk-pool.js'
import { placeOf } from './database-error.js'
import { ignoring, leftOut, namedWords, planBase, type DumpBase } from './dump-plan.js'
import { oddArgument, openProof, type DumpProof } from './dump-proof.js'
import { dumpStream, saidBy, type DumpStream } from './dump-stream.js'
import { writeOptionFile, type OptionFile } from './option-file.js'
import { findPieces, type PieceSizes } from './pieces.js'
import { listNames } from './quoting.js'
import { tableDefinitions } from './schema-hash.js'
import { ServerSession } from './session.js'
import { dumpCall } from './tool-calls.js'
import { WritePause } from './write-pause.js'

/** The name of the part with tables, views and routines, without rows. */
export const schemaPart = 'schema'
/** The name of the part with what rows must not set off: triggers and events. */
export const postDataPart = 'post-data'

/** How often writers are asked to let us in, 5 seconds each. */
const lockTries = 6

/** A run of the dump tool, which writes one part. */
interface Run extends Omit<DumpPart, 'bytes'> {
  readonly args: readonly string[]
}

interface Plan extends DumpBase {
  readonly runs: readonly Run[]
  readonly definitions: ReadonlyMap<string, unknown>
}

export interface ParallelDump {
  readonly sizes: PieceSizes
  /** Runs of the tool that read rows at once. Two more read definitions. */
  readonly jobs: number
}

/** Told as the dump goes on. */
interface DumpTold {
  rows(opened: () => DumpedRows): void
  ended(facts: DumpFacts): void
}

/**
 * A dump by several runs of the tool that see one moment of the database: all open their snapshots while writers are held up.
 * @throws usage.not-supported, usage.pattern-unmatched, database.*, tool.*
 */
export async function dumpInParallel(
  cx: Context,
  settings: ConnectorSettings,
  request: DumpRequest,
  how: ParallelDump,
): Promise<Dump> {
  refuseOddArguments(settings)
  const session = await ServerSession.open(cx, settings.connection)
  const plan = await planRuns(cx, session, settings, request, how).finally(() => session.close())
  let facts: DumpFacts = { warnings: plan.warnings }
  let rows = (): DumpedRows => ({})
  const parts = allParts(cx, settings, plan, {
    rows(opened) {
      rows = opened
    },
    ended(told) {
      facts = { ...told, warnings: [...plan.warnings, ...told.warnings] }
    },
  })
  // All at once: a run that nobody reads from would be ended by the server.
  return { parts, concurrency: plan.runs.length, facts: () => Promise.resolve(facts), rows: () => rows() }
}

/** @throws usage.not-supported */
function refuseOddArguments({ options, tools }: ConnectorSettings): void {
  for (const [setting, words = []] of [
    ['toolArgs', options.toolArgs],
    ['dumpSuffix', tools.dumpSuffix],
  ] as const) {
    const odd = oddArgument(words)
    if (odd === undefined) continue
    throw new HoldfastError(
      'usage.not-supported',
      `${setting} ${odd} does not go with the connector mysql-parallel: what it leaves out or locks in each of several runs of the tool is not known`,
      {
        hint: 'leave it out, or choose the connector mysqldump',
        details: { settings: [setting, 'connector'] },
      },
    )
  }
}

async function planRuns(
  cx: Context,
  session: ServerSession,
  settings: ConnectorSettings,
  request: DumpRequest,
  { sizes, jobs }: ParallelDump,
): Promise<Plan> {
  const base = await planBase(cx, session, settings, request)
  const { inventory, selection, common } = base
  const hasSuffix = settings.tools.dumpSuffix.length > 0
  const { name } = session.settings
  const whole = [...ignoring(name, leftOut(inventory, selection.excluded)), ...namedWords(name, hasSuffix)]
  const but = (...options: readonly string[]) => common.filter((argument) => !options.includes(argument))
  const rows = [
    ...but('--triggers', '--routines', '--events'),
    // Locks of one run would keep out the others.
    ...['--no-create-info', '--skip-triggers', '--skip-add-locks'],
  ]
  const pieces = await findPieces(session, base, { sizes, most: jobs, hasSuffix })
  const dumped = inventory.tables.filter((table) => !selection.excluded.includes(table.name))
  return {
    ...base,
    definitions: await tableDefinitions(session, { tables: dumped }),
    runs: [
      {
        name: schemaPart,
        role: 'schema',
        args: [...but('--triggers', '--events'), '--skip-triggers', '--no-data', ...whole],
      },
      {
        name: postDataPart,
        role: 'post-data',
        args: [...but('--routines'), '--no-create-info', '--no-data', ...whole],
      },
      ...pieces.map(({ args, ...piece }): Run => ({ ...piece, role: 'data', args: [...rows, ...args] })),
    ],
  }
}

async function* allParts(
  cx: Context,
  settings: ConnectorSettings,
  plan: Plan,
  tell: DumpTold,
): AsyncGenerator<DumpPart> {
  const folder = await cx.env.temporaryDirectory()
  const streams: DumpStream[] = []
  let pause: WritePause | undefined
  let proof: DumpProof | undefined
  try {
    const optionFile = await writeOptionFile(cx.env, folder, settings.connection, plan.tool.family)
    pause = await holdUpWriters(cx, settings, plan)
    proof = await openProof(cx, settings, plan.proof, pause)
    const opened = proof
    tell.rows(() => opened.rows())
    const shared = { optionFile, streams, pool: gatheredChunks() }
    await Promise.all(plan.runs.map((run) => begin(cx, settings, plan, run, shared)))
    if (!(await pause.end())) {
      throw new HoldfastError(
        'tool.timeout',
        `${placeOf(settings.connection)}: writers could not be held up until all runs of ${plan.tool.facts.name} had begun`,
        { hint: 'set fewer jobs, or run the backup when the server has less to do' },
      )
    }
    proof.begin()
    const closed = streams.map(({ bytes }) => new Promise<void>((resolve) => bytes.once('close', resolve)))
    for (const [place, { args: _args, ...part }] of plan.runs.entries()) {
      const bytes = streams[place]?.bytes
      if (bytes !== undefined) yield { ...part, bytes }
    }
    await Promise.all(closed)
    await assertUnchanged(cx, settings, plan)
    const fingerprint = await proof.result()
    tell.ended({ warnings: saidBy(streams, plan), ...(fingerprint === undefined ? {} : { fingerprint }) })
  } finally {
    for (const { bytes } of streams) bytes.destroy()
    await pause?.end()
    await proof?.close()
    await folder.remove()
  }
}

/** @throws database.denied, database.busy, saying what they are held up for */
async function holdUpWriters(cx: Context, settings: ConnectorSettings, plan: Plan): Promise<WritePause> {
  try {
    return await WritePause.begin(cx, settings.connection, plan.proof, lockTries)
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : undefined
    if (code !== 'database.denied' && code !== 'database.busy') throw error
    throw new HoldfastError(
      code,
      `${(error as HoldfastError).message}: several runs of the dump tool see one moment only where writers are held up while they begin`,
      {
        cause: error,
        hint:
          code === 'database.denied'
            ? 'grant RELOAD, or LOCK TABLES on the database, or choose the connector mysqldump'
            : 'end the statements that run for long, or choose the connector mysqldump',
      },
    )
  }
}

interface SharedByRuns {
  readonly optionFile: OptionFile
  readonly pool: ChunkPool
  /** Each run adds its own. */
  readonly streams: DumpStream[]
}

/** Starts a run, and waits until it has its snapshot. Triggers and events are in none. */
function begin(
  cx: Context,
  settings: ConnectorSettings,
  { tool, head, mend }: Plan,
  { role, args }: Run,
  { optionFile, streams, pool }: SharedByRuns,
): Promise<void> {
  const call = dumpCall(settings, tool, optionFile, args)
  // So that the first statement is seen soon: writers wait for it.
  const { smallWrites: _gathered, ...seenSoon } = call
  return new Promise((resolve, reject) => {
    const stream =
      role === 'data'
        ? dumpStream(cx, '\n', [call], { begun: resolve, pool })
        : dumpStream(cx, role === 'schema' ? head : '\n', [seenSoon], {
            ...{ begun: resolve, pool, mend: mend() },
          })
    stream.bytes.once('error', reject)
    streams.push(stream)
    if (role === 'post-data') resolve()
  })
}

/**
 * A table whose definition is changed while its rows are read: the tool notices most changes, and not those that leave the rows where
 * they are.
 * @throws database.busy, naming the tables
 */
async function assertUnchanged(cx: Context, settings: ConnectorSettings, plan: Plan): Promise<void> {
  const session = await ServerSession.open(cx, settings.connection)
  try {
    const tables = plan.inventory.tables.filter(({ name }) => plan.definitions.has(name))
    const now = await tableDefinitions(session, { tables })
    const changed = [...plan.definitions].filter(([name, definition]) => now.get(name) !== definition)
    if (changed.length === 0) return
    throw new HoldfastError(
      'database.busy',
      `${placeOf(settings.connection)}: the definitions of ${listNames(changed.map(([name]) => name))} were changed during the dump`,
    )
  } finally {
    await session.close()
  }
}
