import { z } from 'zod'
import { Secret } from '../env/secret.js'
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

/** A setting that is on or off; a URL and an environment variable say it as `true` or `false`. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** A whole number; a URL and an environment variable say it in digits. */
export const wholeNumber = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/u, 'is not a whole number')
    .transform(Number),
])

/** A password or key, wrapped so that it cannot be shown; an empty one is refused. */
export const secretText = z
  .union([z.string(), z.instanceof(Secret)])
  .transform((value) => (typeof value === 'string' ? new Secret(value) : value))
  .refine((secret) => secret.reveal() !== '', 'is empty')

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 365 * 86_400_000 } as const

/** A length of time, in milliseconds: `90m`, `12h`, `30d`, `8w`, `1y`. */
export const durationText = z
  .string()
  .regex(/^[1-9]\d{0,5}[mhdwy]$/u, 'is not a length of time such as 12h or 30d')
  .transform((text) => Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs])
