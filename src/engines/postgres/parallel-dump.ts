import { Readable } from 'node:stream'
import type {
  ConnectorSettings,
  Dump,
  DumpedRows,
  DumpFacts,
  DumpPart,
  DumpRequest,
} from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { gatheredChunks } from '../../process/gathered-output.js'
import { readOverview, readRelations, type ServerOverview } from './catalog.js'
import { resolveConnection, type Connection } from './connection.js'
import { dumpClient, startPgDump, type DumpTold, type PgDumpFormat, type RunningDump } from './dump.js'
import { exportSnapshot, shareSnapshot, type DumpProof } from './dump-proof.js'
import { namingArguments, planExclusion, type Exclusion } from './exclusion.js'
import { findLargeTables, piecesOf, type LargeTable, type Piece, type PieceSizes } from './large-tables.js'
import { archivePart, formatPieces, listPart } from './pieces.js'
import { qualifiedName } from './quoting.js'
import { openRowsBeside } from './rows-beside.js'
import { connectForCopy, connectSession, openSession, type PostgresSession } from './session.js'
import { refuseContradictions } from './tool-args.js'
import type { Client } from './tools.js'

/**
 * How long pg_dump waits for a lock. Our own session has the large tables locked by then, and whoever waits to change one of
 * them holds up everybody else.
 */
const lockWaitMs = 60_000

/** As pg_dump has them: `money` is written as the database has it, and a `float8` of a server before 12 in full. */
const readerSettings =
  'SET LOCAL row_security = off; SET LOCAL lc_monetary TO DEFAULT; SET LOCAL extra_float_digits = 3'

interface Plan {
  readonly overview: ServerOverview
  readonly client: Client
  readonly exclusion: Exclusion
  readonly tables: readonly LargeTable[]
}

export interface ParallelDump {
  readonly format: PgDumpFormat
  readonly sizes: PieceSizes
  /** Connections that read. One more holds the snapshot. */
  readonly jobs: number
}

/**
 * A dump by several connections that see one moment of the database: pg_dump, and those that read large tables in pieces.
 * @throws usage.invalid, usage.pattern-unmatched, tool.missing, tool.too-old, database.*
 */
export async function dumpInParallel(
  cx: Context,
  settings: ConnectorSettings,
  request: DumpRequest,
  how: ParallelDump,
): Promise<Dump> {
  refuseContradictions(settings.options, how.format.plain)
  const session = await openSession(cx, settings.connection)
  const planned = await session
    .snapshot(() => plan(cx, session, settings, request, how))
    .finally(() => session.close())
  let facts: DumpFacts = { warnings: [] }
  let rows: DumpedRows = {}
  const parts = allParts(cx, settings, request, how, planned.tables, {
    rows(opened) {
      rows = opened
    },
    ended(told) {
      facts = told
    },
  })
  return { parts, concurrency: how.jobs, facts: () => Promise.resolve(facts), rows: () => rows }
}

async function plan(
  cx: Context,
  session: PostgresSession,
  settings: ConnectorSettings,
  request: DumpRequest,
  { sizes }: ParallelDump,
): Promise<Plan> {
  const overview = await readOverview(session)
  const [client, relations] = await Promise.all([dumpClient(cx, settings, overview), readRelations(session)])
  const exclusion = await planExclusion(cx.env.platform, session, overview, relations, request)
  const throughRoot = exclusion.args.includes('--load-via-partition-root')
  const tables = await findLargeTables(session, overview, exclusion.filled, { sizes, throughRoot })
  return { overview, client, exclusion, tables }
}

/**
 * The large tables are locked before the snapshot is taken, and until the end: what rewrites a table, such as TRUNCATE, would
 * otherwise make it empty for a snapshot that is older.
 */
