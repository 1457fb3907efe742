import type { DumpRequest } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { unprovenFingerprint, type Fingerprint } from '../../engine/fingerprinter.js'
import type { Context } from '../../env/context.js'
import { asHoldfastError } from '../../errors.js'
import type { ServerOverview } from './catalog.js'
import type { Exclusion } from './exclusion.js'
import { fingerprintMethod, readCounters, readDefinitions, readFingerprint } from './fingerprint.js'
import { openSession, type PostgresSession } from './session.js'

/** The fingerprint of a dump, taken in the snapshot that pg_dump is told to use. */
export interface DumpProof {
  /** For pg_dump. */
  readonly args: readonly string[]
  /** Called when pg_dump has the snapshot, which its first byte says: what fails from then on is no loss to it. */
  begin(): void
  /** Absent where none was asked for. Why it could not be taken stands in it. @throws the signal's reason when aborted */
  result(): Promise<Fingerprint | undefined>
  /** Ends what is still running. */
  close(): Promise<void>
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
 * Opens a transaction whose snapshot pg_dump shares.
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
 */
export async function shareSnapshot(
  cx: Context,
  connection: ConnectionSettings,
  { overview, exclusion, request, toolArgs, snapshot }: ProofPlan,
): Promise<DumpProof> {
  const { fingerprint: level = 'none', exclude, schemas } = request
  if (level === 'none') return noProof()
  const odd = toolArgs.find((argument) => !harmless.test(argument))
  if (odd !== undefined) return noProof(`what pg_dump leaves out for ${odd} is not known`)
  const session = await openSession(cx, connection)
  try {
    await session.begin(snapshot === undefined ? {} : { snapshot })
    const shared = snapshot ?? (await exportSnapshot(session))
    const counters = await readCounters(session)
    const whole = exclude.length === 0 && schemas.length === 0
    const take = async (): Promise<Fingerprint> => {
      const found = await readFingerprint(session, overview, { level, filled: exclusion.filled, counters })
      return {
        ...found,
        counters: whole ? found.counters : [],
        definitions: whole ? await readDefinitions(session, overview) : {},
      }
    }
    return runningProof(cx.signal, session, [`--snapshot=${shared}`], take)
  } catch (error) {
    await session.close()
    cx.signal.throwIfAborted()
    return noProof(asHoldfastError(error).message)
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
  args: readonly string[],
  take: () => Promise<Fingerprint>,
): DumpProof {
  let taking: Promise<Fingerprint> | undefined
  const begin = () => {
    taking ??= take()
      .catch((error: unknown) => unprovenFingerprint(fingerprintMethod, asHoldfastError(error).message))
      // pg_dump has its snapshot, and the server need not keep old rows for this one.
      .finally(() => session.close())
  }
  return {
    args,
    begin,
    async result() {
      begin()
      const found = await taking
      signal.throwIfAborted()
      return found
    },
    close: () => session.close(),
  }
}

function noProof(why?: string): DumpProof {
  const found = why === undefined ? undefined : unprovenFingerprint(fingerprintMethod, why)
  return {
    args: [],
    begin: () => undefined,
    result: () => Promise.resolve(found),
    close: () => Promise.resolve(),
  }
}
