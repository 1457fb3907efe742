import { parseCompress } from '../config/compress.js'
import type { StageSettings } from '../config/settings.js'
import type { Stage } from '../stages/stage.js'
import type { BackupRequest } from './requests.js'
import type { Workspace } from './workspace.js'

/** A stage with the ending that it gives to file names. */
export interface NamedStage {
  readonly stage: Stage
  readonly extension: string
}

/**
 * The stages of a backup: as configured, with what the request says in their place.
 * @param storages where it goes: where all of them store what is alike only once, nothing is compressed that nobody wants to be, since two
 * compressed dumps are alike in nothing
 */
export function encodingStages(
  workspace: Workspace,
  request: Pick<BackupRequest, 'compress' | 'encrypt'>,
  storages: readonly string[],
): readonly NamedStage[] {
  const { settings } = workspace
  const configured = settings.stages
  const asItIs =
    settings.origins.get('compress') === 'default' &&
    storages.length > 0 &&
    storages.every((name) => settings.storages.get(name)?.driver.deduplicates === true)
  const compress: readonly StageSettings[] =
    request.compress !== undefined
      ? parseCompress(request.compress, workspace.registry)
      : asItIs
        ? []
        : configured.filter(({ kind }) => kind.role === 'compress')
  const encrypt = request.encrypt === false ? [] : configured.filter(({ kind }) => kind.role === 'encrypt')
  return [...compress, ...encrypt].map(({ kind, settings }) => ({
    stage: kind.create(settings, workspace.keys),
    extension: kind.extension,
  }))
}
