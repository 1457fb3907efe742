import { basename, extname } from 'node:path'
import type { ConnectorFactory, ConnectorOptions } from '../engine/connector.js'
import type { ConnectionSettings, Engine } from '../engine/engine.js'
import { HoldfastError } from '../errors.js'
import { checkPolicy } from '../retention/policy.js'
import type { ConnectionConfig, DatabaseConfig } from './config.js'
import { asSecret, emptyConnection, parseUrl, schemeOf, withFields } from './connection.js'
import type { ChosenEngine, EngineFinder } from './engines.js'
import { checkTemplate } from './filename-template.js'
import type { DatabaseSettings } from './settings.js'
import { toolSettings } from './words.js'

/** What resolving a database needs to know beside its configuration. */
export interface DatabaseSurroundings {
  readonly engines: EngineFinder
  readonly baseDirectory: string
  /** Where the configuration came from: a file's name, or `environment DATABASE_URL`. */
  readonly origin: string
}

/** @throws config.invalid, usage.not-supported */
export function resolveDatabase(
  alias: string,
  given: DatabaseConfig | string,
  around: DatabaseSurroundings,
): DatabaseSettings {
  const config: DatabaseConfig = typeof given === 'string' ? { url: given } : given
  const prefix = `databases.${alias}`
  const chosen = chooseEngine(config, prefix, around)
  const { engine } = chosen
  const connector =
    config.connector === undefined
      ? chosen.connector
      : around.engines.connector(config.connector, engine, `${prefix}.connector (${around.origin})`)
  const connection = resolveConnection(config, chosen, prefix, around)
  checkPolicy(config.retention ?? {}, `${prefix}.retention`)
  if (typeof config.filename === 'string')
    checkTemplate(config.filename, `${prefix}.filename (${around.origin})`)
  const settings: DatabaseSettings = {
    alias,
    engine,
    connector,
    connection,
    backupConnection: backupConnection(config, connection, chosen, prefix, around),
    ...adminOf(config, prefix),
    tools: toolSettings(config, prefix),
    options: connectorOptions(config),
    exclude: config.exclude ?? [],
    excludeData: config.excludeData ?? [],
    schemas: config.schemas ?? [],
    ...(config.extension === undefined ? {} : { extension: config.extension.replace(/^\./u, '') }),
    ...(config.filename === undefined ? {} : { filename: config.filename }),
    ...(config.retention === undefined ? {} : { retention: config.retention }),
    protected: config.protected ?? false,
  }
  checkSupport(settings, config, prefix, around.origin)
  return settings
}

/** The database of a URL that stands in no configuration, with a name made from the database's own. @throws config.invalid */
export function databaseOfUrl(
  url: string,
  engines: EngineFinder,
  baseDirectory: string,
  alias: string | undefined,
): DatabaseSettings {
  const setting = 'the URL given'
  const chosen = engines.find(schemeOf(url) ?? '', setting)
  const connection = parseUrl(chosen, url, baseDirectory, setting)
  return {
    alias: alias ?? aliasOf(chosen.engine, connection),
    engine: chosen.engine,
    connector: chosen.connector,
    connection,
    backupConnection: connection,
    tools: toolSettings({}, setting),
    options: {},
    exclude: [],
    excludeData: [],
    schemas: [],
    protected: false,
  }
}

function aliasOf(engine: Engine, { name }: ConnectionSettings): string {
  const own = engine.capabilities.server ? name : basename(name, extname(name))
  return own === '' ? engine.name : own
}

function chooseEngine(
  config: DatabaseConfig,
  prefix: string,
  { engines, origin }: DatabaseSurroundings,
): ChosenEngine {
  const scheme = config.url === undefined ? undefined : schemeOf(config.url)
  if (config.engine === undefined) {
    if (scheme !== undefined) return engines.find(scheme, `${prefix}.url (${origin})`)
    const message =
      config.url === undefined
        ? `${prefix} needs url, or engine and name (${origin})`
        : `${prefix}.url (${origin}) does not begin with an engine's name, such as postgres: or sqlite:`
    throw new HoldfastError('config.invalid', message)
  }
  const named = engines.find(config.engine, `${prefix}.engine (${origin})`)
  if (scheme === undefined) return named
  const ofUrl = engines.find(scheme, `${prefix}.url (${origin})`)
  if (ofUrl.engine === named.engine) return ofUrl
  throw new HoldfastError(
    'config.invalid',
    `${prefix}.engine is ${named.engine.name}, and ${prefix}.url is for ${ofUrl.engine.name} (${origin})`,
  )
}

