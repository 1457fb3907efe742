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

/** The stages of a backup: as configured, with what the request says in their place. */
export function encodingStages(
  workspace: Workspace,
  request: Pick<BackupRequest, 'compress' | 'encrypt'>,
): readonly NamedStage[] {
  const configured = workspace.settings.stages
  const compress: readonly StageSettings[] =
    request.compress === undefined
      ? configured.filter(({ kind }) => kind.role === 'compress')
      : parseCompress(request.compress, workspace.registry)
  const encrypt = request.encrypt === false ? [] : configured.filter(({ kind }) => kind.role === 'encrypt')
  return [...compress, ...encrypt].map(({ kind, settings }) => ({
    stage: kind.create(settings, workspace.keys),
    extension: kind.extension,
  }))
}
