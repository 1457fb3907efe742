import { readFile } from 'node:fs/promises'
import type { SslOptions } from 'mysql2'
import type { ConnectionSettings } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'
import type { Product } from './identity.js'

/** MySQL's names of how far TLS is wanted; `PREFERRED`, both families' own habit, is the default. */
export const tlsModes = ['DISABLED', 'PREFERRED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'] as const
export type TlsMode = (typeof tlsModes)[number]

export interface TlsSettings {
  readonly mode: TlsMode
  /** Paths of PEM files. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const known = ['ssl', 'sslmode', 'sslca', 'sslcert', 'sslkey', 'sslaccept']

/** The name of a parameter with its spellings made one: `ssl-mode`, `ssl_mode` and `sslMode` are `sslmode`. */
export function parameterKey(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/gu, '')
}

/**
 * What the parameters say about TLS. A certificate authority alone asks for a verified server: naming one and checking
 * nothing would be a false comfort.
 * @throws config.invalid
 */
export function tlsOf({ parameters, socket }: ConnectionSettings): TlsSettings {
  const values = new Map(Object.entries(parameters).map(([name, value]) => [parameterKey(name), value]))
  for (const name of values.keys()) {
    if (/^(?:ssl|tls)/u.test(name) && !known.includes(name)) {
      throw new HoldfastError('config.invalid', `${name} is not a parameter of MySQL or MariaDB`, {
        hint: 'there are ssl-mode, ssl-ca, ssl-cert and ssl-key',
      })
    }
  }
  const files = { ca: values.get('sslca'), cert: values.get('sslcert'), key: values.get('sslkey') }
  const given = Object.fromEntries(Object.entries(files).filter(([, path]) => path !== undefined))
  const mode =
    socket !== undefined
      ? 'DISABLED'
      : (modeOf(values) ?? (files.ca === undefined ? 'PREFERRED' : 'VERIFY_IDENTITY'))
  return { mode, ...given }
}

function modeOf(values: ReadonlyMap<string, string>): TlsMode | undefined {
  const named = values.get('sslmode')
  if (named !== undefined) {
    const mode = tlsModes.find((each) => each === named.toUpperCase().replaceAll('-', '_'))
    if (mode !== undefined) return mode
    throw new HoldfastError('config.invalid', `ssl-mode is none of ${tlsModes.join(', ')}`)
  }
  const accept = values.get('sslaccept')
  if (accept !== undefined) return accept === 'strict' ? 'VERIFY_IDENTITY' : 'REQUIRED'
  return driverMode(values.get('ssl'))
}

/** The `ssl` of Node drivers: a switch, or JSON as in `ssl={"rejectUnauthorized":true}`. */
function driverMode(value: string | undefined): TlsMode | undefined {
  if (value === undefined) return undefined
  if (/^(?:0|false)$/iu.test(value)) return 'DISABLED'
  if (/^(?:1|true)$/iu.test(value)) return 'VERIFY_IDENTITY'
  if (/^\{.*\}$/u.test(value))
    return /"rejectUnauthorized"\s*:\s*false/u.test(value) ? 'REQUIRED' : 'VERIFY_IDENTITY'
  throw new HoldfastError('config.invalid', 'ssl is neither true, false nor JSON', {
    hint: 'use ssl-mode and ssl-ca',
  })
}

/** For the driver; undefined where the connection is to be plain. @throws config.invalid where a file cannot be read */
export async function driverTls(tls: TlsSettings): Promise<SslOptions | undefined> {
  if (tls.mode === 'DISABLED') return undefined
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(readPem))
  const verified = tls.mode === 'VERIFY_CA' || tls.mode === 'VERIFY_IDENTITY'
  return {
    rejectUnauthorized: verified,
    verifyIdentity: tls.mode === 'VERIFY_IDENTITY',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

async function readPem(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new HoldfastError('config.invalid', `${path} cannot be read`, { cause: error })
  }
}

/**
 * The same for a program's option file. Newer MariaDB programs insist on a verified server unless told otherwise, older ones
 * know no mode between "if there is" and "verified"; the connection that asks the server first has then seen that there is.
 */
export function toolTls(tls: TlsSettings, family: Product): readonly (readonly [string, string])[] {
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const path = tls[name]
    return path === undefined || tls.mode === 'DISABLED' ? [] : [[`ssl-${name}`, path] as const]
  })
  // Without TLS a password that the server has not cached goes encrypted with its key, as the driver does it; `loose`: old
  // programs do not know the option.
  if (family === 'MySQL') return [['ssl-mode', tls.mode], ...files, ['loose-get-server-public-key', '1']]
  if (tls.mode === 'DISABLED') return [['ssl', '0']]
  const verified = tls.mode === 'VERIFY_CA' || tls.mode === 'VERIFY_IDENTITY'
  return [['ssl', '1'], ['ssl-verify-server-cert', verified ? '1' : '0'], ...files]
}
