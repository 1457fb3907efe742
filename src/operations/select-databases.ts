import { basename } from 'node:path'
import type { DatabaseSettings, Settings } from '../config/settings.js'
import { adHocDatabase } from '../config/resolve.js'
import { HoldfastError } from '../errors.js'
import type { Workspace } from './workspace.js'

/** The databases of the names or URLs given, or all that are configured. @throws usage.unknown-database, config.not-found */
export function selectDatabases(
  workspace: Workspace,
  names: readonly string[] | undefined,
): readonly DatabaseSettings[] {
  const { settings } = workspace
  if (names !== undefined && names.length > 0)
    return [...new Set(names)].map((name) => oneDatabase(workspace, name))
  if (settings.databases.size === 0) throw nothingConfigured(settings)
  return [...settings.databases.values()]
}

/** @param name an alias or a URL; where absent, the only configured database. @throws usage.database-needed */
export function oneDatabase(workspace: Workspace, name: string | undefined): DatabaseSettings {
  const { settings } = workspace
  if (name === undefined) {
    const [only, ...others] = settings.databases.values()
    if (only === undefined) throw nothingConfigured(settings)
    if (others.length > 0) {
      throw new HoldfastError('usage.database-needed', `several databases are configured: ${known(settings)}`)
    }
    return only
  }
  const configured = settings.databases.get(name)
  if (configured !== undefined) return configured
  if (isUrl(name)) return adHocDatabase(settings, workspace.registry, workspace.env, name)
  throw new HoldfastError('usage.unknown-database', `there is no database ${name}; known: ${known(settings)}`)
}

/** A name with a scheme; a Windows drive letter is none. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/iu.test(text)
}

function known(settings: Settings): string {
  return [...settings.databases.keys()].join(', ') || 'none'
}

function nothingConfigured({ file }: Settings): HoldfastError {
  if (file === undefined) return new HoldfastError('config.not-found', 'no database is configured')
  return new HoldfastError('config.not-found', `no database is configured in ${basename(file)}`, {
    hint: "add one there: databases: { default: 'postgresql://…' }",
  })
}
