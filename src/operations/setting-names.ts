import type { DatabaseSettings } from '../config/settings.js'
import { HoldfastError } from '../errors.js'
import type { Workspace } from './workspace.js'

/** How the command line writes what a request holds. */
const flags: Readonly<Record<string, string>> = {
  exclude: '--exclude',
  excludeData: '--exclude-data',
  schemas: '--schema',
  tables: '--table',
  schemaOnly: '--schema-only',
  dataOnly: '--data-only',
  alsoPortable: '--also-portable',
  output: '--output',
  connector: '--connector',
  clean: '--clean',
  strategy: '--strategy',
  safetyBackup: '--safety-backup',
  create: '--create',
}

/** A setting of a call, as the caller knows it: `--exclude`, or `exclude (of this call)`. */
export function requestName({ commandLine }: Workspace, setting: string): string {
  return commandLine ? (flags[setting] ?? setting) : `${setting} (of this call)`
}

/** A setting of a database with where it came from: `databases.shop.exclude (holdfast.config.ts)`. */
export function settingName(
  { settings }: Workspace,
  { alias, connection }: DatabaseSettings,
  setting: string,
): string {
  // A URL's database may have the name of a configured one.
  if (settings.databases.get(alias)?.connection !== connection) return 'the URL given'
  const prefix = `databases.${alias}`
  // What a database does not say itself follows from its engine, and that from its URL.
  const candidates = {
    connector: ['connector', 'engine', 'url'],
    engine: ['engine', 'url'],
  }[setting] ?? [setting]
  for (const candidate of candidates) {
    const origin = settings.origins.get(`${prefix}.${candidate}`)
    if (origin !== undefined) return `${prefix}.${candidate} (${origin})`
  }
  // A database that is a text is its URL.
  const origin = settings.origins.get(prefix)
  if (origin !== undefined && candidates.includes('url')) return `${prefix} (${origin})`
  const shared = settings.origins.get(setting)
  return shared === undefined ? `${prefix}.${setting} (default)` : `${setting} (${shared})`
}

/**
 * An error of a connector that names two settings of a database (its `details.settings`), with where they came from.
 */
export function withOrigins(
  { settings }: Workspace,
  { alias }: DatabaseSettings,
  error: HoldfastError,
): HoldfastError {
  const named = error.details['settings']
  if (!Array.isArray(named) || error.exit !== 2) return error
  const origins = named.map((each) => {
    const name = /^\w+/u.exec(String(each))?.[0] ?? ''
    return `${name} is from ${settings.origins.get(`databases.${alias}.${name}`) ?? 'the default'}`
  })
  const { code, hint, details } = error
  return new HoldfastError(code, `${error.message} (${origins.join('; ')})`, { cause: error, hint, details })
}
