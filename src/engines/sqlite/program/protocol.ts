import type { ServerFacts } from '../../../engine/engine.js'
import type {
  DatabaseFingerprint,
  Fingerprint,
  FingerprintLevel,
  FingerprintRequest,
} from '../../../engine/fingerprinter.js'
import type { RowSinkRequest } from '../../../engine/row-sink.js'
import type { ColumnHeader } from '../../../engine/table-header.js'

/**
 * The commands of Holdfast's own SQLite program: what each is told (as JSON, its second argument) and what it answers (as
 * JSON on stdout). `copy` and `dump` write bytes to stdout instead; `load` reads SQL from stdin.
 *
 * Why a program of its own, as the other engines have theirs: SQLite's POSIX locks belong to a process. Where an application
 * has its database open through another copy of SQLite (better-sqlite3, node:sqlite), a second copy in the same process is
 * not kept out by its locks, and drops them when it closes the file (https://sqlite.org/howtocorrupt.html, 2.2). A program
 * can also be ended at any moment, and keeps the caller's event loop free.
 */
export interface Commands {
  readonly inspect: { readonly input: FileInput; readonly output: ServerFacts }
  readonly check: { readonly input: CheckInput; readonly output: null }
  readonly backup: { readonly input: BackupInput; readonly output: BackupOutput }
  readonly copy: { readonly input: CopyInput; readonly output: never }
  readonly dump: { readonly input: DumpInput; readonly output: never }
  readonly load: { readonly input: LoadInput; readonly output: null }
  readonly install: { readonly input: InstallInput; readonly output: null }
  readonly 'install-part': { readonly input: InstallPartInput; readonly output: null }
  readonly fingerprint: { readonly input: FingerprintInput; readonly output: DatabaseFingerprint }
  readonly swap: { readonly input: SwapInput; readonly output: SwapOutput }
  readonly 'settle-swap': { readonly input: SettleInput; readonly output: SettleOutput }
  readonly 'rows-out': { readonly input: RowsOutInput; readonly output: null }
  readonly 'rows-in': { readonly input: RowsInInput; readonly output: null }
}

export type CommandName = keyof Commands

export interface FileInput {
  readonly path: string
}

export interface CheckInput extends FileInput {
  /** The file is Holdfast's own and nobody writes to it: it is read without locks. */
  readonly private: boolean
}

export interface BackupInput extends FileInput {
  readonly copy: string
  readonly fingerprint: FingerprintLevel
}

export interface BackupOutput {
  /** Whether the structure was checked while it was copied; else the copy is still to be. */
  readonly checked: boolean
  /** Of the state that was copied, where one was asked for. */
  readonly fingerprint?: Fingerprint
}

export interface FingerprintInput extends FileInput {
  readonly level: FingerprintRequest['level']
  /** Only these. */
  readonly tables?: readonly string[]
}

/** The fingerprint of a dump that is written to stdout goes to a file. */
export interface ProofWanted {
  readonly level: FingerprintLevel
  readonly file: string
}

export interface CopyInput extends FileInput {
  readonly proof?: ProofWanted
}

export interface DumpInput extends CopyInput {
  /** Names of tables, not patterns. */
  readonly exclude: readonly string[]
  readonly excludeData: readonly string[]
}

/**
 * - `new`: into an empty file of Holdfast's own; page size, encoding and auto_vacuum are the dump's.
 * - `objects`: into a database in use; what the dump makes anew is dropped first.
 * - `none`: into a database in use; an object that is there already is an error.
 */
export type LoadMode = 'new' | 'objects' | 'none'

export interface LoadInput extends FileInput {
  readonly mode: LoadMode
}

export interface InstallInput {
  /** A whole database, beside the target. It is gone afterwards, or still there when the command fails. */
  readonly from: string
  readonly target: string
  /** The same bytes were checked when the backup was made: that need not be done again. */
  readonly checked: boolean
}

/** Some of the tables and views of a whole database, into another one. */
export interface InstallPartInput extends InstallInput {
  /** Patterns; none means all. */
  readonly tables: readonly string[]
  readonly schemaOnly: boolean
  readonly dataOnly: boolean
  /** What is there of them makes room; otherwise it is an error. */
  readonly replace: boolean
}

/** What is to change places, and has perhaps. It stands in the record of the swap, so that another run can go on. */
export interface SwapFiles {
  /** A whole database beside the target. It is there until the very moment in which it is in the target's place. */
  readonly from: string
  /** What the old database is called from then on. */
  readonly kept: string
  /** `from` is one that was kept, and comes back: it is never removed. */
  readonly back: boolean
  /** The target had a WAL before the swap, and has one after it. */
  readonly wal?: boolean
}

export interface SwapInput extends SwapFiles {
  readonly target: string
  readonly record: string
}

export interface SwapOutput {
  /** False where there was no database before. */
  readonly kept: boolean
}

export interface SettleInput extends SwapFiles {
  readonly target: string
}

export interface SettleOutput {
  /** Which database the target is. */
  readonly is: 'old' | 'new'
}

export interface RowsInInput extends FileInput {
  readonly mode: LoadRowsMode
  readonly dryRun: boolean
}

export interface RowsOutInput extends FileInput {
  /** Nobody may write until `release`, or until a while has passed: so others can begin to read the same state. */
  readonly still?: true
}

export type LoadRowsMode = RowSinkRequest['mode']

/**
 * `rows-out` and `rows-in` are talked with in frames (see frames.ts): requests come on stdin, answers go to stdout. `rows-in`
 * commits at `finish` and at nothing else.
 */
export type RowsOutRequest = { readonly do: 'tables' } | { readonly do: 'release' } | ReadRequest

/** The answer to `release`. */
export interface ReleaseAnswer {
  /** Whether nobody has written up to now. */
  readonly still: boolean
}

/** Answered with frames of rows, and one with none. */
export interface ReadRequest {
  readonly do: 'read'
  readonly table: string
  readonly columns: readonly ColumnHeader[]
  /** What follows the table's name: ` WHERE … ORDER BY …`. */
  readonly rest: string
}

export type RowsInRequest =
  | { readonly do: 'tables' }
  | { readonly do: 'create'; readonly statements: readonly string[] }
  | { readonly do: 'begin'; readonly tables: readonly string[] }
  | {
      readonly do: 'load'
      readonly table: string
      readonly columns: readonly string[]
      readonly key: readonly string[]
    }
  /** Rows of the table that was named last; they are the frame's bytes. */
  | { readonly do: 'rows' }
  | { readonly do: 'end' }
  | ReadRequest
  /** The next ids, by table. */
  | { readonly do: 'finish'; readonly next: Readonly<Record<string, string>> }

/**
 * Closes the SQL on the stdin of `load`: NUL never stands in SQL text. Without it, the end of a caller that was killed would
 * look like the end of the SQL.
 */
export const endOfSql = 0
