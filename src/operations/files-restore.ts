import type { FilesSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import type { Examined, ExtractInput, Unpacked } from '../files/program/protocol.js'
import { newToken } from '../files/remains.js'
import { tarFormat } from '../files/tar/format.js'
import { firstUsable } from './first-usable.js'
import { tellFailure, type Standing } from './failure-hooks.js'
import { findFolder, type Folder } from './files-folder.js'
import { folderTarget, storageTarget, type FilesTarget, type FilesWanted } from './files-target.js'
import type { FilesRestorePlan, FilesRestoreReport } from './files-reports.js'
import type { FilesRestoreRequest } from './requests.js'
import { findSourcesOf, placesOf, type DisposableSource } from './restore-find.js'
import type { FoundSource } from './restore-source.js'
import { oneSet } from './select-files.js'
import type { Storage } from '../storages/storage.js'
import { validateRestore } from './validate-restore.js'
import { contextOf, notice, type Workspace } from './workspace.js'
import { counted } from '../env/counted.js'

/**
 * Restores files into a folder, or into the storage that they are of. Before the first change the whole archive is read: its digests, its structure, whether every entry stays
 * within the target, what it would meet there, and whether there is room.
 * @throws usage.*, integrity.*, key.*, storage.*, refused.*: nothing was changed, unless the code is restore.incomplete
 * @throws hook.failed where the restore is complete, and a hook after it failed
 */
export async function restoreFiles(
  workspace: Workspace,
  request: FilesRestoreRequest,
): Promise<FilesRestoreReport> {
  const cx = contextOf(workspace, request.signal)
  const standing: Standing = { operation: 'files-restore', phase: 'plan' }
  const started = workspace.env.clock.now().getTime()
  try {
    refuseCombinations(request)
    const place = await placeFor(cx, workspace, request)
    standing.phase = 'find'
    const wanted = request.backup ?? 'latest'
    const candidates = await findSourcesOf(cx, workspace, wanted, filterOf(workspace, request))
    standing.phase = 'check'
    const { found, prepared } = await firstUsable(cx, candidates, async (source) => {
      const target = targetIn(cx, place, request, source)
      return { target, plan: await prepare(workspace, request, target, source) }
    })
    try {
      return await restoreFound(cx, workspace, request, { ...prepared, found, started }, standing)
    } finally {
      await found.dispose()
    }
  } catch (error) {
    // A person who says no has not failed.
    if (asHoldfastError(error).code !== 'refused.not-confirmed') await tellFailure(workspace, standing, error)
    throw error
  }
}

interface Prepared {
  readonly target: FilesTarget
  readonly found: DisposableSource
  readonly plan: FilesRestorePlan
  /** Milliseconds of the clock. */
  readonly started: number
}

async function restoreFound(
  cx: Context,
  workspace: Workspace,
  request: FilesRestoreRequest,
  { target, found, plan, started }: Prepared,
  standing: Standing,
): Promise<FilesRestoreReport> {
  const report = (restored: boolean, done: Unpacked): FilesRestoreReport => ({
    plan,
    restored,
    ...done,
    seconds: (workspace.env.clock.now().getTime() - started) / 1000,
    warnings: plan.warnings,
  })
  if (request.dryRun === true) return report(false, { files: 0, folders: 0, links: 0, bytes: 0, skipped: 0 })
  standing.phase = 'confirm'
  const { confirm = false } = request
  if (!(typeof confirm === 'function' ? await confirm(plan) : confirm))
    throw new HoldfastError('refused.not-confirmed', `the restore into ${plan.place} was not confirmed`)
  const hookFacts = {
    filename: found.filename,
    server: found.manifest?.server ?? workspace.settings.serverName,
    storage: found.storage ?? 'file',
  }
  standing.phase = 'before'
  await workspace.hooks.run(cx, 'files-restore', 'beforeFilesRestore', hookFacts)
  standing.phase = 'restore'
  const archive = () => found.source.open(onlyPart(found))
  const done = await target.restore(archive, (message) => notice(workspace, 'warning', message))
  standing.phase = 'after'
  await workspace.hooks.run(cx, 'files-restore', 'afterFilesRestore', hookFacts).catch((thrown: unknown) => {
    cx.signal.throwIfAborted()
    const { code, message } = asHoldfastError(thrown)
    throw new HoldfastError(code, `${plan.place} is restored; ${message}`, { cause: thrown })
  })
  return report(true, done)
}

function refuseCombinations({ replace, only = [], onConflict }: FilesRestoreRequest): void {
  if (replace !== true) return
  const refuse = (other: string, why: string) =>
    new HoldfastError('usage.invalid', `replace does not go with ${other}: ${why}`, { hint: 'leave one out' })
  if (only.length > 0) throw refuse('only', 'all else in the target would be lost')
  if (onConflict !== undefined)
    throw refuse('onConflict', 'the target is emptied, so that nothing can conflict')
}

/** Where the files go: a folder, or the storage that is the source of the set. */
type Place = Folder | { readonly storage: Storage; readonly set: FilesSettings }

async function placeFor(
  cx: Context,
  workspace: Workspace,
  { to, set, replace = false }: FilesRestoreRequest,
): Promise<Place> {
  if (to !== undefined) return findFolder(cx.env.workingDirectory, to, replace)
  const chosen = oneSet(workspace, set)
  const { source } = chosen
  if ('folder' in source) return findFolder(cx.env.workingDirectory, source.folder, replace)
  return { storage: (await workspace.storages.get(source.storage)).storage, set: chosen }
}

function targetIn(
  cx: Context,
  place: Place,
  { only = [], onConflict = 'error', replace = false }: FilesRestoreRequest,
  { manifest }: FoundSource,
): FilesTarget {
  const wanted: FilesWanted = { only, onConflict, replace }
  if ('storage' in place) return storageTarget(cx, place.storage, place.set, wanted)
  const input: ExtractInput = {
    target: place.path,
    onConflict,
    only,
    // What is in the user's own backup is as it was; an archive from elsewhere could place a link for others to follow.
    linksOut: manifest !== undefined,
    fresh: place.fresh,
    token: newToken(cx.env.randomBytes(6)),
  }
  return folderTarget(cx, place, input)
}

/** `latest` means the latest of the set; an id means itself. */
function filterOf(workspace: Workspace, request: FilesRestoreRequest) {
  const filter = { kind: 'files' as const, ...placesOf(request) }
  const { backup = 'latest', set } = request
  if (set !== undefined) return { ...filter, database: set }
  const [only, ...others] = workspace.settings.files.keys()
  return backup === 'latest' && only !== undefined && others.length === 0
    ? { ...filter, database: only }
    : filter
}

/** An archive has one part. @throws integrity.format */
function onlyPart({ name, source: { parts } }: FoundSource): FoundSource['source']['parts'][number] {
  const [part, ...more] = parts
  if (part !== undefined && more.length === 0) return part
  throw new HoldfastError(
    'integrity.format',
    `${name} has ${parts.length} parts; an archive of files has one`,
  )
}

async function prepare(
  workspace: Workspace,
  request: FilesRestoreRequest,
  target: FilesTarget,
  found: FoundSource,
): Promise<FilesRestorePlan> {
  const { manifest } = found
  const isTar = manifest === undefined ? tarFormat.recognises(found.head) : manifest.format === tarFormat.name
  if (!isTar) throw new HoldfastError('integrity.format', `${found.name} is no tar archive`)
  const { only = [], onConflict = 'error' } = request
  const examined = await target.examine(await found.examine(onlyPart(found)))
  if (examined.entries === 0 && only.length > 0)
    throw new HoldfastError(
      'usage.pattern-unmatched',
      `only matches nothing in ${found.name}: ${only.join(', ')}`,
    )
  if (onConflict === 'error' && !target.fresh && examined.conflicts > 0) throw conflicting(target, examined)
  await target.check(examined)
  await validateRestore(workspace, found)
  return planOf(request, target, found, examined)
}

function conflicting({ kind, place }: FilesTarget, { conflicts, conflictNames }: Examined): HoldfastError {
  const names = conflictNames.slice(0, 3).join(', ')
  return new HoldfastError(
    'refused.not-empty',
    `${place} has ${conflicts} of the files already: ${names}${conflicts > 3 ? ' …' : ''}`,
    {
      hint: `choose --on-conflict replace or skip, --replace to empty the ${kind}, or another folder with --to`,
    },
  )
}

function planOf(
  { replace, only = [], onConflict = 'error' }: FilesRestoreRequest,
  { kind, place, exists }: FilesTarget,
  found: FoundSource,
  { entries, bytes, present, conflicts, linksOut, linkNames }: Examined,
): FilesRestorePlan {
  const { manifest, storage, storedBytes } = found
  const mode = replace === true ? 'empty-first' : onConflict
  return {
    source: found.name,
    filename: found.filename,
    ...(manifest === undefined ? {} : { manifest }),
    ...(storage === undefined ? {} : { storage }),
    ...(storedBytes === undefined ? {} : { storedBytes }),
    kind,
    place,
    exists,
    present,
    mode,
    only,
    entries,
    bytes,
    conflicts: mode === 'empty-first' ? 0 : conflicts,
    losses: [
      ...(mode === 'empty-first' && present > 0
        ? [`${counted(present, 'file')} that the ${kind} holds now`]
        : []),
      ...(mode === 'replace' && conflicts > 0
        ? [`${counted(conflicts, 'file')} that the backup has too, as they are now`]
        : []),
    ],
    warnings: [
      ...(found.warnings ?? []),
      ...(linksOut === 0
        ? []
        : [`symbolic links that lead out of the folder: ${linksOut}, such as ${linkNames[0]}`]),
      ...((manifest?.files?.unreadable ?? 0) === 0
        ? []
        : ['the backup is without files that could not be read']),
    ],
  }
}
