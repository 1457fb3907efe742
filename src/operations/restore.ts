import type { Manifest } from '../catalog/manifest.js'
import type { DatabaseSettings } from '../config/settings.js'
import type {
  CleanMode,
  Connector,
  ConnectorFactory,
  RestoreFacts,
  RestorePart,
  RestoreRequest,
  RestoreTarget,
} from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { assertEqual, compareRestored } from './compare-restored.js'
import { codeRevision } from './code-revision.js'
import { confirmed } from './confirmation.js'
import { createConnector } from './create-connector.js'
import { tellFailure, type Standing } from './failure-hooks.js'
import { describeForHooks } from './hook-facts.js'
import { leftOut } from './left-out.js'
import type { Comparison, RestorePlan, RestoreReport } from './reports.js'
import type { RestoreRequestOptions } from './requests.js'
import { firstUsable } from './first-usable.js'
import { findSources, restoreTarget } from './restore-find.js'
import { cannotUndo, makeSafetyBackup, putBack } from './restore-safety.js'
import { connectorFor, type FoundSource } from './restore-source.js'
import {
  lookForSwaps,
  refuseUnswappable,
  restoreBySwap,
  settleSwaps,
  swapFacts,
  type SwapFacts,
  type SwapOutlook,
} from './restore-swap.js'
import { partOf, refuseUnsupported, schemasToRestore, withoutEffect } from './restore-request.js'
import { withOrigins } from './setting-names.js'
import { compareStates } from './state-comparison.js'
import { validateRestore } from './validate-restore.js'
import { contextOf, notice, type Workspace } from './workspace.js'

/**
 * Restores a backup, or a dump that was made elsewhere, into a database. Everything that can be checked is checked before
 * the first change: the artifact, the key, the tools, the target.
 * @throws usage.*, integrity.*, key.*, database.*, tool.*: nothing was changed, unless the code is restore.incomplete
 * @throws refused.not-confirmed, refused.protected, refused.not-empty, refused.revision, refused.hook
 * @throws integrity.differs where the restore is complete, and is not what was backed up
 * @throws hook.failed where the restore is complete, and a hook after it failed
 */
export async function restore(workspace: Workspace, request: RestoreRequestOptions): Promise<RestoreReport> {
  const cx = contextOf(workspace, request.signal)
  const standing: Standing = { operation: 'restore', phase: 'plan' }
  try {
    return await restoreOne(cx, workspace, request, standing)
  } catch (error) {
    // A person who says no has not failed.
    if (asHoldfastError(error).code !== 'refused.not-confirmed') await tellFailure(workspace, standing, error)
    throw error
  }
}

async function restoreOne(
  cx: Context,
  workspace: Workspace,
  request: RestoreRequestOptions,
  standing: Standing,
): Promise<RestoreReport> {
  // Moved on by the time that a person takes to answer.
  let started = workspace.env.clock.now().getTime()
  const target = restoreTarget(workspace, request)
  standing.database = describeForHooks(target.alias, target.connection)
  standing.phase = 'find'
  const candidates = await findSources(cx, workspace, request, target)
  standing.phase = 'check'
  const { found, prepared } = await firstUsable(cx, candidates, (source) =>
    prepare(cx, workspace, request, target, source).catch((thrown: unknown) => {
      throw thrown instanceof HoldfastError ? withOrigins(workspace, target, thrown) : thrown
    }),
  )
  try {
    const { plan } = prepared
    const seconds = () => (workspace.env.clock.now().getTime() - started) / 1000
    if (request.dryRun === true) return { plan, restored: false, seconds: seconds(), warnings: plan.warnings }
    standing.phase = 'confirm'
    const asked = workspace.env.clock.now().getTime()
    await confirmed(plan, request, 'the restore into')
    started += workspace.env.clock.now().getTime() - asked
    const hookFacts = {
      database: standing.database,
      databaseName: target.connection.name,
      filename: found.filename,
      server: found.manifest?.server ?? workspace.settings.serverName,
      storage: found.storage ?? 'file',
    }
    standing.phase = 'before'
    await workspace.hooks.run(cx, 'restore', 'beforeRestore', hookFacts)
    standing.phase = 'restore'
    const compare = async (database: DatabaseSettings) => {
      standing.phase = 'compare'
      return request.compare === false ? undefined : compared(cx, database, found, prepared)
    }
    const { kept, safetyBackup, comparison, ...facts } = await restored(
      cx,
      workspace,
      prepared,
      found,
      compare,
    )
    for (const warning of facts.warnings) notice(workspace, 'warning', warning)
    standing.phase = 'after'
    await workspace.hooks
      .run(cx, 'restore', 'afterRestore', { ...hookFacts, connector: prepared.connector.name })
      .catch((thrown: unknown) => {
        cx.signal.throwIfAborted()
        const { code, message } = asHoldfastError(thrown)
        throw new HoldfastError(code, `${plan.place} is restored; ${message}`, { cause: thrown })
      })
    return {
      plan,
      restored: true,
      ...(comparison === undefined ? {} : { comparison }),
      ...(kept === undefined ? {} : { kept }),
      ...(safetyBackup === undefined ? {} : { safetyBackup }),
      seconds: seconds(),
      warnings: [...plan.warnings, ...facts.warnings],
    }
  } finally {
    await found.dispose()
  }
}

