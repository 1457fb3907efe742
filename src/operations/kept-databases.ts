import type { DatabaseSettings } from '../config/settings.js'
import { swapId, type KeptDatabase, type Swapper, type SwapState } from '../engine/swapper.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { confirmed } from './confirmation.js'
import { connectorSettings } from './create-connector.js'
import type { KeptPlan, KeptReport } from './reports.js'
import type { KeptRequest } from './requests.js'
import { restoreTarget } from './restore-find.js'
import { assertUnused, withSwap } from './restore-swap.js'
import { contextOf, type Workspace } from './workspace.js'

/**
 * Brings back the database that the last restore by swap has put aside. What is there now is kept in its stead, so that this can be undone,
 * too. What an interrupted swap has begun is ended first.
 * @throws usage.nothing-kept, database.*, refused.*, locked.by-another-run: nothing was changed
 */
export async function undoRestore(workspace: Workspace, request: KeptRequest): Promise<KeptReport> {
  const id = swapId(contextOf(workspace))
  return onKept(workspace, request, ({ cx, target, swapper, state }) => {
    const disconnect = request.disconnect ?? false
    const kept = newest(target, state)
    if (kept === undefined) return settleAlone('undo', { cx, target, swapper, state })
    assertUnused(swapper, state, disconnect)
    const keptAs = state.exists ? state.keptAs(id) : undefined
    return {
      plan: planOf(target, state, {
        action: 'undo',
        databases: [kept],
        ...(keptAs === undefined ? {} : { keptAs }),
        losses: [],
      }),
      act: () =>
        withSwap(cx, swapper, target, async (swap) => [
          ...(await swap.settle()),
          ...(await swap.undo(kept, id, { disconnect })).warnings,
        ]),
    }
  })
}

/**
 * Removes all databases that restores by swap have put aside.
 * @throws usage.nothing-kept, database.*, refused.*, locked.by-another-run
 */
export async function discardOld(workspace: Workspace, request: KeptRequest): Promise<KeptReport> {
  return onKept(workspace, request, ({ cx, target, swapper, state }) => {
    if (newest(target, state) === undefined) return settleAlone('discard', { cx, target, swapper, state })
    const losses = state.kept.map(({ name }) => `${name} is removed, and cannot come back`)
    return {
      plan: planOf(target, state, { action: 'discard', databases: state.kept, losses }),
      act: () =>
        withSwap(cx, swapper, target, async (swap) => {
          const settled = await swap.settle()
          for (const kept of state.kept) await swap.discard(kept)
          return settled
        }),
    }
  })
}

interface Kept {
  readonly cx: Context
  readonly target: DatabaseSettings
  readonly swapper: Swapper
  readonly state: SwapState
}

interface Prepared {
  readonly plan: KeptPlan
  readonly act: () => Promise<readonly string[]>
}

/** Nothing was kept yet, and what was begun is ended. */
function settleAlone(action: KeptPlan['action'], { cx, target, swapper, state }: Kept): Prepared {
  return {
    plan: planOf(target, state, { action, databases: [], losses: [] }),
    act: () => withSwap(cx, swapper, target, (swap) => swap.settle()),
  }
}

async function onKept(
  workspace: Workspace,
  request: KeptRequest,
  prepare: (kept: Kept) => Prepared,
): Promise<KeptReport> {
  const cx = contextOf(workspace, request.signal)
  const started = workspace.env.clock.now().getTime()
  const seconds = () => (workspace.env.clock.now().getTime() - started) / 1000
  const target = restoreTarget(workspace, request)
  const swapper = target.engine.swap
  if (swapper === undefined) throw nothingKept(target, target.alias)
  const state = await swapper.look(cx, connectorSettings(target, target.connection))
  const { plan, act } = prepare({ cx, target, swapper, state })
  if (request.dryRun === true) return { plan, done: false, seconds: seconds(), warnings: plan.warnings }
  await confirmed(
    plan,
    request,
    plan.action === 'undo' ? 'to undo the restore of' : 'to discard the old databases of',
  )
  const said = await act()
  return { plan, done: true, seconds: seconds(), warnings: [...plan.warnings, ...said] }
}

function planOf(
  target: DatabaseSettings,
  { place, interrupted, warnings }: SwapState,
  plan: Pick<KeptPlan, 'action' | 'databases' | 'keptAs' | 'losses'>,
): KeptPlan {
  return {
    target: target.alias,
    place,
    databaseName: target.engine.capabilities.server ? target.connection.name : target.alias,
    protected: target.protected,
    ...plan,
    warnings: [...interrupted, ...(plan.action === 'undo' ? warnings : [])],
  }
}

/** @throws usage.nothing-kept where an interrupted swap has left nothing either */
function newest(
  target: DatabaseSettings,
  { kept: [first], place, interrupted }: SwapState,
): KeptDatabase | undefined {
  if (first === undefined && interrupted.length === 0) throw nothingKept(target, place)
  return first
}

function nothingKept({ engine }: DatabaseSettings, place: string): HoldfastError {
  return new HoldfastError(
    'usage.nothing-kept',
    engine.swap === undefined
      ? `${engine.name} has no strategy swap, so that nothing is kept of ${place}`
      : `no restore by swap has kept an old database of ${place}`,
  )
}
