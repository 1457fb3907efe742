import type { Duplex } from 'node:stream'
import type { Env } from './env.js'

/** What every long call gets: the machine, the wish to stop, and where to tell what is going on. */
export interface Context {
  readonly env: Env
  readonly signal: AbortSignal
  readonly emit: Emit
  /** What dumps pass through on their way out of a database or into one, where a rate is not to be exceeded. */
  readonly pace?: PassingRate
  /** What the stages of one stream may take, in bytes, where memory is limited; at least one job is done all the same. */
  readonly memory?: number
}

/** A limit that all streams through it have together. */
export interface PassingRate {
  through(signal: AbortSignal): Duplex
}

export type Emit = (event: ProgressEvent | NoticeEvent) => void

/** How far a piece of work has come. */
export interface ProgressEvent {
  readonly type: 'progress'
  /** What is worked on: the alias of a database, or a backup's id. */
  readonly subject: string
  readonly phase: 'dump' | 'restore' | 'verify' | 'check' | 'copy' | 'load'
  /** Bytes of the dump itself, before compression. */
  readonly bytes: number
  /** The expected sum of `bytes`, where it is known or can be estimated. */
  readonly totalBytes?: number
  /** Rows so far and in all, where the work is done row by row; the whole is an estimate. */
  readonly rows?: number
  readonly totalRows?: number
  readonly done?: boolean
}

/** Something a person should know while the work goes on: never an error, which is thrown. */
export interface NoticeEvent {
  readonly type: 'notice'
  readonly level: 'debug' | 'info' | 'warning'
  readonly message: string
}
