import type { ConnectionSettings } from '../../../engine/engine.js'
import type { DatabaseSettings, Settings } from '../../../config/settings.js'
import { secretName } from '../../../env/redaction.js'
import type { JsonField } from './document.js'

/** `holdfast config --json`: every effective setting with where it came from. Secrets are `***`. */
export type ConfigDocument = {
  /** Absent where there is no configuration file. */
  readonly file?: string
  /** What relative paths in it are relative to. */
  readonly baseDirectory: string
  readonly settings: readonly SettingDocument[]
}

export type SettingDocument = {
  /** `compress`, `databases.shop.host`, `databases.shop.backup.host`. */
  readonly name: string
  readonly value: JsonField
  /** A file, `environment NAME`, a flag, or `default`. */
  readonly origin: string
}

export function configDocument(settings: Settings): ConfigDocument {
  const { file, baseDirectory, origins } = settings
  const named = [
    ...generalValues(settings),
    ...storageValues(settings),
    ...databaseValues(settings),
    ...filesValues(settings),
  ]
  return {
    ...(file === undefined ? {} : { file }),
    baseDirectory,
    settings: named.map(([name, value]) => ({ name, value, origin: originOf(name, origins) })),
  }
}

type Named = readonly (readonly [name: string, value: JsonField])[]

/** Its own origin, or that of what it is a part of: a host that came with the URL. */
function originOf(name: string, origins: Settings['origins']): string {
  const parent = name.slice(0, Math.max(0, name.lastIndexOf('.')))
  const own = origins.get(name) ?? origins.get(`${parent}.url`) ?? origins.get(parent)
  if (own !== undefined || parent === '') return own ?? 'default'
  return name.startsWith('databases.') && parent.includes('.') ? originOf(parent, origins) : 'default'
}

function generalValues(settings: Settings): Named {
  const compression = settings.stages.find(({ kind }) => kind.role === 'compress')
  const encryption = settings.stages.find(({ kind }) => kind.role === 'encrypt')
  const level = Reflect.get(Object(compression?.settings), 'level') as unknown
  return [
    ['serverName', settings.serverName],
    ['filename', typeof settings.filename === 'string' ? settings.filename : 'a function'],
    ['dateFormat', settings.dateFormat],
    [
      'compress',
      compression === undefined
        ? 'none'
        : `${compression.kind.id}${typeof level === 'number' ? `:${level}` : ''}`,
    ],
    [
      'encrypt',
      encryption === undefined ? 'none' : { [encryption.kind.id]: withoutSecrets(encryption.settings) },
    ],
    ...(settings.maxRate === undefined ? [] : [['maxRate', `${settings.maxRate}B/s`] as const]),
    ...(settings.memoryLimit === undefined ? [] : [['memoryLimit', `${settings.memoryLimit}B`] as const]),
    [
      'sign',
      settings.signing.checks
        ? { keyId: settings.signing.keyId ?? 'none: this machine only checks' }
        : 'none',
    ],
    ['retention', withoutSecrets(settings.retention)],
    ['fingerprint', settings.chosenFingerprint ?? settings.fingerprint ?? 'by engine'],
    ['alsoPortable', settings.alsoPortable],
    ['hooks', Object.keys(settings.hooks)],
    ...settings.notifiers.map(
      ({ name, ...notifier }) => [`notify.${name}`, withoutSecrets(notifier)] as const,
    ),
    ...(settings.metricsFile === undefined ? [] : [['metricsFile', settings.metricsFile] as const]),
  ]
}

function filesValues({ files }: Settings): Named {
  return [...files.values()].flatMap(({ alias, source, include, exclude, storages, filename, retention }) => {
    const values: Readonly<Record<string, JsonField>> = {
      source: 'folder' in source ? source.folder : { storage: source.storage },
      include,
      exclude,
      ...(storages === undefined ? {} : { storages }),
      ...(filename === undefined ? {} : { filename: typeof filename === 'string' ? filename : 'a function' }),
      ...(retention === undefined ? {} : { retention: withoutSecrets(retention) }),
    }
    return Object.entries(values).map(([name, value]) => [`files.${alias}.${name}`, value] as const)
  })
}

