import { resolve } from 'node:path'
import { bytesOf } from '../env/byte-units.js'
import type { Env } from '../env/env.js'
import { fingerprintLevels, type FingerprintLevel } from '../engine/fingerprinter.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { checkPolicy } from '../retention/policy.js'
import type { KeyRing } from '../stages/stage.js'
import { parseCompress } from './compress.js'
import type { EncryptConfig, HoldfastConfig } from './config.js'
import { asSecret } from './connection.js'
import { databaseOfUrl, resolveDatabase } from './databases.js'
import { EngineFinder } from './engines.js'
import { resolveFiles, withSources } from './files.js'
import { checkTemplate } from './filename-template.js'
import { shownPath } from './load.js'
import { resolveNotifiers } from './notify.js'
import { givenOption, type Overrides, type ScalarOption } from './options.js'
import { checkedConfig } from './schema.js'
import type { DatabaseSettings, Registry, Settings, StageSettings } from './settings.js'
import { resolveSigning } from './signing.js'
import { storageName } from './storage-name.js'
import { checkStorageNames, resolveStorages } from './storages.js'
import { readVariable, type Variable } from './variable.js'

export interface ResolveInput {
  /** As a configuration file exports it, or as a program gives it; its shape is checked here. */
  readonly config: unknown
  readonly file?: string
  readonly baseDirectory: string
  readonly overrides?: Overrides
  readonly env: Env
  readonly registry: Registry
}

const defaults = {
  compress: 'zstd',
  filename: '{database}-{server}-{datetime}.{extension}',
  dateFormat: 'YYYY-MM-DD-HHmmss',
}

/**
 * The settings to work with: precedence applied, defaults filled in, names resolved, passwords wrapped. Nothing is contacted.
 * @throws config.*, usage.not-supported, usage.unknown-storage, key.invalid: each names the setting and where it came from
 */