/** @throws integrity.differs */
async function compared(
  cx: Context,
  target: DatabaseSettings,
  { manifest }: FoundSource,
  { plan, restoreRequest: request }: Prepared,
): Promise<Comparison | undefined> {
  const fresh = !plan.exists || plan.clean === 'database' || plan.strategy === 'swap'
  const comparison = await compareRestored(cx, manifest, { target, fresh, request })
  if (comparison !== undefined) assertEqual(plan.place, comparison)
  return comparison
}

/**
 * Whoever interrupts a restore wants to know what is there now.
 * @param compare looks at what was restored before anything else may change it, and before a swap
 */
async function restored(
  cx: Context,
  workspace: Workspace,
  prepared: Prepared,
  found: FoundSource,
  compare: (database: DatabaseSettings) => Promise<Comparison | undefined>,
): Promise<RestoreFacts & Pick<RestoreReport, 'kept' | 'safetyBackup' | 'comparison'>> {
  const { target, factory, connector, plan, restoreRequest: request, outlook } = prepared
  if (outlook?.id !== undefined) {
    const swap = { outlook: { ...outlook, id: outlook.id }, target, factory, request, compare }
    return restoreBySwap(cx, workspace, found, swap)
  }
  const settled = outlook === undefined ? [] : await settleSwaps(cx, outlook, target)
  const { place } = plan
  const safety = plan.safetyBackup ? await makeSafetyBackup(cx, workspace, target, place) : undefined
  const { warnings } = await connector.restore(cx, found.source, request).catch(async (thrown: unknown) => {
    const { code, message } = asHoldfastError(thrown)
    if (safety !== undefined && code === 'restore.incomplete')
      throw await putBack(cx, workspace, target, safety, { thrown, place })
    if (!cx.signal.aborted || !code.startsWith('interrupted.')) throw thrown
    if (!connector.capabilities.transactionalRestore) throw thrown
    throw new HoldfastError(code, `${message}; ${plan.place} is as it was`, { cause: thrown })
  })
  const comparison = await compare(target)
  return {
    ...(safety === undefined ? {} : { safetyBackup: safety.id }),
    ...(comparison === undefined ? {} : { comparison }),
    warnings: [...settled, ...warnings],
  }
}

interface Prepared {
  readonly plan: RestorePlan
  readonly target: DatabaseSettings
  readonly factory: ConnectorFactory
  readonly connector: Connector
  readonly restoreRequest: RestoreRequest
  /** Absent where the engine or the connector knows no swaps. */
  readonly outlook?: SwapOutlook
}

