import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { Env } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import type { Connection } from './connection.js'

/** How one attempt to connect uses TLS; `false` means not at all. */
export type TlsAttempt = ConnectionOptions | false

/**
 * What libpq does for each sslmode (https://www.postgresql.org/docs/current/libpq-ssl.html), so that the driver trusts what
 * PostgreSQL's tools trust: `prefer` and `allow` try both ways; whenever there is a root certificate the chain is verified,
 * with `verify-full` the host name, too.
 * @throws config.invalid where a certificate cannot be read, or `verify-…` has no root certificate
 */
export async function tlsAttempts(env: Env, connection: Connection): Promise<readonly TlsAttempt[]> {
  // libpq does not encrypt a Unix socket.
  if (connection.host.startsWith('/')) return [false]
  const mode = modeOf(connection)
  if (mode === 'disable') return [false]
  const tls = await tlsOptions(env, connection, mode)
  if (mode === 'prefer') return [tls, false]
  return mode === 'allow' ? [false, tls] : [tls]
}

/** Whether the connection is encrypted without knowing to whom, on the user's word. */
export async function isUnverified(env: Env, connection: Connection): Promise<boolean> {
  if (connection.host.startsWith('/') || modeOf(connection) !== 'require') return false
  return (await rootCertificates(env, connection)) === undefined
}

function modeOf({ parameters }: Connection): string {
  return parameters['sslmode'] ?? (parameters['sslrootcert'] === 'system' ? 'verify-full' : 'prefer')
}

async function tlsOptions(env: Env, connection: Connection, mode: string): Promise<ConnectionOptions> {
  const { parameters } = connection
  const roots = await rootCertificates(env, connection)
  if (roots === undefined && mode.startsWith('verify-')) {
    throw new HoldfastError('config.invalid', `sslmode ${mode} needs a root certificate, and there is none`, {
      hint: `name its file with sslrootcert, or put it at ${defaultFile(env, 'root.crt')}`,
    })
  }
  if (roots === 'system' && mode !== 'verify-full') {
    throw new HoldfastError(
      'config.invalid',
      `sslrootcert system allows only sslmode verify-full, not ${mode}`,
    )
  }
  const certificate = await fileOf(env, parameters['sslcert'], 'postgresql.crt')
  const key = await fileOf(env, parameters['sslkey'], 'postgresql.key')
  const revoked = parameters['sslcrl'] === undefined ? undefined : await readNamed(parameters['sslcrl'])
  return {
    rejectUnauthorized: roots !== undefined,
    ...(roots === undefined || roots === 'system' ? {} : { ca: roots }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    ...(revoked === undefined ? {} : { crl: revoked }),
  }
}

async function rootCertificates(
  env: Env,
  { parameters }: Connection,
): Promise<Buffer | 'system' | undefined> {
  const named = parameters['sslrootcert']
  return named === 'system' ? 'system' : fileOf(env, named, 'root.crt')
}

/** A file that is named must be there; the one at libpq's usual place may be. */
async function fileOf(env: Env, named: string | undefined, usual: string): Promise<Buffer | undefined> {
  if (named !== undefined) return readNamed(named)
  return readFile(defaultFile(env, usual)).catch(() => undefined)
}

async function readNamed(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new HoldfastError('config.invalid', `the certificate file ${file} cannot be read`, { cause: error })
  })
}

function defaultFile({ platform, variables, homeDirectory }: Env, name: string): string {
  return platform === 'win32'
    ? join(variables['APPDATA'] ?? homeDirectory, 'postgresql', name)
    : join(homeDirectory, '.postgresql', name)
}
