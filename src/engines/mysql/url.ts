import { isAbsolute, resolve } from 'node:path'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { decode, encodingHint, invalid } from '../url-text.js'
import { parameterKey, tlsOf } from './tls.js'

/**
 * Reads `mysql://user:password@host:3306/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=ca.pem`, or `?socket=/run/mysqld/mysqld.sock`.
 * Parameters that other drivers use and that do not concern the connection (`connection_limit`) are left aside.
 * @throws config.invalid, never with a part of the URL that could hold the password
 */
export function parseUrl(engine: string, url: string, baseDirectory: string): ConnectionSettings {
  const parsed = readUrl(url)
  const query = queryOf(parsed)
  const host = decode(parsed.hostname.replace(/^\[(.*)\]$/u, '$1'), 'the host')
  const user = decode(parsed.username, 'the user')
  const password = decode(parsed.password, 'the password')
  const name = decode(parsed.pathname.replace(/^\//u, ''), 'the database')
  if (name === '') throw invalid('the URL names no database', 'write it after the host: mysql://host/shop')
  const socket = query.find(([key]) =>
    ['socket', 'socketpath', 'unixsocket'].includes(parameterKey(key)),
  )?.[1]
  const settings: ConnectionSettings = {
    engine,
    name,
    ...(socket === undefined ? hostAndPort(host, parsed.port) : { socket }),
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password: new Secret(password) }),
    parameters: parametersOf(query, baseDirectory),
  }
  tlsOf(settings)
  charsetOf(settings)
  return settings
}

/** What the programs and the driver talk in; `charset` in a URL may say so, and nothing else. @throws config.invalid */
function charsetOf({ parameters }: ConnectionSettings): void {
  const { charset } = parameters
  if (charset === undefined || /^utf-?8(?:mb4)?(?:_\w+)?$/iu.test(charset)) return
  throw invalid(`charset ${charset} would lose characters`, 'leave it out: Holdfast always uses utf8mb4')
}

function readUrl(url: string): URL {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    // Never as `cause`: Node's error carries the whole input.
    throw invalid('the URL of a MySQL or MariaDB database cannot be read', encodingHint)
  }
  // An unencoded `#`, `?` or `/` in a password makes the rest of it look like a fragment, parameters or the path.
  if (parsed.hash !== '' || (parsed.username === '' && `${parsed.pathname}${parsed.search}`.includes('@'))) {
    throw invalid('the URL of a MySQL or MariaDB database has a # or @ out of place', encodingHint)
  }
  return parsed
}

function queryOf(parsed: URL): readonly (readonly [string, string])[] {
  const pairs = parsed.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
  // Not URLSearchParams: it would read a plus sign in a path as a space.
  return pairs.map((pair) => {
    const [name = '', ...rest] = pair.split('=')
    return [decode(name, 'a parameter'), decode(rest.join('='), `the parameter ${name}`)]
  })
}

function hostAndPort(host: string, port: string): Pick<ConnectionSettings, 'host' | 'port'> {
  return { ...(host === '' ? {} : { host }), ...(port === '' ? {} : { port: Number(port) }) }
}

function parametersOf(
  query: readonly (readonly [string, string])[],
  baseDirectory: string,
): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {}
  for (const [name, value] of query) {
    const key = parameterKey(name)
    const isFile = ['sslca', 'sslcert', 'sslkey'].includes(key)
    const kept = key.startsWith('ssl') && key !== 'ssl' ? `ssl-${key.slice(3)}` : key
    parameters[kept] = isFile && !isAbsolute(value) ? resolve(baseDirectory, value) : value
  }
  return parameters
}
