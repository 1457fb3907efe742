import type { Context } from '../env/context.js'
import type { ConnectorSettings } from './connector.js'
import type { ConnectionSettings } from './engine.js'

/**
 * How an engine restores beside a database and lets the two change places. At any instant, also where the process is killed, either the
 * old or the new database answers under the name; what is known of a swap is kept where the databases are, so that any machine can go on.
 */
export interface Swapper {
  /** Whether it can end the sessions that are in the way. */
  readonly endsSessions: boolean
  /** What swaps have left of this database. Changes nothing. @throws database.* */
  look(cx: Context, settings: ConnectorSettings): Promise<SwapState>
  /** Takes the lock that keeps two swaps of one database apart. @throws locked.by-another-run, database.* */
  open(cx: Context, settings: ConnectorSettings): Promise<SwapSession>
}

/** How a restore gets into a database: what is there is changed, or gives its place to another one. */
export type RestoreStrategy = 'in-place' | 'swap'

export const restoreStrategies = ['in-place', 'swap'] as const satisfies readonly RestoreStrategy[]

/** `restoring`: not whole yet. `before`: whole, put aside by a swap. */
export type SwapPurpose = 'restoring' | 'before'

export interface SwapState {
  /** The place for people: `postgresql://host:5432/shop`. */
  readonly place: string
  readonly exists: boolean
  /** What the old database would be called after a swap: `shop_before_20261127t193112_1a2b3c`; of a file its path. */
  keptAs(id: string): string
  /** Newest first. */
  readonly kept: readonly KeptDatabase[]
  /** What interrupted runs have left: which database answers now and what becomes of the rest, a sentence each. */
  readonly interrupted: readonly string[]
  /** Another run is at it right now. */
  readonly running: boolean
  /** Who uses the database, and would be in the way of a swap: `psql (ann)`, a name each. */
  readonly users: readonly string[]
  /** What a swap of this database does not do as one may think, a sentence each. */
  readonly warnings: readonly string[]
}

/** A whole database that a swap has put aside. */
export interface KeptDatabase {
  /** Of a file its path. */
  readonly name: string
  readonly since: Date
  readonly sizeBytes?: number
}

/** The one swap of a database that is under way. */
export interface SwapSession {
  /** Ends what interrupted runs have begun: what was done, a sentence each. */
  settle(): Promise<readonly string[]>
  /** Makes the place to restore into, with what the database has beside its contents: owner, encoding, privileges. */
  make(id: string): Promise<Beside>
  /**
   * Puts the new database in the place of the old one, which is kept.
   * @throws database.busy, and others, with the old one in its place; restore.incomplete, with the new one, and what it lacks
   */
  exchange(beside: Beside, ending: SessionsInTheWay): Promise<Exchanged>
  /** Removes a database that did not get into its place. */
  abandon(beside: Beside): Promise<void>
  /** Brings a kept one back; what is there now is kept in its stead. @throws database.busy */
  undo(kept: KeptDatabase, id: string, ending: SessionsInTheWay): Promise<Exchanged>
  discard(kept: KeptDatabase): Promise<void>
  close(): Promise<void>
}

export interface Beside {
  readonly id: string
  readonly connection: ConnectionSettings
  /** It is there and empty. Otherwise the connector makes it, as there is no database to take after. */
  readonly made: boolean
  readonly warnings: readonly string[]
}

export interface SessionsInTheWay {
  /** End them; otherwise they are an error. */
  readonly disconnect: boolean
}

export interface Exchanged {
  /** What is kept now; absent where there was no database before. */
  readonly kept?: string
  readonly warnings: readonly string[]
}

/** The beginning of a name, cut so that with its ending it has no more bytes than the engine allows. */
export function nameWithEnding(name: string, ending: string, longestBytes: number): string {
  const beginning = [...name]
  while (Buffer.byteLength(beginning.join('') + ending) > longestBytes) beginning.pop()
  return beginning.join('') + ending
}

/** The form of the ids of swaps, which sort by time. */
export const swapIdPattern = '\\d{8}t\\d{6}_[0-9a-f]{6}'

/** `20261127t193112_1a2b3c`: lower case, as some servers fold names. */
export function swapId({ env }: Context): string {
  const time = env.clock.now().toISOString().replace(/\..*$/u, '').replace(/[-:]/gu, '').toLowerCase()
  return `${time}_${Buffer.from(env.randomBytes(3)).toString('hex')}`
}

export function timeOfSwap(id: string): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)/u.exec(id) ?? []
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** The id in a name that `nameOf` has made. */
export function swapIdIn(
  name: string,
  purpose: SwapPurpose,
  nameOf: (purpose: SwapPurpose, id: string) => string,
): string | undefined {
  const id = new RegExp(`_${purpose}_(${swapIdPattern})$`, 'u').exec(name)?.[1]
  return id !== undefined && nameOf(purpose, id) === name ? id : undefined
}
