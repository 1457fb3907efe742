import type { DatabaseSettings } from '../config/settings.js'
import type { ConnectorFactory, RestoreRequest } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { RestoreRequestOptions } from './requests.js'
import type { FoundSource } from './restore-source.js'
import { oneDatabase } from './select-databases.js'
import { requestName, settingName } from './setting-names.js'
import type { Workspace } from './workspace.js'

/**
 * Only these schemas: those of the call, else of the target's configuration. A backup that was made of them alone has no
 * others to leave out, and is restored as a whole, also where its connector could not pick.
 */
export function schemasToRestore(
  { schemas }: RestoreRequestOptions,
  target: DatabaseSettings,
  { manifest }: FoundSource,
): readonly string[] {
  if (schemas !== undefined) return schemas
  const held = manifest?.options.schemas ?? []
  return held.length > 0 && held.every((name) => target.schemas.includes(name)) ? [] : target.schemas
}

/** What a restore of a part restores, each a phrase for people; empty where it restores all. */
export function partOf({ schemas, tables = [], schemaOnly, dataOnly }: RestoreRequest): readonly string[] {
  return [
    ...schemas.map((name) => `schema ${name}`),
    ...tables.map((pattern) => `table ${pattern}`),
    ...(schemaOnly === true ? ['definitions without rows'] : []),
    ...(dataOnly === true ? ['rows without definitions'] : []),
  ]
}

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
  const refuse = (setting: string, why: string, named = requestName(workspace, setting)) => {
    throw new HoldfastError('usage.not-supported', `${named} does not go with ${chooser}: ${why}`, {
      hint: 'leave the setting out',
    })
  }
  const { clean, schemas } = asked
  if (schemas.length > 0 && !target.engine.capabilities.schemas)
    refuse('schemas', `${target.engine.name} has no schemas`)
  if (schemas.length > 0 && (!capabilities.schemas || capabilities.restoreSchemas === false)) {
    // `to` may have changed the target's name, and what is configured stands under its own.
    const configured = () => settingName(workspace, oneDatabase(workspace, given.database), 'schemas')
    refuse(
      'schemas',
      capabilities.schemas ? 'it restores a dump as a whole' : 'it cannot select schemas',
      given.schemas === undefined ? configured() : undefined,
    )
  }
  if (!capabilities.clean.includes(clean))
    refuse('clean', `it can do ${capabilities.clean.join(', ')}, and not ${clean}`)
  if (asked.create && capabilities.create === false) refuse('create', 'it cannot make a database')
  for (const setting of ['tables', 'schemaOnly', 'dataOnly'] as const) {
    const value = asked[setting]
    const wanted = typeof value === 'boolean' ? value : (value ?? []).length > 0
    if (wanted && capabilities.partialRestore !== true) refuse(setting, 'it restores a dump as a whole')
  }
}
