import type { ConnectorSettings, DumpedRows, DumpRequest } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import {
  unprovenFingerprint,
  type CounterFingerprint,
  type Fingerprint,
  type FingerprintLevel,
} from '../../engine/fingerprinter.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError, HoldfastError } from '../../errors.js'
import type { Selection } from './dump-selection.js'
import {
  beginSnapshot,
  fingerprintMethod,
  readCounters,
  readDefinitions,
  readFingerprint,
} from './fingerprint.js'
import type { Grants } from './grants.js'
import type { Inventory } from './inventory.js'
import { ServerSession } from './session.js'
import { WritePause, type WriteLock } from './write-pause.js'

/** What a dump's fingerprint is to be of, and whether its rows are wanted as well. */
export interface ProofPlan extends WriteLock {
  readonly level: FingerprintLevel
  readonly rows: boolean
  readonly tables: Inventory['tables']
  readonly inventory: Inventory
  /** Nothing is left out by choice. */
  readonly whole: boolean
  /** Why none can be taken. */
  readonly unproven?: string
}

/**
 * The dump tool opens its own snapshot, of which nobody else can have a share. So writers are held up for the moment in which it
 * and ours are opened: then both are of one state.
 */
export interface DumpProof {
  /** The tool has its snapshot, which its first bytes say: writers go on, and the fingerprint is taken. */
  begin(): void
  /** Absent where none was asked for. @throws the signal's reason when aborted */
  result(): Promise<Fingerprint | undefined>
  /** What the plan wants of rows; `close` leaves them open. */
  rows(): DumpedRows
  close(): Promise<void>
}

const tooLate = 'the dump tool took too long to begin'

/** Options of the tools that change neither which rows they dump nor when. */
const harmless =
  /^(?:-[vqcC]|--(?:skip-)?(?:verbose|quick|complete-insert|compress|comments|extended-insert|hex-blob|order-by-primary|dump-date|tablespaces|set-charset|disable-keys|add-locks)|--(?:no-tablespaces|net-buffer-length|max-allowed-packet|set-gtid-purged|column-statistics|compression-algorithms|ssl[-a-z]*)(?:=.*)?)$/u

/** The first of which it is not known that it changes neither. */
export function oddArgument(words: readonly string[]): string | undefined {
  return words.find((word) => !harmless.test(word))
}

export function planProof(
  request: DumpRequest,
  inventory: Inventory,
  { excluded, withoutRows }: Selection,
  { options: { singleTransaction = true, toolArgs = [] }, tools: { dumpSuffix } }: ConnectorSettings,
  grants: Grants,
): ProofPlan {
  const odd = oddArgument([...toolArgs, ...dumpSuffix])
  return {
    level: request.fingerprint ?? 'none',
    rows: request.rows ?? false,
    tables: inventory.tables.filter(({ name }) => !excluded.includes(name) && !withoutRows.includes(name)),
    inventory,
    whole: excluded.length === 0,
    mayLockServer: grants.onServer('RELOAD') || grants.onServer('FLUSH_TABLES'),
    ...(singleTransaction ? {} : { unproven: 'without singleTransaction the dump has no snapshot' }),
    ...(odd === undefined
      ? {}
      : { unproven: `what the dump tool leaves out or locks for ${odd} is not known` }),
  }
}

/**
 * Called just before the tool is started.
 * @param pausing of the caller's, who ends it before the proof begins; else one is made for it
 */
export async function openProof(
  cx: Context,
  { connection }: ConnectorSettings,
  plan: ProofPlan,
  pausing?: WritePause,
): Promise<DumpProof> {
  if (plan.level === 'none' && !plan.rows) return noProof(plan)
  const rows: Opened['rows'] = {}
  if (plan.unproven !== undefined) {
    await openRows(cx, connection, plan, rows)
    return noProof(plan, rows, plan.unproven)
  }
  let pause = pausing
  let reader: ServerSession | undefined
  try {
    reader = await ServerSession.open(cx, connection)
    pause ??= await WritePause.begin(cx, connection, plan)
    await beginSnapshot(reader)
    await openRows(cx, connection, plan, rows)
    const counters = await readCounters(reader, plan.inventory)
    return runningProof(cx, plan, { pause, reader, counters, rows })
  } catch (error) {
    if (pausing === undefined) await pause?.end()
    await reader?.close()
    if (rows.source === undefined) await openRows(cx, connection, plan, rows)
    if (cx.signal.aborted) await rows.source?.close()
    cx.signal.throwIfAborted()
    const why = `writers could not be held up for a moment: ${asHoldfastError(error).message}`
    return noProof(plan, rows, why)
  }
}

/** Opens the rows in a snapshot of their own, which is the dump's where writers are held up. What fails here fails the portable dump alone. */
async function openRows(
  cx: Context,
  connection: ConnectionSettings,
  plan: ProofPlan,
  rows: Opened['rows'],
): Promise<void> {
  if (!plan.rows) return
  const { openSource } = await import('./rows-source.js')
  try {
    rows.source = await openSource(cx, connection)
  } catch (error) {
    rows.apart = asHoldfastError(error).message
  }
}

interface Opened {
  readonly pause: WritePause
  readonly reader: ServerSession
  readonly counters: readonly CounterFingerprint[]
  readonly rows: { -readonly [Name in keyof DumpedRows]: DumpedRows[Name] }
}

function runningProof(
  { signal }: Context,
  plan: ProofPlan,
  { pause, reader, counters, rows }: Opened,
): DumpProof {
  let taking: Promise<Fingerprint | undefined> | undefined
  const close = async () => {
    await pause.end()
    await reader.close()
  }
  const take = async (): Promise<Fingerprint | undefined> => {
    const held = await pause.end()
    if (!held) rows.apart ??= tooLate
    if (plan.level === 'none') return undefined
    if (!held) throw new HoldfastError('tool.timeout', tooLate)
    const transactional = await transactionalEngines(reader)
    const { level, tables, inventory, whole } = plan
    const found = await readFingerprint(reader, { level, tables, inventory, counters, transactional })
    return {
      ...found,
      counters: whole ? found.counters : [],
      definitions: whole ? await readDefinitions(reader, inventory) : {},
    }
  }
  const begin = () => {
    taking ??= take()
      .catch((error: unknown) => unprovenFingerprint(fingerprintMethod, asHoldfastError(error).message))
      .finally(close)
  }
  return {
    begin,
    async result() {
      begin()
      const found = await taking
      signal.throwIfAborted()
      return found
    },
    rows: () => rows,
    close,
  }
}

async function transactionalEngines(session: ServerSession): Promise<ReadonlySet<string>> {
  const engines = await session.query<{ engine: string }>(
    `SELECT ENGINE AS engine FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'`,
  )
  return new Set(engines.map(({ engine }) => engine))
}

function noProof({ level }: ProofPlan, rows: DumpedRows = {}, why?: string): DumpProof {
  const found =
    why === undefined || level === 'none' ? undefined : unprovenFingerprint(fingerprintMethod, why)
  return {
    begin: () => undefined,
    result: () => Promise.resolve(found),
    rows: () => (why === undefined ? rows : { apart: why, ...rows }),
    close: () => Promise.resolve(),
  }
}
