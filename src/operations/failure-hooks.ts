import { asHoldfastError } from '../errors.js'
import type { HookDatabase, Operation, Phase } from '../hooks/events.js'
import { contextOf, type Workspace } from './workspace.js'

/** Where an operation is when it fails. */
export interface Standing {
  readonly operation: Operation
  phase: Phase
  database?: HookDatabase
}

/** Who has interrupted a run does not wait long for its hooks. */
const interruptedMs = 5_000

/** Runs the `onFailure` hooks. Never throws: the failure itself is what counts. */
export async function tellFailure(
  workspace: Workspace,
  { operation, phase, database }: Standing,
  thrown: unknown,
): Promise<void> {
  if (!workspace.hooks.has('onFailure')) return
  const { code, message } = asHoldfastError(thrown)
  const limit = new AbortController()
  const timer = code.startsWith('interrupted.')
    ? setTimeout(() => limit.abort(thrown), interruptedMs)
    : undefined
  const event = { operation, phase, server: workspace.settings.serverName, code, message }
  try {
    await workspace.hooks.run(contextOf(workspace, limit.signal), operation, 'onFailure', {
      ...event,
      ...(database === undefined ? {} : { database }),
    })
  } catch {
    // The time of an interrupted run is over.
  } finally {
    clearTimeout(timer)
  }
}
