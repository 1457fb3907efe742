import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { adHocDatabase } from '../config/resolve.js'
import type { DatabaseSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { connect } from '../streams/connect.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { backupBeside } from './backup-beside.js'
import { readHold } from './backup-leases.js'
import type { OpenStorage } from './open-storages.js'
import { copiesAmong, isWanted } from './find-backup.js'
import { listReachable } from './list.js'
import type { FailedStorage, ListReport, StoredBackup } from './reports.js'
import type { BackupFilter, RestoreRequestOptions } from './requests.js'
import type { Decoding } from './artifact-reader.js'
import { sourceOfBackup, sourceOfFile, type FoundSource } from './restore-source.js'
import { isUrl, oneDatabase } from './select-databases.js'
import { notice, type Workspace } from './workspace.js'

/** The database to restore into, with `to` applied. */
export function restoreTarget(
  workspace: Workspace,
  request: Pick<RestoreRequestOptions, 'to' | 'database'>,
): DatabaseSettings {
  const { to, database } = request
  if (to !== undefined && isUrl(to)) {
    const { settings, registry, env } = workspace
    return adHocDatabase(settings, registry, env, to)
  }
  const target = oneDatabase(workspace, database)
  if (to === undefined) return target
  const connection = target.engine.capabilities.server
    ? { ...target.connection, name: to }
    : target.engine.parse(`${target.engine.name}:${to}`, workspace.env.workingDirectory)
  // Another database than the configured one: its protection is not this one's.
  return { ...target, alias: to, connection, protected: false }
}

interface Disposable {
  dispose(): Promise<void>
}

/** A source that may hold a temporary file until it is disposed of. */
export type DisposableSource = FoundSource & Disposable

/** One of the places that what is wanted can be taken from. */
export interface Candidate<Source = DisposableSource> {
  /** For messages: `the copy in main`. */
  readonly name: string
  /** What the person who is to confirm should know. */
  readonly warnings: readonly string[]
  readonly open: () => Promise<Source>
}

/**
 * Finds what to restore: a stream, a local file, or a backup in one or several storages, in the order to try them.
 * @throws usage.*, storage.* where nothing is found
 */
export async function findSources(
  cx: Context,
  workspace: Workspace,
  request: RestoreRequestOptions,
  target: DatabaseSettings,
): Promise<readonly [Candidate, ...Candidate[]]> {
  const wanted = request.backup ?? 'latest'
  const whom = typeof wanted === 'string' ? whose(workspace, wanted, request, target) : {}
  return findSourcesOf(cx, workspace, wanted, { kind: 'database', ...placesOf(request), ...whom })
}

/** Where a request looks for its backup. */
export function placesOf({
  storage,
  fromServer,
}: Pick<RestoreRequestOptions, 'storage' | 'fromServer'>): BackupFilter & { readonly storage?: string } {
  return {
    ...(storage === undefined ? {} : { storage }),
    ...(fromServer === undefined ? {} : { server: fromServer }),
  }
}

/** A stream, a local file, or a backup that the filter lets through, in each storage that has it. */
export async function findSourcesOf(
  cx: Context,
  workspace: Workspace,
  wanted: string | Readable,
  filter: BackupFilter & { readonly storage?: string },
): Promise<readonly [Candidate, ...Candidate[]]> {
  const decoding = { kinds: workspace.registry.stages, keys: workspace.keys }
  if (typeof wanted !== 'string')
    return [{ name: 'the input', warnings: [], open: () => sourceOfStream(cx, workspace, wanted) }]
  const local = await localKind(cx, wanted)
  if (local === 'file') {
    const open = async () => undisposed(await sourceOfLocal(cx, workspace, wanted, decoding))
    return [{ name: wanted, warnings: [], open }]
  }
  if (looksLikePath(wanted)) {
    const message = local === undefined ? `there is no file ${wanted}` : `${wanted} is no file`
    throw new HoldfastError('usage.backup-not-found', message, {
      hint: 'name a file, or a backup as holdfast list shows it',
    })
  }
  return copiesOf(cx, workspace, wanted, filter, (open, backup) => sourceOfBackup(cx, open, backup, decoding))
}

/** No backup is called so: names of artifacts hold no path. */
function looksLikePath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}[/\\]/u.test(name)
}

