import type { z } from 'zod'
import { HoldfastError } from '../errors.js'
import type { StorageOrigin } from './storage.js'

/**
 * A storage's own settings, checked; `driver`, which chose the driver, is left out.
 * @param schema a strict object, so that an unknown key is an error
 * @throws config.invalid, config.unknown-key, naming the setting
 */
export function parseSettings<Settings>(
  schema: z.ZodType<Settings>,
  settings: unknown,
  where: StorageOrigin,
): Settings {
  const parsed = schema.safeParse(withoutDriver(settings))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const place = `storages.${[where.name, ...(issue?.path ?? [])].join('.')}`
  if (issue?.code === 'unrecognized_keys') {
    throw new HoldfastError('config.unknown-key', `${place} has no setting ${issue.keys.join(', ')}`)
  }
  throw new HoldfastError('config.invalid', `${place}: ${issue?.message.toLowerCase() ?? 'not valid'}`)
}

function withoutDriver(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null) return settings
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'driver'))
}