async function* allParts(
  cx: Context,
  settings: ConnectorSettings,
  request: DumpRequest,
  how: ParallelDump,
  wanted: readonly LargeTable[],
  tell: DumpTold,
): AsyncGenerator<DumpPart> {
  const connection = await resolveConnection(cx.env, settings.connection)
  const holder = await connectSession(cx, connection)
  const open = new OpenParts()
  let archive: RunningDump | undefined
  let readers: Readers | undefined
  let proof: DumpProof | undefined
  try {
    const locked = wanted.map(({ schema, name }) => qualifiedName(schema, name))
    await holder.begin({ locked })
    const { overview, client, exclusion, tables } = await plan(cx, holder, settings, request, how)
    const chosen = tables.filter(({ schema, name }) => locked.includes(qualifiedName(schema, name)))
    const snapshot = await exportSnapshot(holder)
    tell.rows((await openRowsBeside(cx, settings.connection, request, [], snapshot)).rows)
    const toolArgs = settings.options.toolArgs ?? []
    proof = await shareSnapshot(cx, settings.connection, {
      ...{ overview, exclusion, request, snapshot },
      toolArgs: [...toolArgs, ...settings.tools.dumpSuffix],
    })
    const args = [
      ...how.format.arguments(settings),
      `--encoding=${overview.encoding}`,
      `--lock-wait-timeout=${lockWaitMs}`,
      `--snapshot=${snapshot}`,
      ...exclusion.args,
      ...namingArguments(cx.env.platform, '--exclude-table-data', chosen),
      ...toolArgs,
    ]
    archive = await startPgDump(cx, settings, client, args, () => proof?.begun())
    yield open.add({ name: archivePart, role: 'schema', bytes: archive.bytes })
    const pieces = piecesOf(chosen, how.sizes, overview)
    if (pieces.length > 0)
      yield open.add({ name: listPart, role: 'schema', bytes: bytesOf(formatPieces(pieces)) })
    readers = new Readers(cx, connection, snapshot, how.jobs)
    for (const piece of pieces) yield open.add(await readers.read(piece))
    await open.closed()
    const warnings = [...exclusion.warnings, ...(await archive.messages())]
    tell.ended({ warnings, ...(await proof.result()) })
    // A session that has been ended has let go of its locks.
    await holder.rows('SELECT')
  } finally {
    open.destroy()
    await archive?.end()
    await readers?.close()
    await proof?.close()
    await holder.close()
  }
}

function bytesOf(text: string): Readable {
  return Readable.from([Buffer.from(text)], { objectMode: false })
}

/** Parts that somebody reads. */
class OpenParts {
  readonly #open = new Map<Readable, Promise<void>>()

  add(part: DumpPart): DumpPart {
    const { bytes } = part
    const closed = new Promise<void>((resolve) => bytes.once('close', () => resolve()))
    this.#open.set(
      bytes,
      closed.then(() => void this.#open.delete(bytes)),
    )
    return part
  }

  async closed(): Promise<void> {
    await Promise.all(this.#open.values())
  }

  /** Of a reader that has gone away. */
  destroy(): void {
    for (const bytes of this.#open.keys()) bytes.destroy()
  }
}

/** Connections at the moment of the snapshot; each reads one piece at a time. */
class Readers {
  readonly #cx: Context
  readonly #connection: Connection
  readonly #snapshot: string
  readonly #chunks = gatheredChunks()
  readonly #idle: Reader[] = []
  readonly #all = new Set<Reader>()
  readonly #most: number
  #waiting: (() => void)[] = []

  constructor(cx: Context, connection: Connection, snapshot: string, most: number) {
    this.#cx = cx
    this.#connection = connection
    this.#snapshot = snapshot
    this.#most = most
  }

  /** Waits until a connection is free. @throws database.busy, naming the table, where somebody waits to change it */
  async read({ piece, schema, table, from, read }: Piece): Promise<DumpPart> {
    const reader = await this.#take()
    if (!reader.locked.has(from)) {
      // Waiting behind somebody who waits for the lock that our own session holds would be waiting for ever.
      await reader.session.rows(`LOCK TABLE ONLY ${from} IN ACCESS SHARE MODE NOWAIT`)
      reader.locked.add(from)
    }
    const bytes = reader.session.copyOutInChunks(read, this.#chunks)
    bytes.once('close', () => this.#giveBack(reader, bytes.readableEnded))
    return { name: piece, role: 'data', table: `${schema}.${table}`, bytes, mayBeEmpty: true }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ session }) => session.close()))
  }

  async #take(): Promise<Reader> {
    for (;;) {
      const idle = this.#idle.pop()
      if (idle !== undefined) return idle
      if (this.#all.size < this.#most) return this.#connect()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async #connect(): Promise<Reader> {
    const session = await connectForCopy(this.#cx, this.#connection)
    const reader = { session, locked: new Set<string>() }
    this.#all.add(reader)
    await session.begin({ snapshot: this.#snapshot })
    await session.rows(readerSettings)
    return reader
  }

  #giveBack(reader: Reader, whole: boolean): void {
    if (whole) this.#idle.push(reader)
    else this.#all.delete(reader)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

interface Reader {
  readonly session: PostgresSession
  readonly locked: Set<string>
}
