import { basename, extname } from 'node:path'
import type { ConnectionSettings, Engine } from '../engine/engine.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import { checkPolicy } from '../retention/policy.js'
import { refuseImpossible } from './combinations.js'
import type { DatabaseConfig } from './config.js'
import { asSecret, emptyConnection, parseUrl, schemeOf, withFields } from './connection.js'
import type { ChosenEngine, EngineFinder } from './engines.js'
import { checkTemplate } from './filename-template.js'
import type { DatabaseSettings } from './settings.js'
import { connectorOptions, toolSettings } from './words.js'

/** What resolving a database needs to know beside its configuration. */
export interface DatabaseSurroundings {
  readonly engines: EngineFinder
  readonly baseDirectory: string
  /** Where the configuration came from: a file's name, or `environment DATABASE_URL`. */
  readonly origin: string
  readonly platform: NodeJS.Platform
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
  const words = { prefix, origin: around.origin, platform: around.platform }
  const settings: DatabaseSettings = {
    alias,
    engine,
    connector,
    connection,
    backupConnection: backupConnection(config, connection, chosen, prefix, around),
    ...adminOf(config, prefix),
    tools: toolSettings(config, words),
    options: connectorOptions(config, words),
    exclude: config.exclude ?? [],
    excludeData: config.excludeData ?? [],
    schemas: config.schemas ?? [],
    ...(config.storages === undefined ? {} : { storages: config.storages }),
    ...(config.extension === undefined ? {} : { extension: config.extension.replace(/^\./u, '') }),
    ...(config.filename === undefined ? {} : { filename: config.filename }),
    ...(config.retention === undefined ? {} : { retention: config.retention }),
    ...(config.fingerprint === undefined ? {} : { fingerprint: config.fingerprint }),
    ...(config.alsoPortable === undefined ? {} : { alsoPortable: config.alsoPortable }),
    protected: config.protected ?? false,
    safetyBackup: config.safetyBackup ?? true,
    strategy: config.strategy ?? 'in-place',
    given: [...givenIn(config), ...givenIn(config.backup ?? {}).map((name) => `backup.${name}`)],
  }
  refuseImpossible(
    { ...settings, alsoPortable: config.alsoPortable ?? false },
    namedIn(config, prefix, around.origin),
  )
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
    tools: toolSettings({}, { prefix: setting, origin: setting, platform: 'linux' }),
    options: {},
    exclude: [],
    excludeData: [],
    schemas: [],
    protected: false,
    safetyBackup: true,
    strategy: 'in-place',
    given: [],
  }
}

/** What inheriting is by default, an empty list and an empty text ask for nothing. */
function givenIn(config: DatabaseConfig): readonly string[] {
  const asks = ([name, value]: readonly [string, unknown]) =>
    value !== undefined &&
    (typeof value !== 'object' ||
      value === null ||
      value instanceof Secret ||
      Object.keys(value).length > 0) &&
    (typeof value !== 'string' || value.trim() !== '') &&
    !(name === 'inheritEnv' && value === true)
  return Object.entries(config)
    .filter(asks)
    .map(([name]) => name)
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
  const brought = engines.broughtBy(config.connector)
  if (brought !== undefined && (config.engine ?? scheme) === brought.engine.name) return brought
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
  // `engine: 'postgis'` says more than the postgres: of its URL.
  if (ofUrl.engine === named.engine) return { ...ofUrl, connector: named.connector }
  throw new HoldfastError(
    'config.invalid',
    `${prefix}.engine is ${named.engine.name}, and ${prefix}.url is for ${ofUrl.engine.name} (${origin})`,
  )
}

function resolveConnection(
  config: DatabaseConfig,
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

/** How errors name a setting of a database, with where it came from. */
function namedIn(
  { url, connector }: DatabaseConfig,
  prefix: string,
  origin: string,
): (setting: string) => string {
  const chooser = url === undefined ? 'engine' : 'url'
  return (setting) => {
    const own = setting === 'engine' || (setting === 'connector' && connector === undefined)
    return `${prefix}.${own ? chooser : setting} (${origin})`
  }
}
