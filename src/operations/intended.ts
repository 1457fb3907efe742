import type { Settings } from '../config/settings.js'
import type {
  BackupRequest,
  DrillRequest,
  FilesBackupRequest,
  FilesRestoreRequest,
  PruneRequest,
  RestoreRequestOptions,
  VerifyRequest,
} from './requests.js'
import type { Intended } from './run-report.js'
import type { Workspace } from './workspace.js'

/** What a request means, as far as that can be told without running it. Names that are not configured are left out. */
export function intendedBackup({ settings }: Workspace, request: BackupRequest): Intended {
  const { databases, storage, storages, output } = request
  const asked = storages ?? (storage === undefined ? settings.chosenStorages : [storage])
  return {
    kind: 'database',
    names: databasesOf(settings, databases),
    storagesOf: (name) =>
      output === undefined ? storagesOf(settings, asked, settings.databases.get(name)?.storages) : [],
  }
}

/** @param named alias or URL; the only configured database where absent */
export function intendedDatabase({ settings }: Workspace, named: string | undefined): Intended {
  const [only, ...others] = settings.databases.keys()
  const name = named ?? (others.length === 0 ? only : undefined)
  return { kind: 'database', names: name === undefined ? [] : [name], storagesOf: () => [] }
}

export function intendedRestore({ settings }: Workspace, request: RestoreRequestOptions): Intended {
  const [only, ...others] = settings.databases.keys()
  const target = request.to ?? request.database ?? (others.length === 0 ? only : undefined)
  return {
    kind: 'database',
    names: target === undefined ? [] : [target],
    storagesOf: () => (request.storage === undefined ? [] : [request.storage]),
  }
}

export function intendedFilesBackup({ settings }: Workspace, request: FilesBackupRequest): Intended {
  const { sets = [], storage, storages } = request
  const asked = storages ?? (storage === undefined ? settings.chosenStorages : [storage])
  const known = [...settings.files.keys()]
  return {
    kind: 'files',
    names: sets.length === 0 ? known : known.filter((name) => sets.includes(name)),
    storagesOf: (name) => storagesOf(settings, asked, settings.files.get(name)?.storages),
  }
}

export function intendedFilesRestore({ settings }: Workspace, request: FilesRestoreRequest): Intended {
  const [only, ...others] = settings.files.keys()
  const name = request.set ?? (others.length === 0 ? only : undefined)
  return {
    kind: 'files',
    names: name === undefined ? [] : [name],
    storagesOf: () => (request.storage === undefined ? [] : [request.storage]),
  }
}

export function intendedVerify(
  { settings }: Workspace,
  { database, storage }: VerifyRequest | DrillRequest,
): Intended {
  return inStorages(settings, database === undefined ? [] : [database], storage)
}

export function intendedPrune({ settings }: Workspace, { databases, storage }: PruneRequest): Intended {
  return inStorages(settings, databases, storage)
}

function inStorages(
  settings: Settings,
  databases: readonly string[] | undefined,
  storage: string | undefined,
): Intended {
  const asked = storage === undefined ? [] : [storage]
  return {
    kind: 'database',
    names: databasesOf(settings, databases),
    storagesOf: () => storagesOf(settings, asked),
  }
}

function databasesOf({ databases }: Settings, asked: readonly string[] = []): readonly string[] {
  const known = [...databases.keys()]
  return asked.length === 0 ? known : known.filter((name) => asked.includes(name))
}

/** Those that were asked for, or the database's own, or all. */
function storagesOf(
  { storages }: Settings,
  asked: readonly string[],
  own?: readonly string[],
): readonly string[] {
  const known = asked.filter((name) => storages.has(name))
  return known.length > 0 ? known : (own ?? [...storages.keys()])
}
