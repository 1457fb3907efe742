import type { HookEvents, HookName, Operation } from './events.js'

/** Beside the event: who sends it, and how long it waits. */
export interface HookSender {
  readonly operation: Operation
  /** Aborted when the handler's time is over, or when the operation is interrupted. */
  readonly signal: AbortSignal
}

export type HookHandler<Name extends HookName> = (
  event: HookEvents[Name],
  sender: HookSender,
) => void | Promise<void>

/**
 * What becomes of a handler's error.
 *
 * - `fail`: a `before…` hook stops the operation (`refused.hook`); an `after…` hook lets it end with `hook.failed`, and what was
 *   done stays valid.
 * - `report`: a warning.
 * - `ignore`: seen with `--verbose` only.
 */
export type HookPolicy = 'fail' | 'report' | 'ignore'

export interface HookSettings {
  /** Default `fail`; for `onFailure` and `onProgress`, which have nothing to fail, `report`. */
  readonly onError?: HookPolicy
  /** How long a handler may take, in milliseconds. Default ten minutes. */
  readonly timeoutMs?: number
}

/** A function; or a line for the system's shell, which finds the event as JSON on stdin and in variables. */
export type HookAction<Name extends HookName> = HookHandler<Name> | string

export interface HookWithSettings<Name extends HookName> extends HookSettings {
  readonly run: HookAction<Name>
}

export type HookEntry<Name extends HookName> = HookAction<Name> | HookWithSettings<Name>

/** Handlers in the configuration: one, or several that run in order. */
export type HookConfig = {
  readonly [Name in HookName]?: HookEntry<Name> | readonly HookEntry<Name>[]
}
