import { nativeParts, portablePart } from '../catalog/parts.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Context } from '../env/context.js'
import type { Phase } from '../hooks/events.js'
import type { StoredCopies, StoredCopy } from './backup-storage.js'
import type { Standing } from './failure-hooks.js'
import { pruneDatabases } from './prune.js'
import type { BackupResult, FailedStorage } from './reports.js'
import { secondsSince, type Workspace } from './workspace.js'

export interface CompleteBackup extends StoredCopies {
  readonly alias: string
  readonly started: Date
  readonly standing: Standing
  /** Storages that could not be opened. */
  readonly unopened: readonly FailedStorage[]
  readonly failedPortable?: HoldfastError
  /** Whether retention is applied now. */
  readonly prune: boolean
  /** Runs the hooks for a backup that is there. */
  readonly tell: () => Promise<void>
}

/** What comes after the manifest: hooks, then retention. From here on there is a backup, whatever fails. */
export async function afterBackup(
  cx: Context,
  workspace: Workspace,
  { stored, failed, unopened, failedPortable, alias, started, standing, prune, tell }: CompleteBackup,
): Promise<BackupResult> {
  let failedAfter: HoldfastError | undefined
  let pruned: readonly string[] | undefined
  try {
    standing.phase = 'after'
    await tell()
    standing.phase = 'retention'
    if (prune) pruned = await pruneCopies(cx, workspace, stored, alias)
  } catch (thrown) {
    cx.signal.throwIfAborted()
    failedAfter = stillComplete(asHoldfastError(thrown), standing.phase, prune)
  }
  const [{ open, manifest, storedName }] = stored
  const portableBytes = portablePart(manifest)?.plain.bytes
  return {
    backup: { storage: open.name, manifest },
    copies: stored.map((copy) => ({ storage: copy.open.name, manifest: copy.manifest })),
    failedStorages: [...unopened, ...failed],
    id: manifest.id,
    filename: storedName,
    plainBytes: sum(nativeParts(manifest).map((part) => part.plain.bytes)),
    ...(portableBytes === undefined ? {} : { portableBytes }),
    storedBytes: sum(manifest.parts.map((part) => part.stored.bytes)),
    seconds: secondsSince(workspace, started),
    warnings: manifest.warnings,
    ...(failedPortable === undefined ? {} : { failedPortable }),
    ...(pruned === undefined ? {} : { pruned }),
    ...(failedAfter === undefined ? {} : { failedAfter }),
  }
}

/** What a run has not done although there is a backup. */
export function shortcoming(result: BackupResult): HoldfastError | undefined {
  const partial = result.failedStorages.length > 0 || result.failedPortable !== undefined
  return partial ? partialError(result) : result.failedAfter
}

/** A backup that not every storage has, or that lacks its portable dump, is one, and the run has not done all that it was to do. */
function partialError({ copies, failedStorages, failedPortable }: BackupResult): HoldfastError {
  const cause = failedStorages[0]?.error ?? failedPortable
  const done = copies.map(({ storage }) => storage).join(', ')
  const missing = [
    ...failedStorages.map(({ storage, error }) => `not in ${storage}: ${error.message} [${error.code}]`),
    ...(failedPortable === undefined
      ? []
      : [`holds no portable dump: ${failedPortable.message} [${failedPortable.code}]`]),
  ]
  return new HoldfastError(
    'backup.partial',
    `the backup is whole in ${done}, and ${missing.join(', and ')}`,
    {
      cause,
      ...(cause === undefined ? {} : { hint: cause.hint }),
      details: { storages: failedStorages.map(({ storage, error }) => ({ storage, code: error.code })) },
    },
  )
}

/** Says that the backup is there; old ones are not removed when a hook has found fault with the new one. */
function stillComplete(error: HoldfastError, phase: Phase, prune: boolean): HoldfastError {
  const { code, message, hint, details } = error
  const kept = phase === 'after' && prune ? ', and no old one was removed' : ''
  const what = phase === 'retention' ? `retention failed: ${message}` : message
  return new HoldfastError(code, `the backup is complete${kept}; ${what}`, { cause: error, hint, details })
}

/** Applies retention in every storage that has the new backup; the ids that were removed from any. */
async function pruneCopies(
  cx: Context,
  workspace: Workspace,
  stored: readonly StoredCopy[],
  alias: string,
): Promise<readonly string[]> {
  const removed = new Set<string>()
  for (const { open } of stored) {
    for (const id of await pruneDatabases(cx, workspace, open, [alias])) removed.add(id)
  }
  return [...removed]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
