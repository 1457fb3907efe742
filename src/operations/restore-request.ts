import type { DatabaseSettings } from '../config/settings.js'
import type { ConnectorFactory, RestoreRequest } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { RestoreRequestOptions } from './requests.js'
import type { FoundSource } from './restore-source.js'
import { requestName } from './setting-names.js'
import type { Workspace } from './workspace.js'

/**
 * Refuses what the connector of the backup cannot do, before anything is looked at.
 * @throws usage.not-supported, naming the setting and where the connector comes from
 */
export function refuseUnsupported(
  workspace: Workspace,
  given: RestoreRequestOptions,
  asked: RestoreRequest,
  { name, capabilities }: ConnectorFactory,
  target: DatabaseSettings,
  found: FoundSource,
): void {
  const chooser =
    given.connector === undefined
      ? `the connector ${name}, which ${found.manifest === undefined ? 'reads' : 'made'} ${found.name}`
      : `${requestName(workspace, 'connector')} ${name}`
  const refuse = (setting: string, why: string) => {
    throw new HoldfastError(
      'usage.not-supported',
      `${requestName(workspace, setting)} does not go with ${chooser}: ${why}`,
      { hint: 'leave the setting out' },
    )
  }
  const { clean, schemas } = asked
  if (schemas.length > 0 && !target.engine.capabilities.schemas)
    refuse('schemas', `${target.engine.name} has no schemas`)
  if (schemas.length > 0 && !capabilities.schemas) refuse('schemas', 'it cannot select schemas')
  if (!capabilities.clean.includes(clean))
    refuse('clean', `it can do ${capabilities.clean.join(', ')}, and not ${clean}`)
  if (asked.create && capabilities.create === false) refuse('create', 'it cannot make a database')
  for (const setting of ['tables', 'schemaOnly', 'dataOnly'] as const) {
    const value = asked[setting]
    const wanted = typeof value === 'boolean' ? value : (value ?? []).length > 0
    if (wanted && capabilities.partialRestore !== true) refuse(setting, 'it restores a dump as a whole')
  }
}
