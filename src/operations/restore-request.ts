import { unusedBy } from '../config/combinations.js'
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
    refuse(
      'schemas',
      capabilities.schemas ? 'it restores a dump as a whole' : 'it cannot select schemas',
      given.schemas === undefined ? configuredName(workspace, given, 'schemas') : undefined,
    )
  }
  if (!capabilities.clean.includes(clean))
    refuse('clean', `it can do ${capabilities.clean.join(', ')}, and not ${clean}`)
  if (asked.create && capabilities.create === false) refuse('create', 'it cannot make a database')
  const chosen =
    (given.tables ?? []).length > 0 ? 'tables' : (given.schemas ?? []).length > 0 ? 'schemas' : undefined
  if (clean === 'database' && chosen !== undefined) {
    throw new HoldfastError(
      'usage.invalid',
      `${requestName(workspace, 'clean')} database does not go with ${requestName(workspace, chosen)}: all of the database would be dropped, and a part of it restored`,
      { hint: 'leave one out, or restore the part into a database of its own with --to NAME --create' },
    )
  }
  for (const setting of ['tables', 'schemaOnly', 'dataOnly'] as const) {
    const value = asked[setting]
    const wanted = typeof value === 'boolean' ? value : (value ?? []).length > 0
    if (wanted && capabilities.partialRestore !== true) refuse(setting, 'it restores a dump as a whole')
  }
}

/**
 * Settings of the target that the connector of the backup, another than the target's own, has no use for. They do not stop a
 * restore: who needs the backup needs it now.
 */
export function withoutEffect(
  workspace: Workspace,
  request: RestoreRequestOptions,
  target: DatabaseSettings,
  factory: ConnectorFactory,
): readonly string[] {
  return target.given.flatMap((setting) => {
    const why = unusedBy(factory, setting)
    if (why === undefined || /^(?:dump[A-Z]|toolArgs|backup\.)/u.test(setting)) return []
    return [
      `${configuredName(workspace, request, setting)} has no effect with the connector ${factory.name}: ${why}`,
    ]
  })
}

/** `to` may have changed the target's name; what is configured stands under its own. */
function configuredName(workspace: Workspace, { database }: RestoreRequestOptions, setting: string): string {
  return settingName(workspace, oneDatabase(workspace, database), setting)
}
