import { isAbsolute, relative, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import { newBackupId } from '../catalog/backup-id.js'
import type { Manifest } from '../catalog/manifest.js'
import type { FilesSettings } from '../config/settings.js'
import type { Dump } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { archiveStorage } from '../files/storage-archive.js'
import { tarFormat } from '../files/tar/format.js'
import { packFolder, type Archive, type ArchiveFacts } from '../files/tools.js'
import { programError } from '../process/own-program.js'
import { holdfastVersion } from '../version.js'
import { afterBackup, shortcoming } from './after-backup.js'
import { writeToOutput } from './backup-output.js'
import { storeParts } from './backup-storage.js'
import { backupStorages, openEach } from './backup-targets.js'
import { codeRevision } from './code-revision.js'
import { encodingStages, type NamedStage } from './encoding.js'
import { tellFailure, type Standing } from './failure-hooks.js'
import { formatDatetime, renderFilename } from './filename.js'
import type { FilesBackupResult, FilesOutcome } from './files-reports.js'
import type { FilesBackupRequest } from './requests.js'
import { selectFiles } from './select-files.js'
import { assertFits } from './limits.js'
import { contextOf, notice, secondsSince, type Workspace } from './workspace.js'

/**
 * Backs up sets of files one after the other. One that fails does not stop the others: each has its outcome.
 * @param outcomes filled as the work goes on, for whoever wants to know of it when it is interrupted
 * @throws usage.*, config.* before anything starts; the signal's reason when aborted
 */
export async function backupFiles(
  workspace: Workspace,
  request: FilesBackupRequest,
  outcomes: FilesOutcome[] = [],
): Promise<readonly FilesOutcome[]> {
  const sets = selectFiles(workspace, request.sets)
  if (request.output !== undefined && sets.length > 1) {
    throw new HoldfastError('usage.invalid', 'output takes one set of files', {
      hint: 'name one set, or leave output out',
    })
  }
  const plans = sets.map((set): FilesPlan => {
    const storages = request.output === undefined ? backupStorages(workspace, request, set) : []
    const stages = encodingStages(workspace, request, storages)
    assertFits(workspace.settings, stages)
    return { set: withoutBackups(workspace, set), stages, storages }
  })
  for (const plan of plans) {
    request.signal?.throwIfAborted()
    const { alias } = plan.set
    const standing: Standing = { operation: 'files-backup', phase: 'inspect' }
    try {
      const result = await backupSet(workspace, request, plan, standing)
      const error = shortcoming(result) ?? unreadable(result)
      if (error === undefined) outcomes.push({ set: alias, ok: true, result })
      else {
        await tellFailure(workspace, standing, error)
        outcomes.push({ set: alias, ok: false, error, partial: result })
      }
    } catch (thrown) {
      const error = programError(thrown)
      await tellFailure(workspace, standing, request.signal?.aborted === true ? thrown : error)
      request.signal?.throwIfAborted()
      outcomes.push({ set: alias, ok: false, error })
    }
  }
  return outcomes
}

interface FilesPlan {
  readonly set: FilesSettings
  readonly stages: readonly NamedStage[]
  readonly storages: readonly string[]
}

async function backupSet(
  workspace: Workspace,
  request: FilesBackupRequest,
  { set, stages, storages }: FilesPlan,
  standing: Standing,
): Promise<FilesBackupResult> {
  const cx = contextOf(workspace, request.signal)
  const { settings } = workspace
  const started = workspace.env.clock.now()
  const id = newBackupId(workspace.env)
  const revision = await codeRevision(cx, settings.baseDirectory)
  const place = await placeOf(workspace, set)
  const { opened, unopened } = await openEach(cx, workspace, storages)
  const hookFacts = { server: settings.serverName, storage: opened[0]?.name ?? '' }
  standing.phase = 'before'
  await workspace.hooks.run(cx, 'files-backup', 'beforeFilesBackup', hookFacts)

  standing.phase = 'dump'
  let facts: ArchiveFacts | undefined
  const start = async () => {
    const archive = await archiveOf(cx, workspace, set)
    return dumpOf(archive, (known) => (facts = known))
  }
  const target = { id, alias: set.alias, format: tarFormat, stages }
  if (request.output !== undefined) {
    const written = await writeToOutput(cx, request.output, target, await start())
    const seconds = secondsSince(workspace, started)
    return { id, ...written, files: countsOf(facts), copies: [], failedStorages: [], seconds }
  }
  const filename = filenameFor(workspace, set, started) + stages.map(({ extension }) => extension).join('')
  const stores = { ...target, filename }
  const { stored, failed } = await storeParts(cx, opened, stores, start, async ({ warnings }) => ({
    formatVersion: 1,
    id,
    kind: 'files',
    created: started.toISOString(),
    finished: workspace.env.clock.now().toISOString(),
    server: settings.serverName,
    writer: holdfastVersion,
    database: { alias: set.alias, name: place },
    engine: 'files',
    connector: 'tar',
    format: tarFormat.name,
    source: { product: 'folder' in set.source ? 'folder' : 'storage', version: '', tables: 0 },
    files: countsOf(facts),
    tools: [],
    ...(revision === undefined ? {} : { revision }),
    migrations: [],
    schemaHash: '',
    options: { include: set.include, exclude: set.exclude, excludeData: [], schemas: [] },
    warnings,
    metadata:
      (await settings.metadata?.({
        database: set.alias,
        engine: 'files',
        connector: 'tar',
        server: settings.serverName,
      })) ?? {},
  }))
  const [{ open, manifest, storedName }] = stored
  const tell = () =>
    workspace.hooks.run(cx, 'files-backup', 'afterFilesBackup', {
      server: settings.serverName,
      storage: open.name,
      filename: storedName,
    })
  const prune = request.prune === true
  const result = await afterBackup(cx, workspace, {
    stored,
    failed,
    unopened,
    alias: set.alias,
    started,
    standing,
    prune,
    tell,
  })
  return { ...result, files: manifest.files ?? countsOf(undefined) }
}

/** A backup without some files is one, and not what was asked for. */
function unreadable({ files }: FilesBackupResult): HoldfastError | undefined {
  if (files.unreadable === 0) return undefined
  const what = files.unreadable === 1 ? 'a file or folder' : `${files.unreadable} files or folders`
  return new HoldfastError(
    'backup.partial',
    `the backup is complete but for ${what} that could not be read`,
    {
      hint: 'see the warnings: give the account that makes backups access to them, or exclude them',
    },
  )
}

function countsOf(facts: ArchiveFacts | undefined): NonNullable<Manifest['files']> {
  const { entries, bytes, changed, unreadable } = facts ?? nothing
  return { entries, bytes, changed, unreadable }
}

const nothing = { entries: 0, bytes: 0, changed: 0, unreadable: 0 }

async function placeOf(workspace: Workspace, { source }: FilesSettings): Promise<string> {
  if ('folder' in source) return source.folder
  return (await workspace.storages.get(source.storage)).storage.describe()
}

async function archiveOf(cx: Context, workspace: Workspace, set: FilesSettings): Promise<Archive> {
  const { source, include, exclude } = set
  if ('folder' in source) return packFolder(cx, { source: source.folder, include, exclude })
  const { storage } = await workspace.storages.get(source.storage)
  return archiveStorage(cx, storage, { include, exclude })
}

/** The archive as the one part of a dump. */
function dumpOf(archive: Archive, known: (facts: ArchiveFacts) => void): Dump {
  return {
    parts: Readable.from([{ name: 'dump', role: 'dump', bytes: archive.bytes }]),
    async facts() {
      const facts = await archive.facts
      known(facts)
      return { warnings: facts.warnings }
    },
  }
}

function filenameFor({ settings }: Workspace, { alias, filename }: FilesSettings, started: Date): string {
  return renderFilename(filename ?? settings.filename, {
    database: alias,
    server: settings.serverName,
    datetime: formatDatetime(started, settings.dateFormat),
    engine: 'files',
    extension: tarFormat.name,
  })
}

/** Backups that lie in the folder itself are left out: each would hold all that were before it. */
function withoutBackups(workspace: Workspace, set: FilesSettings): FilesSettings {
  const { source } = set
  if (!('folder' in source)) return set
  const inside = [...workspace.settings.storages.values()].flatMap(({ name, driver, settings: { path } }) => {
    if (driver.driver !== 'local' || typeof path !== 'string') return []
    const below = relative(source.folder, resolve(workspace.settings.baseDirectory, path))
    if (below.startsWith('..') || isAbsolute(below)) return []
    if (below === '')
      throw new HoldfastError(
        'config.invalid',
        `files.${set.alias}.source is the folder of the storage ${name}`,
      )
    notice(workspace, 'info', `${set.alias}: the backups in ${below} are left out`)
    return [
      `/${below
        .split(sep)
        .join('/')
        .replace(/[\\*?[\]{}()!+@|]/gu, '\\$&')}`,
    ]
  })
  return inside.length === 0 ? set : { ...set, exclude: [...set.exclude, ...inside] }
}
