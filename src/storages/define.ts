import { addAbortSignal } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { destroySource, sourceError } from './source.js'
import type { Storage, StorageCapabilities, StorageDriver, StorageOrigin } from './storage.js'

/** Settings as a configuration gives them, `driver` left out. */
export type GivenSettings = Readonly<Record<string, unknown>>

/** A place for backups of one's own. */
export interface StorageDefinition<Settings = GivenSettings> {
  /** What `driver` of a configured storage says, and the scheme of the URLs that mean it. */
  readonly driver: string
  /** Reached over a network: a `get`, `stat`, `list` or `delete` that fails for a passing reason is tried again. */
  readonly remote?: true
  /** More schemes of URLs. */
  readonly schemes?: readonly string[]
  /** The settings that a URL stands for. Absent where no URL can say where the storage is. */
  parse?(url: string): GivenSettings
  /** Checks the settings, and gives them their types; what it throws is told as an error of the configuration. */
  settings?(given: GivenSettings): Settings
  /** The storage; it need not be contacted yet. */
  open(settings: Settings, where: StorageOrigin): CustomStorage | Promise<CustomStorage>
}

/** A {@link Storage}, of which some may be left out. */
export interface CustomStorage extends Pick<Storage, 'put' | 'get' | 'stat' | 'list' | 'delete'> {
  /** Default: the driver's name and the storage's own. */
  describe?(): string
  /** What is not said is taken for absent, but `atomicPut`, which no storage may lack. */
  readonly capabilities?: Partial<StorageCapabilities>
  /** Default: an interrupted `put` leaves nothing. */
  sweep?: Storage['sweep']
  close?(): Promise<void>
}

/**
 * A storage of your own, for `storageDrivers` of the configuration. It has `prefix`, `readOnly`, `bandwidth` and, where it is
 * remote, `retryFor` as any other. Of a `put` that failed Holdfast ends the source; of an interruption it tells the reason; an
 * error that is none of Holdfast's is told as the storage's. `storageContract` of `holdfast/testing` checks the rest.
 *
 * @example
 * const shelf = defineStorage({
 *   driver: 'shelf',
 *   settings: ({ url }) => ({ url: new URL(String(url)) }),
 *   open: ({ url }) => new Shelf(url),
 * })
 * defineConfig({ storageDrivers: [shelf], storages: { main: { driver: 'shelf', url: 'https://shelf.example.com' } } })
 */
export function defineStorage<Settings = GivenSettings>(
  definition: StorageDefinition<Settings>,
): StorageDriver {
  const { driver, remote, schemes } = definition
  if (!/^[a-z][a-z0-9+.-]*$/u.test(driver))
    throw new HoldfastError('config.invalid', `${driver} cannot be the name of a storage driver`, {
      hint: 'small letters, digits, + . and -, as in the scheme of a URL',
    })
  return {
    driver,
    ...(remote === undefined ? {} : { remote }),
    ...(schemes === undefined ? {} : { schemes }),
    ...(definition.parse === undefined ? {} : { parse: (url: string) => definition.parse?.(url) ?? {} }),
    async open(given, where) {
      const settings = checked(definition, given, where)
      return completed(definition.driver, await definition.open(settings, where), where)
    },
  }
}

function checked<Settings>(
  definition: StorageDefinition<Settings>,
  given: unknown,
  { name }: StorageOrigin,
): Settings {
  const { driver: _, ...own } = given as Readonly<Record<string, unknown>>
  if (definition.settings === undefined) return own as Settings
  try {
    return definition.settings(own)
  } catch (thrown) {
    if (thrown instanceof HoldfastError) throw thrown
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new HoldfastError('config.invalid', `storages.${name}: ${why}`, { cause: thrown })
  }
}

function completed(driver: string, own: CustomStorage, { name }: StorageOrigin): Storage {
  const failure = (thrown: unknown) => namedError(driver, thrown)
  const work = async <Result>(cx: Context, run: () => Promise<Result>): Promise<Result> => {
    cx.signal.throwIfAborted()
    try {
      return await run()
    } catch (thrown) {
      cx.signal.throwIfAborted()
      throw failure(thrown)
    }
  }
  return {
    capabilities: {
      ...{ atomicPut: true, createOnly: false, ranges: false, checksums: false },
      ...{ deduplicates: false, volatile: false },
      ...own.capabilities,
    },
    describe: () => own.describe?.() ?? `${driver} ${name}`,
    async put(cx, key, body, options) {
      try {
        cx.signal.throwIfAborted()
        return await own.put(cx, key, body, options)
      } catch (thrown) {
        const ofSource = sourceError(body, key, thrown)
        destroySource(body, thrown)
        cx.signal.throwIfAborted()
        throw ofSource ?? failure(thrown)
      }
    },
    get: (cx, key, range) => work(cx, async () => addAbortSignal(cx.signal, await own.get(cx, key, range))),
    stat: (cx, key) => work(cx, () => own.stat(cx, key)),
    async *list(cx, prefix, options) {
      cx.signal.throwIfAborted()
      try {
        for await (const object of own.list(cx, prefix, options)) {
          cx.signal.throwIfAborted()
          yield object
        }
      } catch (thrown) {
        cx.signal.throwIfAborted()
        throw failure(thrown)
      }
    },
    delete: (cx, key) => work(cx, () => own.delete(cx, key)),
    sweep: (cx, olderThanMs, prefix) =>
      work(cx, () => own.sweep?.(cx, olderThanMs, prefix) ?? Promise.resolve(0)),
    close: () => own.close?.() ?? Promise.resolve(),
  }
}

/** An error of Holdfast's as it is, any other as the storage's. */
function namedError(driver: string, thrown: unknown): HoldfastError {
  const error = asHoldfastError(thrown, 'storage.failed')
  if (error === thrown) return error
  return new HoldfastError(error.code, `the storage ${driver}: ${error.message}`, { cause: thrown })
}
