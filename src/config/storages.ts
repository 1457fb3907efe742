import { resolve } from 'node:path'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { checkPolicy } from '../retention/policy.js'
import type { StorageDriver } from '../storages/storage.js'
import type { HoldfastConfig, StorageConfig } from './config.js'
import { schemeOf } from './connection.js'
import { didYouMean } from './nearest.js'
import type { StorageSettings } from './settings.js'
import { storageName } from './storage-name.js'
import type { Variable } from './variable.js'

/** Where backups go when nothing says where. */
const defaultStorages: NonNullable<HoldfastConfig['storages']> = { main: './backups' }

export interface StorageChoice {
  readonly configured: HoldfastConfig['storages']
  readonly drivers: readonly StorageDriver[]
  /** Where the configuration came from. */
  readonly origin: string
  /** What `--storage` or `HOLDFAST_STORAGE` says: a configured name, or a place, as a path or URL. */
  readonly chosen: readonly Variable[]
  /** What a place in `chosen` is relative to. */
  readonly workingDirectory: string
}

/**
 * The storages, the chosen ones first: where one is wanted and none named, it is the first.
 * @throws config.invalid; usage.unknown-storage where neither a name nor a place is chosen
 */
export function resolveStorages(choice: StorageChoice): ReadonlyMap<string, StorageSettings> {
  const places = choice.chosen
    .filter(({ value }) => !Object.hasOwn(choice.configured ?? {}, value))
    .map((variable) => ({ variable, place: placeChosen(variable, choice) }))
  // The default is none where a place is given: it need not be there.
  const given = places.some(({ place }) => place !== undefined)
  const configured = choice.configured ?? (given ? {} : defaultStorages)
  const storages = Object.entries(configured).map(([name, storage]) =>
    resolveStorage(name, storage, choice.drivers, `storages.${name} (${choice.origin})`),
  )
  const chosen = choice.chosen.map((variable) => {
    const place = places.find((each) => each.variable === variable)?.place
    return storages.find(({ name }) => name === variable.value) ?? place ?? unknownStorage(variable, storages)
  })
  return byName([...chosen, ...storages])
}

function unknownStorage({ value, origin }: Variable, storages: readonly StorageSettings[]): never {
  const known = storages.map(({ name }) => name)
  throw new HoldfastError(
    'usage.unknown-storage',
    `there is no storage ${value} (${origin})${didYouMean(value, known)}; known: ${known.join(', ')}`,
    { hint: 'use one of the configured names, a path such as ./backups, or a URL such as s3://bucket' },
  )
}

/** @param setting what names the storages, with its origin. @throws usage.unknown-storage */
export function checkStorageNames(names: readonly string[], known: readonly string[], setting: string): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new HoldfastError(
    'usage.unknown-storage',
    `${setting}: there is no storage ${unknown}${didYouMean(unknown, known)}; known: ${known.join(', ')}`,
  )
}

function byName(storages: readonly StorageSettings[]): ReadonlyMap<string, StorageSettings> {
  return new Map(storages.map((storage) => [storage.name, storage]))
}

/** A place that stands in no configuration; a bare word is a name and never a folder. */
function placeChosen({ value, origin }: Variable, choice: StorageChoice): StorageSettings | undefined {
  const isPlace = schemeOf(value) !== undefined || /[\\/]/u.test(value) || value === '.' || value === '..'
  if (!isPlace) return undefined
  const storage = resolveStorage(storageName(value), value, choice.drivers, origin)
  const scheme = schemeOf(value)
  const { path } = storage.settings
  if ((scheme !== undefined && scheme !== 'file') || typeof path !== 'string' || path.startsWith('~'))
    return storage
  // A path on the command line is relative to where it was typed, not to the configuration file.
  return { ...storage, settings: { path: resolve(choice.workingDirectory, path) } }
}

function resolveStorage(
  name: string,
  given: StorageConfig | string,
  drivers: readonly StorageDriver[],
  setting: string,
): StorageSettings {
  if (typeof given === 'string') return { name, ...storageOfText(given, drivers, setting) }
  const { driver: wanted, retention, ...settings } = given
  const driver = drivers.find((each) => each.driver === wanted) ?? unknownDriver(wanted, drivers, setting)
  checkPolicy(retention ?? {}, `${setting}: retention`)
  return { name, driver, settings, ...(retention === undefined ? {} : { retention }) }
}

/** `./backups`, `file:///srv/backups`, `s3://bucket/prefix?region=eu-central-1`, `memory:`. */
function storageOfText(
  text: string,
  drivers: readonly StorageDriver[],
  setting: string,
): Omit<StorageSettings, 'name'> {
  const scheme = schemeOf(text) ?? 'file'
  const driver =
    drivers.find((each) => each.driver === scheme || each.schemes?.includes(scheme)) ??
    unknownDriver(scheme, drivers, setting)
  if (schemeOf(text) === undefined) return { driver, settings: { path: text } }
  if (driver.parse === undefined) {
    throw new HoldfastError(
      'config.invalid',
      `${setting}: the storage driver ${driver.driver} takes no URL`,
      {
        hint: `give it as { driver: '${driver.driver}', … }`,
      },
    )
  }
  try {
    return { driver, settings: driver.parse(text) }
  } catch (thrown) {
    const error = asHoldfastError(thrown, 'config.invalid')
    throw new HoldfastError(error.code, `${setting}: ${error.message}`, { cause: error, hint: error.hint })
  }
}

function unknownDriver(wanted: string, drivers: readonly StorageDriver[], setting: string): never {
  const known = drivers.map((each) => each.driver)
  throw new HoldfastError(
    'config.invalid',
    `${setting}: there is no storage driver ${wanted}${didYouMean(wanted, known)}; known: ${known.join(', ')}`,
  )
}
