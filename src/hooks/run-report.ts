import type { ErrorCode } from '../errors.js'
import type { Operation } from './events.js'

/** `partial`: some of it was done, and that much is whole. */
export type RunResult = 'success' | 'partial' | 'failure'

export interface RunError {
  readonly code: ErrorCode
  readonly message: string
  /** What to do about it. */
  readonly hint: string
}

/** One storage of a subject: what is there, or why it is not. */
export interface RunStorage {
  readonly name: string
  readonly ok: boolean
  readonly error?: RunError
}

/** What became of one database, or one set of files. */
export interface RunSubject {
  readonly kind: 'database' | 'files'
  /** Its alias in the configuration. */
  readonly name: string
  readonly result: RunResult
  /** Where its backup went to, or came from. Empty where no storage took part. */
  readonly storages: readonly RunStorage[]
  /** Of the backup. */
  readonly id?: string
  readonly filename?: string
  /** The size of the dump, and what of it is stored. */
  readonly plainBytes?: number
  readonly storedBytes?: number
  /** Of all tables together, as the backup counted them; absent where one was not counted. */
  readonly rows?: number
  readonly seconds?: number
  /** How many backups retention has removed. */
  readonly removed?: number
  readonly warnings: readonly string[]
  /** Absent in a failure: what ended the run came before its turn. */
  readonly error?: RunError
}

export interface RunStart {
  readonly operation: Operation
  /** The name of the machine, as in manifests. */
  readonly server: string
  /** RFC 3339, in UTC. */
  readonly started: string
}

/** What became of a run of an operation: what notifiers tell and metrics count. Without secrets. */
export interface RunReport extends RunStart {
  readonly finished: string
  readonly seconds: number
  readonly result: RunResult
  readonly subjects: readonly RunSubject[]
  /** What ended the run as a whole. */
  readonly error?: RunError
}
