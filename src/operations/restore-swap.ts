import type { Manifest } from '../catalog/manifest.js'
import { nativeParts } from '../catalog/parts.js'
import type { DatabaseSettings } from '../config/settings.js'
import type { ConnectorFactory, RestoreFacts, RestoreRequest } from '../engine/connector.js'
import { swapId, type Beside, type Swapper, type SwapSession, type SwapState } from '../engine/swapper.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, errorTable, HoldfastError } from '../errors.js'
import { connectorSettings, createConnector } from './create-connector.js'
import type { Comparison, RestorePlan } from './reports.js'
import type { RestoreRequestOptions } from './requests.js'
import type { FoundSource } from './restore-source.js'
import { partOf } from './restore-request.js'
import { requestName } from './setting-names.js'
import { notice, type Workspace } from './workspace.js'

/** A restore into a database that swaps may have been made of, and perhaps one more is to be. */
export interface SwapOutlook {
  readonly swapper: Swapper
  readonly state: SwapState
  /** The id of the swap that is to come; absent for a restore in place. */
  readonly id?: string
}

/** What of a plan tells of swaps. */
export type SwapFacts = Pick<RestorePlan, 'strategy' | 'keptAs' | 'roomBytes' | 'kept' | 'warnings'>

/**
 * Refuses what cannot be swapped, before anything is looked at.
 * @throws usage.not-supported, usage.invalid
 */
export function refuseUnswappable(
  workspace: Workspace,
  given: RestoreRequestOptions,
  asked: RestoreRequest,
  { name, capabilities }: ConnectorFactory,
  { engine }: DatabaseSettings,
): void {
  const strategy = `${requestName(workspace, 'strategy')} swap`
  const hint = 'restore with the strategy in-place'
  if (engine.swap === undefined)
    throw new HoldfastError('usage.not-supported', `${engine.name} has no ${strategy}`, { hint })
  if (capabilities.restoresBeside !== true) {
    throw new HoldfastError(
      'usage.not-supported',
      `${strategy} does not go with the connector ${name}: it is not known to restore beside a database`,
      { hint },
    )
  }
  const part = partOf(asked)
  if (part.length > 0) {
    throw new HoldfastError(
      'usage.invalid',
      `${strategy} replaces the whole database, and only a part is to be restored: ${part.join(', ')}`,
      { hint },
    )
  }
  if (given.clean !== undefined && given.clean !== 'database') {
    throw new HoldfastError(
      'usage.invalid',
      `${requestName(workspace, 'clean')} ${given.clean} does not go with ${strategy}: the whole database is replaced`,
      { hint: 'leave one out' },
    )
  }
}

/**
 * What swaps have left of the target, and whether another one can be made.
 * @throws database.busy, locked.by-another-run
 */
export async function lookForSwaps(
  cx: Context,
  target: DatabaseSettings,
  { capabilities }: ConnectorFactory,
  { strategy, disconnect }: { readonly strategy: RestorePlan['strategy']; readonly disconnect: boolean },
): Promise<SwapOutlook | undefined> {
  const swapper = target.engine.swap
  if (swapper === undefined || capabilities.restoresBeside !== true) return undefined
  const state = await swapper.look(cx, connectorSettings(target, target.connection))
  if (strategy !== 'swap') return { swapper, state }
  if (state.running)
    throw new HoldfastError('locked.by-another-run', `another run restores beside ${state.place} or swaps it`)
  assertUnused(swapper, state, disconnect)
  return { swapper, state, id: swapId(cx) }
}

/** @throws database.busy */
export function assertUnused(
  { endsSessions }: Swapper,
  { users, place }: SwapState,
  disconnect: boolean,
): void {
  if (users.length === 0 || (disconnect && endsSessions)) return
  throw new HoldfastError(
    'database.busy',
    `${place} is in use: ${users.join(', ')}`,
    endsSessions ? {} : { hint: 'stop these programs; Holdfast does not end them' },
  )
}

