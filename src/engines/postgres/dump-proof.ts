import type { DumpRequest } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { unprovenFingerprint, type CounterFingerprint, type Fingerprint } from '../../engine/fingerprinter.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError } from '../../errors.js'
import type { ServerOverview } from './catalog.js'
import type { Exclusion } from './exclusion.js'
import { definitionsIn, fingerprintMethod, readCounters, readFingerprint } from './fingerprint.js'
import { definitionLines, schemaHash } from './schema-hash.js'
import { openSession, type PostgresSession } from './session.js'

/** What is found out beside a dump, in the snapshot that pg_dump is told to use. */
export interface DumpProof {
  /** For pg_dump. */
  readonly args: readonly string[]
  /** Called when pg_dump has the snapshot and has read the sequences, which its first byte says. */
  begun(): void
  /** @throws database.* where the definitions could not be read; the signal's reason when aborted */
  result(): Promise<Proof>
  /** Ends what is still running. */
  close(): Promise<void>
}

export interface Proof {
  readonly schemaHash: string
  /** Absent where none was asked for. Why it could not be taken stands in it. */
  readonly fingerprint?: Fingerprint
}

export interface ProofPlan {
  readonly overview: ServerOverview
  readonly exclusion: Exclusion
  readonly request: DumpRequest
  readonly toolArgs: readonly string[]
  /** One that another transaction holds. Default: one of the proof's own. */
  readonly snapshot?: string
}

/** Options of pg_dump, with their values, that change neither which rows it dumps nor when. */
const harmless =
  /^(?:-[vOxb]|[^-].*|--(?:verbose|no-sync|no-comments|no-owner|no-privileges|no-acl|large-objects|blobs|inserts|column-inserts|rows-per-insert|quote-all-identifiers|no-toast-compression|no-tablespaces|disable-triggers|use-set-session-authorization|role|extra-float-digits)(?:=.*)?)$/u

/**
 * Opens a transaction whose snapshot pg_dump shares, and reads in it at once.
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
 */
export async function shareSnapshot(
  cx: Context,
  connection: ConnectionSettings,
  plan: ProofPlan,
): Promise<DumpProof> {
  if ((plan.request.fingerprint ?? 'none') === 'none') return definitionsAlone(cx, connection, plan)
  const odd = plan.toolArgs.find((argument) => !harmless.test(argument))
  if (odd !== undefined)
    return definitionsAlone(cx, connection, plan, `what pg_dump leaves out for ${odd} is not known`)
  let session: PostgresSession | undefined
  try {
    session = await openSession(cx, connection)
    await session.begin(plan.snapshot === undefined ? {} : { snapshot: plan.snapshot })
    const shared = plan.snapshot ?? (await exportSnapshot(session))
    const counters = await readCounters(session)
    // What fails from here on leaves the transaction open, and with it the snapshot that pg_dump may not have taken yet.
    await session.rows('SAVEPOINT proof')
    return runningProof(cx.signal, session, shared, plan, counters)
  } catch (error) {
    await session?.close()
    cx.signal.throwIfAborted()
    return definitionsAlone(cx, connection, plan, asHoldfastError(error).message)
  }
}

/** For other sessions, as long as this one's transaction is open. */
export async function exportSnapshot(session: PostgresSession): Promise<string> {
  const [row] = await session.rows<{ readonly id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
  return row?.id ?? ''
}

function runningProof(
  signal: AbortSignal,
  session: PostgresSession,
  snapshot: string,
  { overview, exclusion, request: { fingerprint: level = 'none', exclude, schemas } }: ProofPlan,
  counters: readonly CounterFingerprint[],
): DumpProof {
  const whole = exclude.length === 0 && schemas.length === 0
  let begun: () => void = () => undefined
  const countersRead = new Promise<void>((resolve) => (begun = resolve))
  const take = async (): Promise<Proof> => {
    const definitions = await definitionLines(session, overview.version)
    const plan = { level, filled: exclusion.filled, counters, countersRead }
    const reading = readFingerprint(session, overview, plan)
    // While the server counts.
    const digests = { schemaHash: schemaHash(definitions), definitions: definitionsIn(definitions) }
    const fingerprint = await reading.then(
      (found) => ({
        ...found,
        counters: whole ? found.counters : [],
        definitions: whole ? digests.definitions : {},
      }),
      (error: unknown) => unprovenFingerprint(fingerprintMethod, asHoldfastError(error).message),
    )
    return { schemaHash: digests.schemaHash, fingerprint }
  }
  const taking = take()
  const settled = Promise.allSettled([taking, countersRead])
  // pg_dump has its snapshot, and the server need not keep old rows for this one.
  void settled.then(() => session.close())
  return {
    args: [`--snapshot=${snapshot}`],
    begun,
    async result() {
      begun()
      await settled
      signal.throwIfAborted()
      return taking
    },
    close: () => session.close(),
  }
}

/** Without a share of pg_dump's snapshot. */
function definitionsAlone(
  cx: Context,
  connection: ConnectionSettings,
  { overview }: ProofPlan,
  unproven?: string,
): DumpProof {
  const read = async (): Promise<Proof> => {
    const session = await openSession(cx, connection)
    try {
      const definitions = await session.snapshot(() => definitionLines(session, overview.version))
      return {
        schemaHash: schemaHash(definitions),
        ...(unproven === undefined ? {} : { fingerprint: unprovenFingerprint(fingerprintMethod, unproven) }),
      }
    } finally {
      await session.close()
    }
  }
  const reading = read()
  // Who asks for the result is told; who does not, because the dump failed, need not know.
  reading.catch(() => undefined)
  return { args: [], begun: () => undefined, result: () => reading, close: () => Promise.resolve() }
}