/** A backup that the filter lets through, in each storage that has it; nobody removes it between `open` and `dispose`. */
export async function copiesOf<Opened extends object>(
  cx: Context,
  workspace: Workspace,
  wanted: string,
  filter: BackupFilter & { readonly storage?: string },
  openCopy: (open: OpenStorage, backup: StoredBackup) => Promise<Opened>,
): Promise<readonly [Candidate<Opened & Disposable>, ...Candidate<Opened & Disposable>[]]> {
  const { unreachable, ...listing } = await listReachable(workspace, { ...filter, signal: cx.signal })
  if (wanted === 'latest') requireOneDatabase(listing, filter)
  const [first, ...others] = copiesFound(workspace, listing, unreachable, wanted, filter)
  const warnings = unreachable.map(
    ({ storage: name, error }) =>
      `${name} could not be asked: ${error.message}${wanted === 'latest' ? '; a newer backup may be there' : ''}`,
  )
  const candidate = (backup: StoredBackup): Candidate<Opened & Disposable> => ({
    name: `the copy in ${backup.storage}`,
    warnings,
    open: async () => {
      const open = await workspace.storages.get(backup.storage)
      const hold = await readHold(cx, open, [backup])
      try {
        return { ...(await openCopy(open, backup)), dispose: () => hold.release() }
      } catch (error) {
        await hold.release()
        throw error
      }
    },
  })
  return [candidate(first), ...others.map(candidate)]
}

/** A backup that is not among those found may be where nobody could look. */
function copiesFound(
  workspace: Workspace,
  listing: ListReport,
  [silent]: readonly FailedStorage[],
  wanted: string,
  filter: BackupFilter,
): readonly [StoredBackup, ...StoredBackup[]] {
  try {
    return copiesAmong(workspace, listing, wanted, filter)
  } catch (thrown) {
    const error = asHoldfastError(thrown)
    if (silent === undefined || error.code !== 'usage.backup-not-found') throw error
    const { code, message, hint } = silent.error
    throw new HoldfastError(code, `${error.message}, and ${silent.storage} could not be asked: ${message}`, {
      cause: silent.error,
      hint,
    })
  }
}

/** `latest` means the latest of the target's own database, unless another is named; an id means itself. */
function whose(
  workspace: Workspace,
  wanted: string,
  request: RestoreRequestOptions,
  target: DatabaseSettings,
): { readonly database?: string } {
  if (request.fromDatabase !== undefined) return { database: request.fromDatabase }
  if (wanted !== 'latest') return {}
  if (request.database !== undefined) return { database: request.database }
  const { databases } = workspace.settings
  if (request.to === undefined) return { database: target.alias }
  return databases.size === 1 ? { database: [...databases.keys()][0] ?? target.alias } : {}
}

/** The latest of any database would be a guess. @throws usage.backup-ambiguous */
function requireOneDatabase({ backups }: ListReport, filter: BackupFilter): void {
  if (filter.database !== undefined) return
  const databases = new Set(backups.filter(isWanted).map(({ manifest }) => manifest.database.alias))
  if (databases.size < 2) return
  throw new HoldfastError(
    'usage.backup-ambiguous',
    `there are backups of several ${filter.kind === 'files' ? 'sets of files' : 'databases'}: ${[...databases].slice(0, 8).join(', ')}`,
    {
      hint: `name one with ${filter.kind === 'files' ? '--set' : '--from-database'}, or name the backup`,
    },
  )
}

async function sourceOfLocal(
  cx: Context,
  workspace: Workspace,
  file: string,
  decoding: Decoding,
): Promise<FoundSource> {
  const beside = await backupBeside(cx, workspace, file)
  if (beside === undefined) {
    const warnings = [`${file} has no manifest beside it: there is no digest to compare it with`]
    return { ...(await sourceOfFile(cx, file, file, decoding)), warnings }
  }
  return sourceOfBackup(cx, beside.open, beside.backup, decoding)
}

async function localKind(cx: Context, name: string): Promise<'file' | 'other' | undefined> {
  const found = await stat(resolve(cx.env.workingDirectory, name)).catch(() => undefined)
  if (found === undefined) return undefined
  return found.isFile() ? 'file' : 'other'
}

/** A stream cannot be read twice, and it is checked before it is used: so it is kept in a private temporary file. */
async function sourceOfStream(
  cx: Context,
  workspace: Workspace,
  stream: Readable,
): Promise<DisposableSource> {
  const folder = await cx.env.temporaryDirectory()
  try {
    const path = await folder.writeFile('input', '')
    notice(workspace, 'info', `the input is kept in ${path} until it has been restored`)
    await connect([stream, createWriteStream(path, { flags: 'r+' })], cx.signal)
    const decoding = { kinds: workspace.registry.stages, keys: workspace.keys }
    return { ...(await sourceOfFile(cx, path, 'standard input', decoding)), dispose: () => folder.remove() }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

function undisposed(source: FoundSource): DisposableSource {
  return { ...source, dispose: () => Promise.resolve() }
}