export function resolveSettings(input: ResolveInput): Settings {
  const { file, env, registry, baseDirectory } = input
  const source = file === undefined ? 'the configuration' : shownPath(env, file)
  const config = checkedConfig(input.config, source)
  checkPolicy(config.retention ?? {}, `retention (${source})`)
  const origins = new Origins(config, source)
  const choose = (option: ScalarOption, fallback: string) => {
    const given = givenOption(option, input.overrides ?? {}, env.variables)
    return origins.choose(option, given, fallback)
  }

  const compress = choose('compress', defaults.compress)
  const serverName = choose('serverName', env.hostName)
  const dateFormat = choose('dateFormat', defaults.dateFormat)
  const maxRate = chooseMaxRate(choose('maxRate', ''))
  const memoryLimit = chooseMemoryLimit(choose('memoryLimit', ''))
  const filename = chooseFilename(input, config, choose)
  const metricsFile = chooseMetricsFile(input, config, origins)
  const fingerprint = chooseFingerprint(input, origins)
  const chosen = chosenStorages(input)
  if (chosen[0] !== undefined) origins.set('storage', chosen[0].origin)

  const databases = resolveDatabases(input, config, origins, source)
  const storages = withSources(
    resolveStorages({
      configured: config.storages,
      drivers: registry.storageDrivers,
      origin: config.storages === undefined ? 'default' : source,
      chosen,
      workingDirectory: env.workingDirectory,
    }),
    config,
  )
  const files = resolveFiles(config, { env, baseDirectory, origin: source, storages })
  for (const { alias, storages: names = [] } of databases.values())
    checkStorageNames(names, [...storages.keys()], `databases.${alias}.storages (${source})`)
  return {
    ...(file === undefined ? {} : { file }),
    baseDirectory,
    databases,
    storages,
    files,
    chosenStorages: chosen.map(({ value }) => storageName(value)),
    stages: [
      ...checked(parseNamed(compress, registry), `compress (${compress.origin})`),
      ...checked(encryptStages(config.encrypt, registry, source), `encrypt (${source})`),
    ],
    signing: resolveSigning(config.sign, { source, baseDirectory, env }),
    ...(maxRate === undefined ? {} : { maxRate }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    retention: config.retention ?? {},
    ...(fingerprint === undefined ? {} : { chosenFingerprint: fingerprint }),
    ...(config.fingerprint === undefined ? {} : { fingerprint: config.fingerprint }),
    alsoPortable: config.alsoPortable ?? false,
    serverName: serverName.value,
    filename,
    dateFormat: dateFormat.value,
    hooks: config.hooks ?? {},
    portable: config.portable ?? {},
    notifiers: resolveNotifiers(config.notify, source, baseDirectory),
    ...(metricsFile === undefined ? {} : { metricsFile }),
    ...(config.mask === undefined ? {} : { mask: config.mask }),
    ...(config.subset === undefined ? {} : { subset: config.subset }),
    models: config.models ?? [],
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    ...(config.validateRestore === undefined ? {} : { validateRestore: config.validateRestore }),
    ...(config.connectors === undefined ? {} : { connectors: config.connectors }),
    devServers: config.devServers ?? {},
    origins: origins.all,
  }
}

/** @throws config.invalid */
function chooseMaxRate({ value, origin }: Variable): number | undefined {
  if (value === '') return undefined
  const rate = bytesOf(value, '/s')
  if (rate !== undefined) return rate
  throw new HoldfastError(
    'config.invalid',
    `maxRate (${origin}) is ${value}, not a rate such as 20MB/s or 512KiB/s`,
  )
}

/** @throws config.invalid */
function chooseMemoryLimit({ value, origin }: Variable): number | undefined {
  if (value === '') return undefined
  const bytes = bytesOf(value)
  if (bytes !== undefined) return bytes
  throw new HoldfastError(
    'config.invalid',
    `memoryLimit (${origin}) is ${value}, not a size such as 256MB or 1GiB`,
  )
}

function chosenStorages({ overrides = {}, env }: ResolveInput): readonly Variable[] {
  const one = givenOption('storage', overrides, env.variables)
  return overrides.storages ?? (one === undefined ? [] : [one])
}

/**
 * A database that stands in no configuration. A relative path in the URL is relative to the working directory, where it was
 * typed.
 * @param alias its name in the catalog; otherwise made from the database's own name
 * @throws config.invalid
 */
export function adHocDatabase(
  settings: Settings,
  registry: Registry,
  env: Env,
  url: string,
  alias?: string,
): DatabaseSettings {
  return databaseOfUrl(url, new EngineFinder(registry, settings.connectors), env.workingDirectory, alias)
}

/** Where each effective value came from. */
class Origins {
  readonly all = new Map<string, string>()
  readonly #config: HoldfastConfig
  readonly #source: string

  constructor(config: HoldfastConfig, source: string) {
    this.#config = config
    this.#source = source
    for (const [key, value] of Object.entries(config)) {
      if (key !== 'databases' && key !== 'storages' && key !== 'files') this.set(key, source)
      else for (const [name, each] of Object.entries(value as object)) this.#setAll(`${key}.${name}`, each)
    }
  }

  set(setting: string, origin: string): void {
    this.all.set(setting, origin)
  }

  /** The value of a setting that is one text, the first given winning. */
  choose(option: ScalarOption, given: Variable | undefined, fallback: string): Variable {
    const configured = option === 'storage' ? undefined : this.#config[option]
    const value =
      given ??
      (typeof configured === 'string'
        ? { value: configured, origin: this.#source }
        : { value: fallback, origin: 'default' })
    this.set(option, value.origin)
    return value
  }

  #setAll(prefix: string, value: unknown): void {
    if (typeof value !== 'object' || value === null) this.set(prefix, this.#source)
    else for (const key of Object.keys(value)) this.set(`${prefix}.${key}`, this.#source)
  }
}

function chooseFilename(
  { overrides = {}, env }: ResolveInput,
  config: HoldfastConfig,
  choose: (option: ScalarOption, fallback: string) => Variable,
): Settings['filename'] {
  const given = givenOption('filename', overrides, env.variables)
  // `Origins` has noted the file as the function's origin already.
  if (typeof config.filename === 'function' && given === undefined) return config.filename
  const { value, origin } = choose('filename', defaults.filename)
  checkTemplate(value, `filename (${origin})`)
  return value
}

/** A path that was typed, or set for the process, is relative to the working directory. */
function chooseMetricsFile(
  { overrides = {}, env, baseDirectory }: ResolveInput,
  { metricsFile }: HoldfastConfig,
  origins: Origins,
): string | undefined {
  const given = givenOption('metricsFile', overrides, env.variables)
  if (given === undefined) return metricsFile === undefined ? undefined : resolve(baseDirectory, metricsFile)
  origins.set('metricsFile', given.origin)
  return resolve(env.workingDirectory, given.value)
}

/** From a flag or the environment. @throws config.invalid */
function chooseFingerprint(
  { overrides = {}, env }: ResolveInput,
  origins: Origins,
): FingerprintLevel | undefined {
  const given = givenOption('fingerprint', overrides, env.variables)
  if (given === undefined) return undefined
  origins.set('fingerprint', given.origin)
  const level = fingerprintLevels.find((each) => each === given.value)
  if (level !== undefined) return level
  throw new HoldfastError(
    'config.invalid',
    `fingerprint is ${given.value}; it can be ${fingerprintLevels.join(', ')} (${given.origin})`,
  )
}

function resolveDatabases(
  { env, registry, baseDirectory }: ResolveInput,
  config: HoldfastConfig,
  origins: Origins,
  source: string,
): ReadonlyMap<string, DatabaseSettings> {
  const engines = new EngineFinder(registry, config.connectors)
  if (config.databases !== undefined) {
    const around = { engines, baseDirectory, origin: source, platform: env.platform }
    return new Map(
      Object.entries(config.databases).map(([alias, each]) => [alias, resolveDatabase(alias, each, around)]),
    )
  }
  const variable = readVariable(env.variables, 'DATABASE_URL')
  if (variable === undefined) return new Map()
  origins.set('databases.default.url', variable.origin)
  const around = { engines, baseDirectory, origin: variable.origin, platform: env.platform }
  return new Map([['default', resolveDatabase('default', variable.value, around)]])
}

function parseNamed({ value, origin }: Variable, registry: Registry): readonly StageSettings[] {
  try {
    return parseCompress(value, registry)
  } catch (thrown) {
    const error = asHoldfastError(thrown)
    throw new HoldfastError(error.code, `${error.message} (${origin})`, { hint: error.hint })
  }
}

/** @throws config.invalid for an encryption that is not there, or for two at once */
function encryptStages(
  encrypt: EncryptConfig | false | undefined,
  registry: Registry,
  source: string,
): readonly StageSettings[] {
  if (encrypt === undefined || encrypt === false) return []
  const entries = Object.entries(encrypt) as [string, EncryptConfig['age'] | EncryptConfig['openpgp']][]
  const given = entries.flatMap(([id, settings]) => (settings === undefined ? [] : [{ id, settings }]))
  if (given.length !== 1) {
    const names = registry.stages.filter(({ role }) => role === 'encrypt').map(({ id }) => id)
    throw new HoldfastError(
      'config.invalid',
      `encrypt (${source}) takes exactly one of ${names.join(', ')}`,
      {
        hint: 'name one, or set encrypt to false',
      },
    )
  }
  return given.map(({ id, settings }) => {
    const kind = registry.stages.find((each) => each.id === id && each.role === 'encrypt')
    if (kind === undefined)
      throw new HoldfastError('config.invalid', `encrypt.${id} (${source}) is not available`)
    return { kind, settings: withSecretPassphrase(settings) }
  })
}

function withSecretPassphrase(
  settings: NonNullable<EncryptConfig['age'] | EncryptConfig['openpgp']>,
): unknown {
  if (!('passphrase' in settings)) return settings
  const { passphrase, ...rest } = settings
  const secret = asSecret(passphrase)
  return secret === undefined ? rest : { ...rest, passphrase: secret }
}

const noKeys: KeyRing = {
  identities: () => Promise.resolve([]),
  passphrase: () => Promise.resolve(undefined),
}

/** A stage checks its own settings: a level out of range, a recipient that cannot be read. */
function checked(stages: readonly StageSettings[], setting: string): readonly StageSettings[] {
  for (const { kind, settings } of stages) {
    try {
      kind.create(settings, noKeys)
    } catch (thrown) {
      const error = asHoldfastError(thrown, 'config.invalid')
      throw new HoldfastError(error.code, `${setting}: ${error.message}`, { cause: error, hint: error.hint })
    }
  }
  return stages
}
