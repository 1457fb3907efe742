import { PassThrough, type Readable } from 'node:stream'
import type {
  ConnectorFacts,
  ConnectorSettings,
  Dump,
  DumpFacts,
  DumpPart,
  DumpedRows,
  DumpRequest,
  InspectRequest,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { readTool, type ToolOutput } from '../../process/run.js'
import { readFactsButDefinitions, readOverview, readRelations, type ServerOverview } from './catalog.js'
import { resolveConnection } from './connection.js'
import { planExclusion } from './exclusion.js'
import { explainedFailure } from './failures.js'
import { shareSnapshot, type ProofPlan } from './dump-proof.js'
import { writePasswordFile } from './passfile.js'
import { openRowsBeside } from './rows-beside.js'
import { lockWaitMs, openSession } from './session.js'
import { refuseContradictions } from './tool-args.js'
import { databaseCall } from './tool-call.js'
import { chooseClient, type Client } from './tools.js'

/** How a dump's format asks pg_dump for it. */
export interface PgDumpFormat {
  /** Plain SQL, as against an archive. */
  readonly plain: boolean
  arguments(settings: ConnectorSettings): readonly string[]
}

/** What a backup will find: the server, and the pg_dump that can read it. @throws usage.invalid, database.*, tool.* */
export async function inspectDatabase(
  cx: Context,
  settings: ConnectorSettings,
  { plain }: PgDumpFormat,
  { schemaHash = true }: InspectRequest = {},
): Promise<ConnectorFacts> {
  refuseContradictions(settings.options, plain)
  const session = await openSession(cx, settings.connection)
  try {
    const overview = await readOverview(session)
    const [client, server] = await Promise.all([
      dumpClient(cx, settings, overview),
      schemaHash
        ? session.facts()
        : session.snapshot(async () => (await readFactsButDefinitions(cx, session)).facts),
    ])
    return { server, tools: [client.facts] }
  } finally {
    await session.close()
  }
}

/** pg_dump refuses a server of a newer major version than its own. */
export function dumpClient(
  cx: Context,
  { tools }: ConnectorSettings,
  { product, version }: ServerOverview,
): Promise<Client> {
  const because = `a ${product} ${version.text} server`
  const wanted = { atLeast: version.major, prefer: version.major, because }
  return chooseClient(cx, 'pg_dump', wanted, { tools, phase: 'dump', command: tools.dumpCommand })
}

/**
 * Plans a dump and starts pg_dump when its part is asked for.
 * @throws usage.invalid, usage.pattern-unmatched, tool.missing, tool.too-old, database.*
 */
export async function dumpDatabase(
  cx: Context,
  settings: ConnectorSettings,
  request: DumpRequest,
  format: PgDumpFormat,
): Promise<Dump> {
  refuseContradictions(settings.options, format.plain)
  const session = await openSession(cx, settings.connection)
  const { client, overview, exclusion } = await session
    .snapshot(async () => {
      const overview = await readOverview(session)
      const [client, relations] = await Promise.all([
        dumpClient(cx, settings, overview),
        readRelations(session),
      ])
      const exclusion = await planExclusion(cx.env.platform, session, overview, relations, request)
      return { client, overview, exclusion }
    })
    .finally(() => session.close())
  const args = [
    ...format.arguments(settings),
    // Without it an inherited PGCLIENTENCODING would have the server transcode, and lose what does not fit.
    `--encoding=${overview.encoding}`,
    `--lock-wait-timeout=${lockWaitMs}`,
    ...exclusion.args,
    ...(settings.options.toolArgs ?? []),
  ]
  let facts: DumpFacts = { warnings: exclusion.warnings }
  let rows: DumpedRows = {}
  const parts = onePart(
    cx,
    settings,
    { client, args, overview, exclusion, request },
    {
      rows(opened) {
        rows = opened
      },
      ended(told) {
        facts = { ...told, warnings: [...exclusion.warnings, ...told.warnings] }
      },
    },
  )
  return { parts, facts: () => Promise.resolve(facts), rows: () => rows }
}

interface PlannedDump extends Omit<ProofPlan, 'toolArgs'> {
  readonly client: Client
  readonly args: readonly string[]
}

/** Told as the dump goes on. */
export interface DumpTold {
  /** Before the first part. */
  rows(rows: DumpedRows): void
  ended(facts: DumpFacts): void
}

async function* onePart(
  cx: Context,
  settings: ConnectorSettings,
  { client, args, ...planned }: PlannedDump,
  tell: DumpTold,
): AsyncGenerator<DumpPart> {
  cx.signal.throwIfAborted()
  const toolArgs = [...(settings.options.toolArgs ?? []), ...settings.tools.dumpSuffix]
  const { rows, snapshot } = await openRowsBeside(cx, settings.connection, planned.request, toolArgs)
  tell.rows(rows)
  const proof = await shareSnapshot(cx, settings.connection, {
    ...planned,
    toolArgs,
    ...(snapshot === undefined ? {} : { snapshot }),
  })
  let running: RunningDump | undefined
  try {
    const shared = snapshot === undefined ? proof.args : [`--snapshot=${snapshot}`]
    running = await startPgDump(cx, settings, client, [...shared, ...args], () => proof.begun())
    yield { name: 'dump', role: 'dump', bytes: running.bytes }
    const warnings = await running.messages()
    tell.ended({ warnings, ...(await proof.result()) })
  } finally {
    await running?.end()
    await proof.close()
  }
}

/** A pg_dump at work. */
export interface RunningDump {
  readonly bytes: Readable
  /** What it has said, once it has ended well. @throws tool.failed */
  messages(): Promise<readonly string[]>
  /** Ends it, where it has not ended by itself, and removes what it needed. */
  end(): Promise<void>
}

/** @param onOutput told as soon as it writes something: then it has its snapshot */
export async function startPgDump(
  cx: Context,
  { connection: connectionSettings, tools }: ConnectorSettings,
  client: Client,
  args: readonly string[],
  onOutput: () => void = () => undefined,
): Promise<RunningDump> {
  cx.signal.throwIfAborted()
  const connection = await resolveConnection(cx.env, connectionSettings)
  const passwordFile = await writePasswordFile(cx, connection.password)
  let output: ToolOutput
  try {
    const call = databaseCall(cx.env, connection, passwordFile, { client, tools, phase: 'dump', args })
    output = readTool(cx, { ...call, smallWrites: true }, onOutput)
  } catch (error) {
    await passwordFile.remove()
    throw error
  }
  return {
    bytes: explained(output.stdout),
    messages: async () => (await output.finished).messages,
    async end() {
      // A reader that gave up has left the program running.
      output.stdout.destroy()
      await output.finished.catch(() => undefined)
      await passwordFile.remove()
    },
  }
}

/**
 * The same bytes; an error says more. Joined by hand, because a pipeline would pass the error on as it is. A clean end comes
 * from a clean end alone, and a reader that gives up ends the program.
 */
function explained(stdout: Readable): Readable {
  const bytes = new PassThrough({ highWaterMark: stdout.readableHighWaterMark })
  stdout.once('error', (error) => bytes.destroy(explainedFailure(error)))
  bytes.once('close', () => stdout.destroy())
  // It may fail before its reader has come; whoever reads it then still gets the error.
  bytes.on('error', () => undefined)
  return stdout.pipe(bytes)
}