function resolveConnection(
  config: ConnectionConfig,
  chosen: ChosenEngine,
  prefix: string,
  { baseDirectory, origin }: DatabaseSurroundings,
): ConnectionSettings {
  const base =
    config.url === undefined
      ? emptyConnection(chosen.engine)
      : parseUrl(chosen, config.url, baseDirectory, `${prefix}.url (${origin})`)
  const connection = withFields(base, config, chosen.engine, baseDirectory)
  if (connection.name !== '') return connection
  throw new HoldfastError('config.invalid', `${prefix} needs the database's name (${origin})`, {
    hint: `set ${prefix}.name, or a URL that ends in the name`,
  })
}

function backupConnection(
  { backup }: DatabaseConfig,
  connection: ConnectionSettings,
  chosen: ChosenEngine,
  prefix: string,
  around: DatabaseSurroundings,
): ConnectionSettings {
  if (backup === undefined) return connection
  const setting = `${prefix}.backup`
  if (backup.url === undefined && backup.engine === undefined) {
    return withFields(connection, backup, chosen.engine, around.baseDirectory)
  }
  const ofBackup = chooseEngine({ engine: chosen.engine.name, ...backup }, setting, around)
  if (ofBackup.engine !== chosen.engine) {
    throw new HoldfastError(
      'config.invalid',
      `${setting} is for ${ofBackup.engine.name}, and ${prefix} for ${chosen.engine.name} (${around.origin})`,
    )
  }
  const base =
    backup.url === undefined
      ? connection
      : parseUrl(ofBackup, backup.url, around.baseDirectory, `${setting}.url (${around.origin})`)
  return withFields(base, backup, chosen.engine, around.baseDirectory)
}

function adminOf(
  { adminUser, adminPassword }: DatabaseConfig,
  prefix: string,
): Pick<DatabaseSettings, 'admin'> {
  const password = asSecret(adminPassword)
  if (adminUser !== undefined)
    return { admin: { user: adminUser, ...(password === undefined ? {} : { password }) } }
  if (password === undefined) return {}
  throw new HoldfastError('config.invalid', `${prefix}.adminPassword is set without ${prefix}.adminUser`)
}

function connectorOptions(config: DatabaseConfig): ConnectorOptions {
  const { singleTransaction, drop, ifExists, noOwner, noPrivileges, toolArgs } = config
  return {
    ...(singleTransaction === undefined ? {} : { singleTransaction }),
    ...(drop === undefined ? {} : { drop }),
    ...(ifExists === undefined ? {} : { ifExists }),
    ...(noOwner === undefined ? {} : { noOwner }),
    ...(noPrivileges === undefined ? {} : { noPrivileges }),
    ...(toolArgs === undefined ? {} : { toolArgs }),
  }
}

/** What a database asks for and its engine or connector cannot do is said before anything starts. */
function checkSupport(
  settings: DatabaseSettings,
  config: DatabaseConfig,
  prefix: string,
  origin: string,
): void {
  const { engine, connector } = settings
  const chooser = config.url === undefined ? 'engine' : 'url'
  if (settings.schemas.length > 0 && !engine.capabilities.schemas) {
    throw new HoldfastError(
      'usage.not-supported',
      `${prefix}.schemas (${origin}) does not go with ${prefix}.${chooser} (${origin}): ${engine.name} has no schemas`,
      { hint: `leave ${prefix}.schemas out` },
    )
  }
  for (const setting of ['exclude', 'excludeData', 'schemas'] as const) {
    if (settings[setting].length === 0 || connector.capabilities[setting]) continue
    const by = config.connector === undefined ? `${prefix}.${chooser}` : `${prefix}.connector`
    throw new HoldfastError(
      'usage.not-supported',
      `${prefix}.${setting} (${origin}) does not go with ${by} (${origin}): ${cannot(connector, setting)}`,
      { hint: `leave ${prefix}.${setting} out, or choose another connector` },
    )
  }
}

function cannot({ name }: ConnectorFactory, setting: 'exclude' | 'excludeData' | 'schemas'): string {
  const what = {
    exclude: 'leave out tables',
    excludeData: 'leave out the rows of tables',
    schemas: 'select schemas',
  }
  return `the connector ${name} cannot ${what[setting]}`
}
