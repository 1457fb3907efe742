import type { Context } from '../env/context.js'
import type { ConnectionSettings } from './engine.js'

/**
 * What is taken of every table: nothing, the exact number of its rows, or that and a digest of all of them.
 */
export type FingerprintLevel = 'none' | 'counts' | 'content'

export const fingerprintLevels = ['none', 'counts', 'content'] as const satisfies readonly FingerprintLevel[]

/** What a database held at one moment, so that a restored copy can be compared with it. */
export interface Fingerprint {
  readonly level: FingerprintLevel
  /** How digests are computed, as docs/format.md describes it: `postgresql-1`. Fingerprints of two methods are not compared. */
  readonly method: string
  readonly tables: readonly TableFingerprint[]
  readonly counters: readonly CounterFingerprint[]
  /**
   * Digests of the definitions by kind and name: `index public.film_title`. Empty where the dump leaves something out by choice.
   */
  readonly definitions: Readonly<Record<string, string>>
  /** Why there is less than was asked for, or nothing. */
  readonly unproven?: string | undefined
}

export interface TableFingerprint {
  readonly schema?: string | undefined
  readonly name: string
  /** Absent where `unproven` says why. */
  readonly rows?: number | undefined
  /** The same for the same rows in any order. */
  readonly digest?: string | undefined
  readonly unproven?: string | undefined
}

/** Where ids come from: a sequence, the next number of a table. These are in no snapshot. */
export interface CounterFingerprint {
  readonly name: string
  /** The next value, as decimal digits, before the dump read it. */
  readonly next: string
  /** The next value when the dump had ended, where it is another. */
  readonly until?: string | undefined
}

/** A fingerprint with what has to be known to compare it with another. */
export interface DatabaseFingerprint {
  readonly product: string
  readonly version: string
  readonly encoding?: string | undefined
  readonly fingerprint: Fingerprint
}

/** Which tables to look at; all where there are no names. */
export interface FingerprintRequest {
  readonly level: Exclude<FingerprintLevel, 'none'>
  /** Only these; one that is not there is left out. */
  readonly tables?: readonly Pick<TableFingerprint, 'schema' | 'name'>[]
}

/** What an engine can tell of a database as it is. */
export interface Fingerprinter {
  readonly method: string
  /** What a backup takes where nothing is configured: `content` only where that adds little to its time. */
  readonly defaultLevel: FingerprintLevel
  /** In one snapshot where the engine has them. @throws database.* */
  take(cx: Context, connection: ConnectionSettings, request: FingerprintRequest): Promise<DatabaseFingerprint>
}

/** A fingerprint that says why there is none. */
export function unprovenFingerprint(method: string, why: string): Fingerprint {
  return { level: 'none', method, tables: [], counters: [], definitions: {}, unproven: why.slice(0, 1_000) }
}

/** Joins two readings of the counters, before and after a dump. */
export function countersBetween(
  before: readonly CounterFingerprint[],
  after: readonly CounterFingerprint[],
): readonly CounterFingerprint[] {
  const later = new Map(after.map(({ name, next }) => [name, next]))
  return before.map(({ name, next }) => {
    const until = later.get(name)
    return until === undefined || until === next ? { name, next } : { name, next, until }
  })
}
