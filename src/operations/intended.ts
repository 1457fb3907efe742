import type {
  BackupRequest,
  FilesBackupRequest,
  FilesRestoreRequest,
  PruneRequest,
  RestoreRequestOptions,
  VerifyRequest,
} from './requests.js'
import type { Intended } from './run-report.js'
import { isUrl } from './select-databases.js'
import type { Workspace } from './workspace.js'

/** What a request means, as far as that can be told without running it. A URL is nobody's name. */
export function intendedBackup({ settings }: Workspace, request: BackupRequest): Intended {
  const { databases = [], storage, storages, output } = request
  const named = databases.length > 0 ? databases : [...settings.databases.keys()]
  const asked = storages ?? (storage === undefined ? undefined : [storage])
  const chosen = settings.chosenStorages.length > 0 ? settings.chosenStorages : undefined
  return {
    names: [...new Set(named)].filter((name) => !isUrl(name)),
    storagesOf: (name) =>
      output === undefined
        ? (asked ?? chosen ?? settings.databases.get(name)?.storages ?? [...settings.storages.keys()])
        : [],
  }
}

export function intendedFilesBackup({ settings }: Workspace, request: FilesBackupRequest): Intended {
  const { sets = [], storage, storages } = request
  const asked = storages ?? (storage === undefined ? undefined : [storage])
  const chosen = settings.chosenStorages.length > 0 ? settings.chosenStorages : undefined
  const known = [...settings.storages.values()].filter(({ source }) => source !== true)
  return {
    kind: 'files',
    names: sets.length > 0 ? [...new Set(sets)] : [...settings.files.keys()],
    storagesOf: (name) =>
      asked ?? chosen ?? settings.files.get(name)?.storages ?? known.map((each) => each.name),
  }
}

export function intendedFilesRestore({ settings }: Workspace, request: FilesRestoreRequest): Intended {
  const [only, ...others] = settings.files.keys()
  const target = request.set ?? (others.length === 0 ? only : undefined)
  return { kind: 'files', names: listOf(target), storagesOf: () => listOf(request.storage) }
}

export function intendedRestore({ settings }: Workspace, request: RestoreRequestOptions): Intended {
  const [only, ...others] = settings.databases.keys()
  const target = request.to ?? request.database ?? (others.length === 0 ? only : undefined)
  return { names: target === undefined ? [] : [target], storagesOf: () => listOf(request.storage) }
}

export function intendedVerify(workspace: Workspace, request: VerifyRequest): Intended {
  const { database, storage } = request
  return inStorages(workspace, database === undefined ? [] : [database], storage)
}

export function intendedPrune(workspace: Workspace, request: PruneRequest): Intended {
  return inStorages(workspace, request.databases ?? [], request.storage)
}

function inStorages(
  { settings }: Workspace,
  databases: readonly string[],
  storage: string | undefined,
): Intended {
  const names = databases.length > 0 ? databases : [...settings.databases.keys()]
  return { names, storagesOf: () => (storage === undefined ? [...settings.storages.keys()] : [storage]) }
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}