function storageValues({ storages }: Settings): Named {
  return [...storages.values()].flatMap(({ name, driver, settings }) => [
    [`storages.${name}.driver`, driver.driver] as const,
    ...Object.entries(settings).map(
      ([key, value]) => [`storages.${name}.${key}`, withoutSecrets(value, key)] as const,
    ),
  ])
}

function databaseValues({ databases }: Settings): Named {
  return [...databases.values()].flatMap((database) => {
    const prefix = `databases.${database.alias}`
    const { connection, backupConnection } = database
    return [
      [`${prefix}.engine`, database.engine.name] as const,
      [`${prefix}.connector`, database.connector.name] as const,
      ...connectionValues(prefix, connection),
      ...connectionValues(`${prefix}.backup`, backupConnection, connection),
      ...ruleValues(prefix, database),
    ]
  })
}

/** What differs from `other`. */
function connectionValues(prefix: string, connection: ConnectionSettings, other?: ConnectionSettings): Named {
  const fields = ['host', 'port', 'socket', 'user', 'password', 'name', 'parameters'] as const
  return fields.flatMap((field) => {
    const value = connection[field]
    if (value === undefined || value === other?.[field]) return []
    const empty = field === 'parameters' && Object.keys(connection.parameters).length === 0
    return empty ? [] : [[`${prefix}.${field}`, withoutSecrets(value, field)] as const]
  })
}

function ruleValues(prefix: string, database: DatabaseSettings): Named {
  const lists = ['exclude', 'excludeData', 'schemas'] as const
  return [
    ...lists.flatMap((name) =>
      database[name].length === 0 ? [] : [[`${prefix}.${name}`, database[name]] as const],
    ),
    ...(database.storages === undefined ? [] : [[`${prefix}.storages`, database.storages] as const]),
    ...(database.admin === undefined ? [] : [[`${prefix}.adminUser`, database.admin.user] as const]),
    ...(database.retention === undefined
      ? []
      : [[`${prefix}.retention`, withoutSecrets(database.retention)] as const]),
    ...(database.protected ? [[`${prefix}.protected`, true] as const] : []),
    ...(database.safetyBackup ? [] : [[`${prefix}.safetyBackup`, false] as const]),
    ...(database.strategy === 'in-place' ? [] : [[`${prefix}.strategy`, database.strategy] as const]),
    ...optionValues(prefix, database.options),
    ...toolValues(prefix, database.tools),
  ]
}

/** Command settings. Of variables only the names: any may hold a secret. */
function toolValues(prefix: string, tools: DatabaseSettings['tools']): Named {
  const commands = [
    'dumpCommand',
    'restoreCommand',
    'psqlCommand',
    'dumpPrefix',
    'dumpSuffix',
    'restorePrefix',
    'restoreSuffix',
  ] as const
  const variables = ['env', 'dumpEnv', 'restoreEnv'] as const
  return [
    ...commands.flatMap((name) => {
      const words = tools[name] ?? []
      return words.length === 0 ? [] : [[`${prefix}.${name}`, words.map(shownWord)] as const]
    }),
    ...variables.flatMap((name) => {
      const names = Object.keys(tools[name])
      const hidden = Object.fromEntries(names.map((each) => [each, '***']))
      return names.length === 0 ? [] : [[`${prefix}.${name}`, hidden] as const]
    }),
    ...(tools.inheritEnv ? [] : [[`${prefix}.inheritEnv`, false] as const]),
  ]
}

function optionValues(prefix: string, { toolArgs, ...options }: DatabaseSettings['options']): Named {
  return [
    ...Object.entries(options).map(([name, value]) => [`${prefix}.${name}`, value] as const),
    ...(toolArgs === undefined ? [] : [[`${prefix}.toolArgs`, toolArgs.map(shownWord)] as const]),
  ]
}

/** A word of a command; what follows `--password=` and its like is hidden. */
function shownWord(word: string): string {
  return word.replace(/^(-[^=]*(?:pass|secret|token)[^=]*=).*/isu, '$1***')
}

/** The settings of storages are their drivers': what may be a secret is told by its name. */
function withoutSecrets(value: unknown, name = ''): JsonField {
  const hidden = (key: string, each: unknown): unknown => {
    if (secretName.test(key) && each !== undefined && typeof each !== 'boolean') return '***'
    return typeof each === 'function' ? 'a function' : each
  }
  return JSON.parse(JSON.stringify(hidden(name, value) ?? null, hidden)) as JsonField
}
