import type { ServerFacts } from '../engine/engine.js'
import type { RestoreRequest } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { asHoldfastError } from '../errors.js'
import { HookRunner } from '../hooks/runner.js'
import type { Manifest } from '../catalog/manifest.js'
import { compareRestored } from './compare-restored.js'
import type { DrillPlace } from './drill-server.js'
import { majorOf } from './fingerprint-comparison.js'
import { leftOut } from './left-out.js'
import type { DrillProof } from './drill-results.js'
import type { Comparison, StoredBackup } from './reports.js'
import { restore } from './restore.js'
import type { Workspace } from './workspace.js'

/** How a drill restores: all of it, into a database that is made for it. */
const whole: RestoreRequest = { clean: 'objects', create: true, disconnect: false, schemas: [] }

/**
 * Restores a backup into its place. Accounts that it names and the server lacks are made first, where that is allowed.
 * @returns what is to be known of the copy. @throws as restore
 */
export async function restoreCopy(
  cx: Context,
  workspace: Workspace,
  backup: StoredBackup,
  place: DrillPlace,
): Promise<readonly string[]> {
  const { standIns, target } = place
  const made = new Set<string>()
  for (;;) {
    try {
      const warnings = await restoreOnce(cx, workspace, backup, place)
      const missing = (await standIns?.missing(cx, target.connection)) ?? []
      if (missing.length > 0) await standIns?.make(cx, target.connection, missing)
      return warnings
    } catch (thrown) {
      const missed = standIns?.missedBy(asHoldfastError(thrown)).filter((name) => !made.has(name)) ?? []
      if (missed.length === 0 || cx.signal.aborted) throw thrown
      await standIns?.make(cx, target.connection, missed)
      for (const name of missed) made.add(name)
    }
  }
}

/** By the operation that restores are made by. @returns what is to be known of the copy. @throws as restore */
async function restoreOnce(
  cx: Context,
  workspace: Workspace,
  { storage, manifest }: StoredBackup,
  { target }: DrillPlace,
): Promise<readonly string[]> {
  const { plan, warnings } = await restore(forCopies(workspace, target), {
    backup: manifest.id,
    storage,
    create: true,
    compare: false,
    safetyBackup: false,
    strategy: 'in-place',
    confirm: true,
    signal: cx.signal,
  })
  // What the plan warns of, a person who is asked should know.
  return warnings.slice(plan.warnings.length)
}

/** Without what is meant for the databases of the configuration: their hooks, their notifiers, their say in a restore. */
function forCopies(workspace: Workspace, target: DrillPlace['target']): Workspace {
  const { metricsFile: _, validateRestore: __, ...common } = workspace.settings
  const databases = new Map([[target.alias, target]])
  const settings = { ...common, databases, hooks: {}, notifiers: [] }
  const emit: Workspace['emit'] = (event) => {
    // Warnings are in the report.
    if (event.type === 'progress') workspace.emit(event)
  }
  return { ...workspace, emit, settings, hooks: new HookRunner() }
}

/** The copy against the fingerprint. @returns absent where the backup has none */
export function compareCopy(
  cx: Context,
  manifest: Manifest,
  { target }: DrillPlace,
): Promise<Comparison | undefined> {
  return compareRestored(cx, manifest, { target, fresh: true, request: whole })
}

export interface CopySchema {
  readonly schema: DrillProof['schema']
  /** Why it is not compared. */
  readonly why?: string
  /** What the server says of itself. */
  readonly server?: Pick<ServerFacts, 'product' | 'version'>
}

/** The copy's definitions, all together, against the hash in the manifest. */
export async function compareSchema(
  cx: Context,
  manifest: Manifest,
  { target }: DrillPlace,
): Promise<CopySchema> {
  const { product, version } = manifest.source
  try {
    const session = await target.engine.open(cx, target.connection)
    const facts = await session.facts().finally(() => session.close())
    const server = { product: facts.product, version: facts.version }
    const { exclude, schemas } = manifest.options
    if (exclude.length > 0 || schemas.length > 0)
      return {
        schema: 'not compared',
        why: `the backup holds a part: ${leftOut(manifest).join(', ')}`,
        server,
      }
    if (facts.product !== product || majorOf(facts.version) !== majorOf(version))
      return {
        schema: 'not compared',
        why: `${product} ${version} and ${facts.product} ${facts.version} write definitions in ways of their own`,
        server,
      }
    return { schema: facts.schemaHash === manifest.schemaHash ? 'same' : 'differs', server }
  } catch (thrown) {
    cx.signal.throwIfAborted()
    return { schema: 'not compared', why: `the copy could not be read: ${asHoldfastError(thrown).message}` }
  }
}