async function prepare(
  cx: Context,
  workspace: Workspace,
  request: RestoreRequestOptions,
  target: DatabaseSettings,
  found: FoundSource,
): Promise<Prepared> {
  const factory = connectorFor(found, namedConnector(target, request), target.engine)
  const strategy = request.strategy ?? target.strategy
  const restoreRequest: RestoreRequest = {
    clean: strategy === 'swap' ? 'database' : (request.clean ?? defaultClean(factory.capabilities.clean)),
    create: request.create ?? false,
    disconnect: request.disconnect ?? false,
    schemas: schemasToRestore(request, target, found),
    ...(request.tables === undefined ? {} : { tables: request.tables }),
    ...(request.schemaOnly === undefined ? {} : { schemaOnly: request.schemaOnly }),
    ...(request.dataOnly === undefined ? {} : { dataOnly: request.dataOnly }),
  }
  if (strategy === 'swap') refuseUnswappable(workspace, request, restoreRequest, factory, target)
  refuseUnsupported(workspace, request, restoreRequest, factory, target, found)
  const connector = createConnector(factory, target, target.connection)
  const examined = { parts: found.source.parts, open: (part: RestorePart) => found.examine(part) }
  const met = await connector.prepareRestore(cx, examined, restoreRequest)
  await found.check(cx, factory.format)
  const { disconnect } = restoreRequest
  const outlook = await lookForSwaps(cx, target, factory, { strategy, disconnect })
  const ignored = withoutEffect(workspace, request, target, factory)
  const differences = await stateDifferences(cx, workspace, found, met)
  if (request.requireSameRevision === true && differences.length > 0) {
    throw new HoldfastError('refused.revision', differences.join('; '))
  }
  await validateRestore(workspace, found)
  const swaps = swapFacts(outlook, found.manifest, met.server?.sizeBytes)
  const unsafe = strategy === 'in-place' && cannotUndo(target, factory, met)
  const { safetyBackup = target.safetyBackup } = request
  return {
    target,
    factory,
    connector,
    restoreRequest,
    ...(outlook === undefined ? {} : { outlook }),
    plan: {
      ...planOf(target, found, factory.name, restoreRequest, met, swaps, [...differences, ...ignored]),
      safetyBackup: unsafe && safetyBackup,
    },
  }
}

/** What a connector cannot replace it can still restore into an empty target. */
function defaultClean(modes: readonly CleanMode[]): CleanMode {
  return modes.includes('objects') ? 'objects' : (modes[0] ?? 'none')
}

function namedConnector(
  target: DatabaseSettings,
  request: RestoreRequestOptions,
): DatabaseSettings['connector'] {
  if (request.connector === undefined) return target.connector
  const named = target.engine.connectors[request.connector]
  if (named !== undefined) return named
  const known = Object.keys(target.engine.connectors).join(', ')
  throw new HoldfastError(
    'usage.invalid',
    `${target.engine.name} has no connector ${request.connector}; it has ${known}`,
  )
}

async function stateDifferences(
  cx: Context,
  workspace: Workspace,
  found: FoundSource,
  met: RestoreTarget,
): Promise<readonly string[]> {
  if (found.manifest === undefined) return []
  const revision = await codeRevision(cx, workspace.settings.baseDirectory)
  return compareStates(found.manifest, revision, met.server?.migrations)
}

function planOf(
  target: DatabaseSettings,
  found: FoundSource,
  connector: string,
  restoreRequest: RestoreRequest,
  met: RestoreTarget,
  { warnings: ofSwaps, ...swaps }: SwapFacts,
  remarks: readonly string[],
): Omit<RestorePlan, 'safetyBackup'> {
  const { manifest, storage, storedBytes } = found
  const { server } = met
  // A swap loses nothing of what is there: it is kept.
  const losses = swaps.strategy === 'swap' ? [] : met.losses
  const replaced = met.exists && (swaps.strategy === 'swap' || losses.length > 0)
  return {
    source: found.name,
    filename: found.filename,
    ...(manifest === undefined ? {} : { manifest }),
    ...(storage === undefined ? {} : { storage }),
    ...(storedBytes === undefined ? {} : { storedBytes }),
    target: target.alias,
    place: met.place,
    engine: target.engine.name,
    connector,
    exists: met.exists,
    ...swaps,
    clean: met.clean ?? restoreRequest.clean,
    only: partOf(restoreRequest),
    protected: target.protected,
    databaseName: target.engine.capabilities.server ? target.connection.name : target.alias,
    targetObjects: server?.objectCount ?? 0,
    ...(server?.sizeBytes === undefined ? {} : { targetBytes: server.sizeBytes }),
    losses: [...losses, ...(!replaced || manifest === undefined ? [] : lostByLeavingOut(manifest))],
    warnings: [...met.warnings, ...ofSwaps, ...remarks, ...(found.warnings ?? [])],
    tools: met.tools,
  }
}

/** Tables that come back empty, or not at all, over what is there now. */
function lostByLeavingOut(manifest: Manifest): readonly string[] {
  return leftOut(manifest).map((what) => `the backup is not whole: ${what}`)
}