/** What the plan says of it. */
export function swapFacts(
  outlook: SwapOutlook | undefined,
  manifest: Manifest | undefined,
  targetBytes: number | undefined,
): SwapFacts {
  if (outlook === undefined) return { strategy: 'in-place', kept: [], warnings: [] }
  const { state, id } = outlook
  const running = state.running ? [`another run restores beside ${state.place} at this moment`] : []
  const told = { kept: state.kept, warnings: [...state.interrupted, ...running] }
  if (id === undefined) return { strategy: 'in-place', ...told }
  const parts = manifest === undefined ? [] : nativeParts(manifest)
  const plain = parts.reduce((sum, part) => sum + part.plain.bytes, 0)
  const roomBytes = Math.max(plain, targetBytes ?? 0)
  return {
    strategy: 'swap',
    ...(state.exists ? { keptAs: state.keptAs(id) } : {}),
    ...(roomBytes === 0 ? {} : { roomBytes }),
    kept: told.kept,
    warnings: [...told.warnings, ...(state.exists ? state.warnings : [])],
  }
}

export interface SwapRestore {
  readonly outlook: SwapOutlook & { readonly id: string }
  readonly target: DatabaseSettings
  readonly factory: ConnectorFactory
  readonly request: RestoreRequest
  /** Looks at what was restored, before the swap. @throws integrity.differs */
  readonly compare: (beside: DatabaseSettings) => Promise<Comparison | undefined>
}

/**
 * Restores beside the target, and lets the two change places.
 * @throws what the connector throws, with the target as it was
 */
export async function restoreBySwap(
  cx: Context,
  workspace: Workspace,
  { source }: FoundSource,
  { outlook, target, factory, request, compare }: SwapRestore,
): Promise<RestoreFacts & { readonly kept?: string; readonly comparison?: Comparison }> {
  const { place } = outlook.state
  return withSwap(cx, outlook.swapper, target, async (swap) => {
    const settled = await swap.settle()
    const beside = await swap.make(outlook.id)
    let swapped = false
    try {
      // What is not whole is thrown away: it needs no transaction, which holds a lock for every table.
      const loose = {
        ...target,
        connection: beside.connection,
        options: { ...target.options, singleTransaction: false },
      }
      const facts = await createConnector(factory, loose, beside.connection).restore(cx, source, {
        ...request,
        clean: 'none',
        create: !beside.made,
      })
      const comparison = await compare(loose)
      cx.signal.throwIfAborted()
      const { kept, warnings } = await swap.exchange(beside, request).catch((thrown: unknown) => {
        swapped = asHoldfastError(thrown).code === 'restore.incomplete'
        throw thrown
      })
      return {
        ...(kept === undefined ? {} : { kept }),
        ...(comparison === undefined ? {} : { comparison }),
        warnings: [...settled, ...beside.warnings, ...facts.warnings, ...warnings],
      }
    } catch (thrown) {
      await abandoned(workspace, swap, beside)
      throw swapped ? thrown : asItWas(thrown, place)
    }
  })
}

/** Ends what an interrupted swap has begun, before anything else is done with its database. */
export async function settleSwaps(
  cx: Context,
  { swapper, state }: SwapOutlook,
  target: DatabaseSettings,
): Promise<readonly string[]> {
  if (state.running || state.interrupted.length === 0) return []
  return withSwap(cx, swapper, target, (swap) => swap.settle())
}

/** The steps of a swap are short, and not interrupted: it is always known what there is. */
export async function withSwap<Result>(
  cx: Context,
  swapper: Swapper,
  target: DatabaseSettings,
  work: (swap: SwapSession) => Promise<Result>,
): Promise<Result> {
  const steady = { ...cx, signal: new AbortController().signal }
  const swap = await swapper.open(steady, connectorSettings(target, target.connection))
  try {
    return await work(swap)
  } finally {
    await swap.close()
  }
}

async function abandoned(workspace: Workspace, swap: SwapSession, beside: Beside): Promise<void> {
  await swap.abandon(beside).catch((failed: unknown) => {
    const { message } = asHoldfastError(failed)
    notice(workspace, 'warning', `${beside.connection.name} is left, half restored: ${message}`)
  })
}

/** What came of the database beside does not concern the target. */
function asItWas(thrown: unknown, place: string): HoldfastError {
  const outer = asHoldfastError(thrown)
  const inner = outer.code === 'restore.incomplete' ? asHoldfastError(outer.cause, 'tool.failed') : outer
  const hint = outer.hint === errorTable[outer.code].hint ? inner.hint : outer.hint
  return new HoldfastError(inner.code, `${inner.message}; ${place} is as it was`, {
    cause: thrown,
    hint,
    details: inner.details,
  })
}
