import { z } from 'zod'
import { bytesOf } from '../../env/byte-units.js'
import { HoldfastError } from '../../errors.js'
import { isObjectKey, objectKey } from '../object-key.js'
import { defaultRetryMs, Retry } from '../retry.js'
import { flag, parseSettings, durationText } from '../settings.js'
import type { Storage, StorageDriver, StorageOrigin } from '../storage.js'
import { withBandwidth } from './bandwidth.js'
import { withPrefix } from './prefix.js'
import { readOnly } from './read-only.js'
import { retrying } from './retrying.js'

/** What every storage may be given beside its driver's own settings. */
const schema = z.strictObject({
  /** Objects lie below it, as if it were a storage of its own. */
  prefix: z
    .string()
    .transform((text) => text.replace(/^\/+|\/+$/gu, ''))
    .refine((text) => text === '' || isObjectKey(text), 'is not a path that every storage can have')
    .optional(),
  /** Nothing is written or deleted. */
  readOnly: flag.optional(),
  /** The most bytes a second, in each direction: `10MB/s`. */
  bandwidth: z
    .string()
    .transform((text) => bytesOf(text, '/s') ?? 0)
    .refine((bytes) => bytes > 0, 'is not a rate such as 10MB/s or 512KiB/s')
    .optional(),
  /** How long what failed for a passing reason is tried again: `2m`; `0` for never. */
  retryFor: z.union([z.literal('0').transform(() => 0), durationText]).optional(),
})

const names = Object.keys(schema.shape)

/** The driver, with the settings that every storage may be given: `prefix`, `readOnly`, `bandwidth`, `retryFor`. */
export function withWrappers(driver: StorageDriver): StorageDriver {
  const { schemes, remote, deduplicates } = driver
  return {
    driver: driver.driver,
    ...(schemes === undefined ? {} : { schemes }),
    ...(remote === undefined ? {} : { remote }),
    ...(deduplicates === undefined ? {} : { deduplicates }),
    ...(driver.parse === undefined ? {} : { parse: (url: string) => driver.parse?.(url) ?? {} }),
    async open(settings, where) {
      const given = Object.entries(settings as object)
      const shared = Object.fromEntries(given.filter(([name]) => names.includes(name)))
      const own = Object.fromEntries(given.filter(([name]) => !names.includes(name)))
      const asked = parseSettings(schema, shared, where)
      const retry = retryOf(driver, asked.retryFor, where)
      const storage = await driver.open(own, retry === undefined ? where : { ...where, retry })
      const tried = retry === undefined ? storage : retrying(storage, retry)
      return wrappedAs(tried, asked)
    },
  }
}

function wrappedAs(storage: Storage, asked: z.infer<typeof schema>): Storage {
  const { prefix = '', bandwidth } = asked
  const placed = prefix === '' ? storage : withPrefix(storage, objectKey(prefix))
  const paced = bandwidth === undefined ? placed : withBandwidth(placed, bandwidth)
  return asked.readOnly === true ? readOnly(paced) : paced
}

function retryOf(
  { driver, remote }: StorageDriver,
  forMs: number | undefined,
  { name }: StorageOrigin,
): Retry | undefined {
  if (remote === true) return new Retry(forMs ?? defaultRetryMs)
  if (forMs === undefined) return undefined
  throw new HoldfastError('config.invalid', `storages.${name}.retryFor: the driver ${driver} is not remote`)
}
