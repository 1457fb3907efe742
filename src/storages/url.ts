import { withoutCredentials } from '../env/redaction.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'

/** A URL of a storage, taken apart and decoded. */
export interface StorageUrl {
  readonly scheme: string
  readonly user?: string
  readonly password?: Secret
  /** A bucket or container where the service has those; empty where the URL names none. */
  readonly host: string
  readonly port?: number
  /** With its slash at the beginning; empty where the URL has no path. */
  readonly path: string
  /** What stands behind `?`, by name. */
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Takes `scheme://user:password@host:port/path?name=value` apart.
 *
 * @example
 * parseStorageUrl('s3://backups/shop?region=eu-central-1') // { scheme: 's3', host: 'backups', path: '/shop', … }
 * @throws config.invalid, never showing a password
 */
export function parseStorageUrl(text: string): StorageUrl {
  if (!/^[a-z][a-z0-9+.-]*:\/\//iu.test(text) || !URL.canParse(text)) throw invalid(text, 'is not a URL')
  const url = new URL(text)
  if (url.hash !== '') throw invalid(text, 'has a #, which must be written %23')
  const parameters: Record<string, string> = {}
  for (const [name, value] of url.searchParams) {
    if (Object.hasOwn(parameters, name)) throw invalid(text, `says ${name} twice`)
    parameters[name] = value
  }
  return {
    scheme: url.protocol.slice(0, -1),
    ...(url.username === '' ? {} : { user: decoded(text, url.username) }),
    ...(url.password === '' ? {} : { password: new Secret(decoded(text, url.password)) }),
    host: decoded(text, url.hostname),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: decoded(text, url.pathname),
    parameters,
  }
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(text, 'has a % that begins no character, and must be written %25')
  }
}

function invalid(text: string, why: string): HoldfastError {
  return new HoldfastError('config.invalid', `${withoutCredentials(text)} ${why}`, {
    hint: 'write it as scheme://host/path?name=value, with special characters percent-encoded',
  })
}
